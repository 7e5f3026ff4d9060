// Made by Tools/docs/examples.py from Packages/TextGeneration/Sources/TextGeneration/TextGeneration.docc/TextGeneration.md.
// swift-format-ignore-file
import Testing
import TextGeneration

@Test func exampleOfTextGeneration() throws {
  let sampler = Sampler()
  let logits: [Float] = [0, 2, 1]
  let id = try logits.withUnsafeBufferPointer { row in
    try sampler.sample(row, .greedy, uniform: 0.5, step: 0)
  }
  #expect("\(id)" == "1")
}
