import Foundation
import Tensors

/// The values that the codes of one group stand for, in 16 rows: `scale * (code - zero)`.
struct GroupGrid {
  var scale: Lanes
  var zero: Lanes
  let maxCode: Float

  /// The codes nearest to `weights`, as floats: `clamp(rint(w / scale) + zero, 0, maxCode)` for
  /// integer zeros.
  @inline(__always)
  func codes(for weights: Lanes) -> Lanes {
    // The bounds are integers, so that clamping first gives the same, and keeps the rounding in
    // range.
    let steps = (weights / scale).atLeast(-zero).atMost(maxCode - zero)
    return steps.roundedToEven() + zero
  }

  /// The weights that `codes` stand for.
  @inline(__always)
  func weights(for codes: Lanes) -> Lanes { scale * (codes - zero) }
}

extension QuantizationScheme {
  /// Finds the grid of one group in 16 rows.
  func fitGrid(_ group: ColumnGroup) -> GroupGrid {
    var low = Lanes.zero
    var high = Lanes.zero
    for column in 0..<group.count {
      let weights = group.weights(column)
      low = low.atMost(weights)
      high = high.atLeast(weights)
    }
    // A group of zeros gets a scale as if it reached to 1; any finite one would do.
    let empty = (low .== 0) .& (high .== 0)
    high.replace(with: 1, where: empty)
    if grid == .asymmetric {
      low.replace(with: -1, where: empty)
    } else {
      high = high.atLeast(-low)
    }
    let whole = gridSpanning(low, high)
    guard scaleSearch == .leastError else { return whole }

    var best = whole
    var leastError = Lanes(repeating: .infinity)
    for step in 0..<80 {
      let shrink = 1 - Float(step) / 100
      let candidate = gridSpanning(shrink * low, shrink * high)
      var error = Lanes.zero
      for column in 0..<group.count {
        let weights = group.weights(column)
        let difference = candidate.weights(for: candidate.codes(for: weights)) - weights
        for lane in 0..<Lanes.width { error[lane] += pow(abs(difference[lane]), 2.4) }
      }
      let better = error .< leastError
      leastError.replace(with: error, where: better)
      best.scale.replace(with: candidate.scale, where: better)
      best.zero.replace(with: candidate.zero, where: better)
    }
    return best
  }

  /// The grid for weights between `low` and `high`; the symmetric ones use `high` alone.
  private func gridSpanning(_ low: Lanes, _ high: Lanes) -> GroupGrid {
    switch grid {
    case .symmetric:
      return GroupGrid(
        scale: storable(high / (maxCode / 2)), zero: Lanes(repeating: middleCode), maxCode: maxCode)
    case .absmax:
      return GroupGrid(
        scale: storable(high / (middleCode - 1)), zero: Lanes(repeating: middleCode),
        maxCode: maxCode)
    case .asymmetric:
      let scale = storable((high - low) / maxCode)
      let zero = (-low / scale).atLeast(.zero).atMost(Lanes(repeating: maxCode))
      return GroupGrid(scale: scale, zero: zero.roundedToEven(), maxCode: maxCode)
    }
  }

  /// Scales rounded to nearest even in the type they are stored in, and never zero or so small that
  /// a weight divided by them overflows. Infinite where they are too large for the type.
  func storable(_ scales: Lanes) -> Lanes {
    var rounded = scales
    for lane in 0..<Lanes.width { rounded[lane] = storable(scales[lane]) }
    return rounded
  }

  /// One scale; see above.
  func storable(_ scale: Float) -> Float {
    switch scaleType {
    case .f16:
      return max(Float(Float16(scale)), Float(Float16.leastNonzeroMagnitude))
    case .bf16:
      let (bits, overflow) = scale.bitPattern.addingReportingOverflow(
        0x7FFF + (scale.bitPattern >> 16 & 1))
      guard scale.isFinite, !overflow else { return scale }
      return max(Float(bitPattern: bits & 0xFFFF_0000), .leastNormalMagnitude)
    default:
      return max(scale, .leastNormalMagnitude)
    }
  }
}
