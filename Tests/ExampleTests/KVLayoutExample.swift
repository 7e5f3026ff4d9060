// Made by Tools/docs/examples.py from Packages/KVLayout/Sources/KVLayout/KVLayout.docc/KVLayout.md.
// swift-format-ignore-file
import KVLayout
import Testing

@Test func exampleOfKVLayout() throws {
  let policy = try KVPolicy(parsing: "rkv:2048+int8")
  let shape = KVShape(layers: 28, kvHeads: 8, headDimension: 128)
  let forecast = KVForecast(shape: shape, policy: policy, heads: 16)
  #expect("\(policy.eviction?.budget ?? 0)" == "2048")
  #expect("\(forecast.heldBytes(entries: 2048) >> 20)" == "125")
}
