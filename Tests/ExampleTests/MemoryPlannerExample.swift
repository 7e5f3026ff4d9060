// Made by Tools/docs/examples.py from Packages/MemoryPlanner/Sources/MemoryPlanner/MemoryPlanner.docc/MemoryPlanner.md.
// swift-format-ignore-file
import MemoryPlanner
import Testing

@Test func exampleOfMemoryPlanner() throws {
  let model = Qwen3Family.models[2]
  let load = try Load(thinkBudget: 30_000)
  let use = Accounting.actual.memory(model, try WeightPrecision(bits: 8), .full, load)
  #expect("\(use.weights >> 20)" == "4099")
}
