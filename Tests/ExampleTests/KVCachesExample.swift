// Made by Tools/docs/examples.py from Packages/KVCaches/Sources/KVCaches/KVCaches.docc/KVCaches.md.
// swift-format-ignore-file
import KVCaches
import Testing

@Test func exampleOfKVCaches() throws {
  let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 2)
  var cache = try KVCache(shape: shape, meter: KVMeter())
  try cache.append(keys: [1, 2], values: [3, 4], tokens: 1, layer: 0)
  var output: [Float] = [0, 0]
  cache.attend(
    queries: [5, 6], heads: 1, kvHead: 0, layer: 0, visible: cache.count, scale: 1, output: &output)
  #expect("\(output)" == "[3.0, 4.0]")
}
