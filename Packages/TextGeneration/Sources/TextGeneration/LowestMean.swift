/// The lowest mean of a number of values in a row, as they come.
///
/// Of log-probabilities it says how sure a model was of a text where it was least sure: the lowest
/// group confidence of DeepConf (Fu et al., arXiv:2508.15260, section 3.1), of the tokens that were
/// drawn in place of the likeliest ones.
struct LowestMean {
  private let window: Int
  /// The last values, the oldest at `next` once there are `window` of them.
  private var recent: [Double] = []
  private var next = 0
  private var sum = 0.0
  private var lowest = Double.infinity

  /// Means are taken over `window` values, at least 1.
  init(of window: Int) { self.window = max(window, 1) }

  /// Takes the next value.
  mutating func take(_ value: Double) {
    sum += value
    if recent.count < window {
      recent.append(value)
    } else {
      sum -= recent[next]
      recent[next] = value
      next = (next + 1) % window
    }
    if recent.count == window { lowest = min(lowest, sum / Double(window)) }
  }

  /// The lowest mean; of all values where they fill no window, and nil of none.
  var value: Double? {
    if recent.isEmpty { return nil }
    return recent.count < window ? sum / Double(recent.count) : lowest
  }
}
