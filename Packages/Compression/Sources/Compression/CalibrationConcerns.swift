/// Why token sequences may be too little, or too much alike, to calibrate with.
public enum CalibrationConcerns {
  /// Fewer tokens than this leave most directions of a layer's inputs unseen.
  public static let fewestTokens = 2048
  /// Fewer different tokens than this are no text.
  private static let fewestDifferent = 16

  /// Looks for what a reader should know.
  ///
  /// - Parameters:
  ///   - sequences: calibration tokens.
  ///   - inputs: the widest layer's inputs: with fewer tokens than these the second moments that
  ///     GPTQ inverts have no full rank.
  /// - Returns: a sentence each; none for sequences that are good enough.
  public static func of(_ sequences: [[Int32]], inputs: Int) -> [String] {
    var concerns: [String] = []
    let total = sequences.reduce(0) { $0 + $1.count }
    var counts: [Int32: Int] = [:]
    for id in sequences.joined() { counts[id, default: 0] += 1 }
    if total < fewestTokens {
      concerns.append(
        "\(total) tokens of calibration are too few (less than \(fewestTokens)): the error below is "
          + "that of this text, not of the model at work")
    } else if total < inputs {
      concerns.append(
        "\(total) tokens of calibration are fewer than the \(inputs) inputs of the widest layer")
    }
    let (token, most) = counts.max { ($0.value, $1.key) < ($1.value, $0.key) } ?? (0, 0)
    if 2 * most > total {
      concerns.append(
        "token \(token) is \(100 * most / max(total, 1)) % of the calibration: it shows the model "
          + "hardly anything else")
    } else if counts.count < fewestDifferent {
      concerns.append("the calibration holds only \(counts.count) different tokens")
    }
    return concerns
  }
}
