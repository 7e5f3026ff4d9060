// Made by Tools/docs/examples.py from Packages/Quantizers/Sources/Quantizers/Quantizers.docc/Quantizers.md.
// swift-format-ignore-file
import Quantizers
import Tensors
import Testing

@Test func exampleOfQuantizers() throws {
  let values = (0..<256).map { Float($0 % 17) - 8 }
  let matrix = try WeightMatrix(values, outFeatures: 2, inFeatures: 128)
  let scheme = try QuantizationScheme(bits: 8, groupSize: 64)
  let pool = try ThreadPool(workers: 2)
  let layer = try RoundToNearest(scheme: scheme).quantize([matrix], hessian: nil, on: pool)[0]
  #expect("\(layer.matrix.codes.count)" == "256")
  #expect("\(layer.report.weightError < 0.01)" == "true")
}
