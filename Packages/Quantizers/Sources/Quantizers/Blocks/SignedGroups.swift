import Tensors

/// Groups of 16 weights as `d * scale * code`, with signed 8-bit scales, codes from -32 to 31 and
/// one `d` for the sixteen groups of a super-block: Q6_K.
struct SignedGroups {
  /// Weights of a group.
  static let size = 16
  private static let codeRange: ClosedRange<Float> = -32...31
  private static let scaleRange: ClosedRange<Float> = -128...127
  private static let rounds = 2

  private let lanes: GroupLanes
  /// As F16 holds it.
  private var factor: Float = 0
  private var scales = Lanes(repeating: 0)
  private var codes: [Lanes] = []

  /// Searches the form of a super-block.
  init(_ weights: UnsafeBufferPointer<Float>) {
    lanes = GroupLanes(weights, size: Self.size)
    let steps = freeFit()
    // The largest step takes the scale of the largest magnitude.
    let largest = (0..<Lanes.width).map { steps[$0] }.max { abs($0) < abs($1) } ?? 0
    factor = (largest / Self.scaleRange.lowerBound).asHalf
    if factor != 0 { scales = (steps / factor).roundedToEven().within(Self.scaleRange) }
    settle()
  }

  /// The steps with the least error, were they stored as they are. Either end of the codes may be
  /// that of the largest weight.
  private func freeFit() -> Lanes {
    var largest = Lanes(repeating: 0)
    for value in lanes.values {
      largest.replace(with: value, where: value.magnitudes .> largest.magnitudes)
    }
    var best = (step: Lanes(repeating: 0), gain: Lanes(repeating: 0))
    for attempt in -9...9 {
      for end in [Self.codeRange.lowerBound, Self.codeRange.upperBound] {
        let place = end + (end < 0 ? -0.1 : 0.1) * Float(attempt)
        let fit = fit(inverse: (place / largest).replacing(with: 0, where: largest .== 0))
        let isBetter = fit.gain .> best.gain
        best.step.replace(with: fit.step, where: isBetter)
        best.gain.replace(with: fit.gain, where: isBetter)
      }
    }
    return best.step
  }

  /// The step that suits codes by least squares, and how much of the squares it takes away.
  private func fit(inverse: Lanes) -> (step: Lanes, gain: Lanes) {
    var (wqq, wqx) = (Lanes(repeating: 0), Lanes(repeating: 0))
    for place in 0..<Self.size {
      let code = (lanes.values[place] * inverse).roundedToEven().within(Self.codeRange)
      let weighted = lanes.importance[place] * code
      wqq += weighted * code
      wqx += weighted * lanes.values[place]
    }
    let step = wqx * wqq.inverses
    return (step, step * wqx)
  }

  /// Codes, scales and the factor in turn, each with the least error for the others.
  private mutating func settle() {
    var best = self
    var least = Double.infinity
    for _ in 0..<Self.rounds {
      let error = chooseScales()
      if error < least {
        least = error
        best = self
      }
      fitFactor()
    }
    self = best
    codes = currentCodes()
  }

  /// Moves the scale of each group by at most one to where the error is least; returns the error.
  private mutating func chooseScales() -> Double {
    let old = scales
    var least = Lanes(repeating: .infinity)
    for change in -1...1 {
      let tried = (old + Float(change)).within(Self.scaleRange)
      let step = factor * tried
      let inverse = Self.inverse(of: step)
      var error = Lanes(repeating: 0)
      for place in 0..<Self.size {
        let value = lanes.values[place]
        let off = step * (value * inverse).roundedToEven().within(Self.codeRange) - value
        error += lanes.importance[place] * off * off
      }
      let isBetter = error .< least
      least.replace(with: error, where: isBetter)
      scales.replace(with: tried, where: isBetter)
    }
    return (0..<Lanes.width).reduce(0) { $0 + Double(least[$1]) }
  }

  private static func inverse(of step: Lanes) -> Lanes {
    (1 / step).replacing(with: 0, where: step.magnitudes .< 1e-35)
  }

  private func currentCodes() -> [Lanes] {
    let inverse = Self.inverse(of: factor * scales)
    return lanes.values.map { ($0 * inverse).roundedToEven().within(Self.codeRange) }
  }

  private mutating func fitFactor() {
    var (square, product) = (Lanes(repeating: 0), Lanes(repeating: 0))
    for (place, code) in currentCodes().enumerated() {
      let number = scales * code
      square += lanes.importance[place] * number * number
      product += lanes.importance[place] * number * lanes.values[place]
    }
    let sums = (0..<Lanes.width).reduce((0.0, 0.0)) {
      ($0.0 + Double(square[$1]), $0.1 + Double(product[$1]))
    }
    if sums.0 > 0 { factor = Float(sums.1 / sums.0).asHalf }
  }

  // MARK: Bytes

  /// Writes the super-block: in each half the low four bits of the codes, then their upper two, the
  /// scales and the factor.
  func write(into bytes: UnsafeMutableRawBufferPointer) {
    let all = (0..<Lanes.width).flatMap { GroupLanes.bytes(codes.map { $0 + 32 }, ofLane: $0) }
    for half in 0..<2 {
      for place in 0..<32 {
        let code = (0..<4).map { all[half * 128 + $0 * 32 + place] }
        bytes[half * 64 + place] = code[0] & 15 | (code[2] & 15) << 4
        bytes[half * 64 + 32 + place] = code[1] & 15 | (code[3] & 15) << 4
        bytes[128 + half * 32 + place] =
          code[0] >> 4 | (code[1] >> 4) << 2 | (code[2] >> 4) << 4 | (code[3] >> 4) << 6
      }
    }
    for group in 0..<Lanes.width {
      bytes[192 + group] = UInt8(bitPattern: Int8(scales[group]))
    }
    bytes.storeHalf(factor, at: 208)
  }
}

extension Lanes {
  /// Lane by lane the nearest number of a range.
  @inline(__always)
  fileprivate func within(_ range: ClosedRange<Float>) -> Lanes {
    atLeast(Lanes(repeating: range.lowerBound)).atMost(Lanes(repeating: range.upperBound))
  }
}
