// Made by Tools/docs/examples.py from Packages/Kernels/Sources/Kernels/Kernels.docc/Kernels.md.
// swift-format-ignore-file
import Kernels
import Testing

@Test func exampleOfKernels() throws {
  let kernels = bb_kernels().pointee
  let x: [Float] = [3, 4]
  var y: [Float] = [0, 0]
  kernels.rms_norm(x, [1, 1], 0, 2, &y)
  #expect("\(y.map { $0 * $0 }.reduce(0, +).rounded())" == "2.0")
  #expect("\(kernels.isa == BB_ISA_SCALAR ? "scalar" : "vectors")" == "vectors")
}
