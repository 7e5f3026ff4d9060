/// A text that goes round in circles at its end, as models do whose cache was cut too far, or that
/// are sampled too greedily.
public struct RepetitionLoop: Sendable, Hashable {
  /// What comes again and again.
  public let unit: String
  /// How often it stands at the end.
  public let times: Int

  /// Longest unit that is looked for, in characters.
  private static let longestUnit = 240
  /// Fewest repetitions, and characters they must cover: a rule of dashes or a row of a table is no
  /// loop.
  private static let fewest = (times: 6, characters: 96)

  /// Finds the shortest unit whose repetition ends a text; nil for a text that ends otherwise.
  ///
  /// - Parameter text: a reply. The last unit may be cut off. Units without a letter or a digit do
  ///   not count.
  public init?(endOf text: String) {
    let tail = Array(text.suffix(Self.longestUnit * (Self.fewest.times + 1)))
    guard tail.count >= Self.fewest.characters else { return nil }
    for size in 1...Self.longestUnit {
      let last = tail.count - 1
      var same = 0
      while same + size <= last, tail[last - same] == tail[last - same - size] { same += 1 }
      let times = same / size + 1
      guard times >= Self.fewest.times, same + size >= Self.fewest.characters else { continue }
      let unit = tail[(tail.count - size)...]
      guard unit.contains(where: { $0.isLetter || $0.isNumber }) else { return nil }
      self.unit = String(unit)
      self.times = times
      return
    }
    return nil
  }
}
