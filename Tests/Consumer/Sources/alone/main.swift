import KVCaches

// One token's value is what attention over it alone returns.
let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 2)
var cache = try KVCache(shape: shape, meter: KVMeter())
try cache.append(keys: [1, 2], values: [3, 4], tokens: 1, layer: 0)
var output: [Float] = [0, 0]
cache.attend(
  queries: [5, 6], heads: 1, kvHead: 0, layer: 0, visible: cache.count, scale: 1, output: &output)
print(output)
