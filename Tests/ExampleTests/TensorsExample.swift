// Made by Tools/docs/examples.py from Packages/Tensors/Sources/Tensors/Tensors.docc/Tensors.md.
// swift-format-ignore-file
import Tensors
import Testing

@Test func exampleOfTensors() throws {
  let pool = try ThreadPool(workers: 2)
  let matrix = try Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
  let weights = try WeightPacking.pack(matrix, name: "w")
  var y: [Float] = [0, 0]
  weights.multiply([1, 0, 1], tokens: 1, into: &y, on: pool)
  #expect("\(y)" == "[4.0, 10.0]")
}
