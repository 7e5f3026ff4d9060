import Tensors

/// Groups of 32 weights as `d * scale * code - dmin * minimum`, with 6-bit scales and minima and
/// with `d` and `dmin` shared by the eight groups of a super-block: Q4_K and Q5_K.
struct OffsetGroups {
  /// Weights of a group.
  static let size = 32
  /// Groups of a super-block.
  static let perBlock = 8
  /// The largest scale and minimum.
  private static let largest: Float = 63
  /// How often the factors follow the codes and the codes the factors.
  private static let rounds = 3

  private let lanes: GroupLanes
  private let blocks: Int
  private let largestCode: Float
  /// The factors of each super-block, as F16 holds them.
  private var factors: [(scale: Float, minimum: Float)]
  /// The integers of each group.
  private var scales = Lanes(repeating: 0)
  private var minima = Lanes(repeating: 0)
  private var codes: [Lanes] = []

  /// Searches the form of one or two super-blocks.
  init(_ weights: UnsafeBufferPointer<Float>, largestCode: Int) {
    lanes = GroupLanes(weights, size: Self.size)
    blocks = weights.count / (Self.size * Self.perBlock)
    self.largestCode = Float(largestCode)
    factors = Array(repeating: (0, 0), count: blocks)
    let best = freeFit()
    for block in 0..<blocks {
      let own = Self.groups(of: block)
      factors[block] = (
        (own.map { best.step[$0] }.max() ?? 0) / Self.largest,
        (own.map { best.depth[$0] }.max() ?? 0) / Self.largest
      )
      factors[block] = (factors[block].scale.asHalf, factors[block].minimum.asHalf)
    }
    let (scale, minimum) = factorLanes
    scales = (best.step * scale.inverses).roundedToEven().atMost(Lanes(repeating: Self.largest))
    minima = (best.depth * minimum.inverses).roundedToEven().atMost(Lanes(repeating: Self.largest))
    settle()
  }

  private static func groups(of block: Int) -> Range<Int> {
    block * perBlock..<(block + 1) * perBlock
  }

  private var factorLanes: (scale: Lanes, minimum: Lanes) {
    var (scale, minimum) = (Lanes(repeating: 0), Lanes(repeating: 0))
    for block in 0..<blocks {
      for group in Self.groups(of: block) {
        (scale[group], minimum[group]) = factors[block]
      }
    }
    return (scale, minimum)
  }

  // MARK: Groups by themselves

  /// Steps and depths of all groups with the least error, were they stored as they are: codes of
  /// several step sizes are tried, each with the step and depth that suit them by least squares.
  private func freeFit() -> (step: Lanes, depth: Lanes) {
    let zero = Lanes(repeating: 0)
    var (low, high) = (zero, lanes.values[0])
    for value in lanes.values {
      low = low.atMost(value)
      high = high.atLeast(value)
    }
    let range = high - low
    var best = (step: zero, depth: -low, error: Lanes(repeating: .infinity))
    for attempt in 0..<12 {
      let steps = largestCode - 1.5 + 0.25 * Float(attempt)
      var step = range / steps
      var depth = -low
      // Once more with what the first codes asked for.
      for _ in 0..<2 {
        let fit = fit(step: step, depth: depth)
        let isBetter = fit.error .< best.error
        best.step.replace(with: fit.step, where: isBetter)
        best.depth.replace(with: fit.depth, where: isBetter)
        best.error.replace(with: fit.error, where: isBetter)
        (step, depth) = (fit.step, fit.depth)
      }
    }
    return (best.step, best.depth)
  }

  /// The step and depth that suit the codes which others give, and their error but for what is the
  /// same for all.
  private func fit(step: Lanes, depth: Lanes) -> (step: Lanes, depth: Lanes, error: Lanes) {
    let inverse = step.inverses
    let zero = Lanes(repeating: 0)
    // Sums of the importance w with code q and value x.
    var (w, wq, wqq, wx, wqx) = (zero, zero, zero, zero, zero)
    for place in 0..<Self.size {
      let (value, weight) = (lanes.values[place], lanes.importance[place])
      let code = self.code(value, depth: depth, inverse: inverse)
      let weighted = weight * code
      w += weight
      wq += weighted
      wqq += weighted * code
      wx += weight * value
      wqx += weighted * value
    }
    // Both by least squares; where all codes are alike, or a part is below zero, one of them alone.
    let inverseDeterminant = (w * wqq - wq * wq).inverses
    let candidates = [
      ((w * wqx - wx * wq) * inverseDeterminant, (wq * wqx - wqq * wx) * inverseDeterminant),
      ((wqx * wqq.inverses).atLeast(zero), zero),
      (zero, (-wx * w.inverses).atLeast(zero)),
    ]
    var best = (step: zero, depth: zero, error: zero)
    for (step, depth) in candidates {
      let square = step * step * wqq + depth * depth * w
      let error = square - 2 * (step * depth * wq + step * wqx - depth * wx)
      let isBetter = (error .< best.error) .& (step .>= 0) .& (depth .>= 0)
      best.step.replace(with: step, where: isBetter)
      best.depth.replace(with: depth, where: isBetter)
      best.error.replace(with: error, where: isBetter)
    }
    return best
  }

  @inline(__always)
  private func code(_ value: Lanes, depth: Lanes, inverse: Lanes) -> Lanes {
    ((value + depth) * inverse).roundedToEven().atLeast(Lanes(repeating: 0))
      .atMost(Lanes(repeating: largestCode))
  }

  // MARK: Groups of a super-block together

  /// Codes, integers and factors in turn, each with the least error for the others.
  private mutating func settle() {
    var best = self
    var bestErrors = [Double](repeating: .infinity, count: blocks)
    for _ in 0..<Self.rounds {
      let errors = chooseIntegers()
      for block in 0..<blocks where errors[block] < bestErrors[block] {
        bestErrors[block] = errors[block]
        best.factors[block] = factors[block]
        for group in Self.groups(of: block) {
          best.scales[group] = scales[group]
          best.minima[group] = minima[group]
        }
      }
      fitFactors()
    }
    self = best
    codes = currentCodes()
  }

  /// Moves the integers of each group by at most one to where the error is least; returns the error
  /// of each super-block.
  private mutating func chooseIntegers() -> [Double] {
    let (scale, minimum) = factorLanes
    let largest = Lanes(repeating: Self.largest)
    let (oldScales, oldMinima) = (scales, minima)
    var least = Lanes(repeating: .infinity)
    for change in -1...1 {
      let tried = (oldScales + Float(change)).atLeast(Lanes(repeating: 0)).atMost(largest)
      let step = scale * tried
      let inverse = step.inverses
      for change in -1...1 {
        let triedMinima = (oldMinima + Float(change)).atLeast(Lanes(repeating: 0)).atMost(largest)
        let depth = minimum * triedMinima
        var error = Lanes(repeating: 0)
        for place in 0..<Self.size {
          let value = lanes.values[place]
          let code = self.code(value, depth: depth, inverse: inverse)
          let off = step * code - depth - value
          error += lanes.importance[place] * off * off
        }
        let isBetter = error .< least
        least.replace(with: error, where: isBetter)
        scales.replace(with: tried, where: isBetter)
        minima.replace(with: triedMinima, where: isBetter)
      }
    }
    return (0..<blocks).map { block in
      Self.groups(of: block).reduce(0) { $0 + Double(least[$1]) }
    }
  }

  private func currentCodes() -> [Lanes] {
    let (scale, minimum) = factorLanes
    let inverse = (scale * scales).inverses
    return lanes.values.map { code($0, depth: minimum * minima, inverse: inverse) }
  }

  /// The factors of each super-block that suit its codes and integers by least squares.
  private mutating func fitFactors() {
    let zero = Lanes(repeating: 0)
    // Of a = scale * code and b = minimum, and the value x.
    var (aa, ab, bb, ax, bx) = (zero, zero, zero, zero, zero)
    for (place, code) in currentCodes().enumerated() {
      let (value, weight) = (lanes.values[place], lanes.importance[place])
      let a = scales * code
      aa += weight * a * a
      ab += weight * a * minima
      bb += weight * minima * minima
      ax += weight * a * value
      bx += weight * minima * value
    }
    for block in 0..<blocks {
      func sum(_ lanes: Lanes) -> Double {
        Self.groups(of: block).reduce(0) { $0 + Double(lanes[$1]) }
      }
      let (aa, ab, bb, ax, bx) = (sum(aa), sum(ab), sum(bb), sum(ax), sum(bx))
      let determinant = aa * bb - ab * ab
      var (scale, minimum) = (Double(factors[block].scale), Double(factors[block].minimum))
      if determinant > 1e-9 * aa * bb {
        scale = (bb * ax - ab * bx) / determinant
        minimum = (ab * ax - aa * bx) / determinant
      } else if aa > 0 {
        scale = (ax + minimum * ab) / aa
      }
      guard scale >= 0, minimum >= 0 else { continue }
      factors[block] = (Float(scale).asHalf, Float(minimum).asHalf)
    }
  }

  // MARK: Bytes

  /// Writes the super-blocks with codes of 4 or 5 bits.
  func write(bits: Int, into target: UnsafeMutableRawBufferPointer) {
    for block in 0..<blocks {
      let size = target.count / blocks
      let bytes = UnsafeMutableRawBufferPointer(rebasing: target[block * size..<(block + 1) * size])
      bytes.storeHalf(factors[block].scale, at: 0)
      bytes.storeHalf(factors[block].minimum, at: 2)
      let own = Self.groups(of: block)
      writeIntegers(
        scales: own.map { UInt8(scales[$0]) }, minima: own.map { UInt8(minima[$0]) }, into: bytes)
      let highBits = bits == 5 ? 32 : 0
      for offset in 0..<highBits { bytes[16 + offset] = 0 }
      for (index, group) in own.enumerated() {
        for (place, code) in GroupLanes.bytes(codes, ofLane: group).enumerated() {
          // Groups of even number fill the low halves of 32 bytes, those behind them the high ones.
          let byte = 16 + highBits + index / 2 * 32 + place
          let isLow = index % 2 == 0
          bytes[byte] = isLow ? code & 15 : bytes[byte] | code << 4
          if bits == 5 { bytes[16 + place] |= (code >> 4) << UInt8(index) }
        }
      }
    }
  }

  /// Eight scales and eight minima of 6 bits in twelve bytes: those of the first four groups whole,
  /// of the others four bits, whose upper two stand above the first four.
  private func writeIntegers(
    scales: [UInt8], minima: [UInt8], into bytes: UnsafeMutableRawBufferPointer
  ) {
    for index in 0..<4 {
      bytes[4 + index] = scales[index] | (scales[index + 4] >> 4) << 6
      bytes[8 + index] = minima[index] | (minima[index + 4] >> 4) << 6
      bytes[12 + index] = scales[index + 4] & 15 | (minima[index + 4] & 15) << 4
    }
  }
}
