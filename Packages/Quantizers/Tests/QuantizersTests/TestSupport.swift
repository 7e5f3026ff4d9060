import Tensors
import Testing

@testable import Quantizers

/// Values in [-1, 1) that depend on `seed` alone.
func noise(_ count: Int, seed: UInt64) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(1 << 31)
  }
}

/// Activations `[tokens, width]` whose features depend on each other and differ in size, as real
/// ones do.
func activations(tokens: Int, width: Int, seed: UInt64) -> [Float] {
  let base = noise(tokens * width, seed: seed)
  return base.indices.map { position in
    let column = position % width
    let neighbour = base[position - column + (column + 1) % width]
    let common = base[position - column]
    return (base[position] + 0.7 * neighbour + common) * (1 + 8 * Float(column % 7) / 7)
  }
}

func hessian(
  tokens: Int, width: Int, seed: UInt64 = 11, on pool: ThreadPool
) throws -> Hessian {
  var accumulator = try HessianAccumulator(order: width, on: pool)
  try activations(tokens: tokens, width: width, seed: seed).withUnsafeBufferPointer {
    try accumulator.add($0)
  }
  return try accumulator.finish()
}

extension WeightQuantizer {
  /// Quantizes one matrix.
  func quantize(
    _ matrix: WeightMatrix, hessian: Hessian? = nil, on pool: ThreadPool
  ) throws -> QuantizedLayer {
    try #require(try quantize([matrix], hessian: hessian, on: pool).first)
  }
}
