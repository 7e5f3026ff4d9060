/// When a thought is long enough: the last probes of its answer agree.
///
/// A probe demands the answer at a length of the thought, beside the thought, which goes on. The
/// rule looks at the probes by growing length, so that where a thought stops depends on the thought
/// alone.
public struct StableAnswer: Sendable, Hashable {
  /// Probes in a row that have to agree, at least 2.
  public let agreeing: Int

  /// Nil for fewer than two probes.
  public init?(agreeing: Int) {
    guard agreeing >= 2 else { return nil }
    self.agreeing = agreeing
  }

  /// Reads `stable:` and the number of probes; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "stable", let agreeing = Int(parts[1]) else { return nil }
    self.init(agreeing: agreeing)
  }

  /// Which probe ends the thought.
  ///
  /// - Parameters:
  ///   - answers: what the probes from the first on answered; nil for no answer, which agrees with
  ///     none.
  ///   - areEqual: whether two ways to write an answer mean the same.
  /// - Returns: An index; nil where no probe ends it.
  public func stop(_ answers: [String?], areEqual: (String, String) -> Bool) -> Int? {
    var run = 0
    for (index, answer) in answers.enumerated() {
      guard let answer else {
        run = 0
        continue
      }
      let before = index > 0 ? answers[index - 1] : nil
      run = before.map { areEqual($0, answer) } == true ? run + 1 : 1
      if run == agreeing { return index }
    }
    return nil
  }
}

extension StableAnswer: CustomStringConvertible {
  /// As it is parsed.
  public var description: String { "stable:\(agreeing)" }
}
