/// How much of a reference's words a text has (Lin, "ROUGE", 2004), as the package `rouge_score`
/// counts without its stemmer.
public struct Rouge: Sendable, Hashable {
  /// Precision, recall and their harmonic mean, 0 to 1.
  public struct Score: Sendable, Hashable {
    /// The share of the candidate that the reference has.
    public let precision: Double
    /// The share of the reference that the candidate has.
    public let recall: Double

    /// The harmonic mean of both; 0 where both are.
    public var f1: Double {
      precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }

    init(common: Int, candidate: Int, reference: Int) {
      precision = Double(common) / Double(max(candidate, 1))
      recall = Double(common) / Double(max(reference, 1))
    }
  }

  /// Words.
  public let one: Score
  /// Pairs of words that follow each other.
  public let two: Score
  /// The longest sequence of words that both have in the same order.
  public let longest: Score

  /// Compares a candidate with a reference. Words are runs of the letters a to z and digits, in
  /// lower case: a text without any has a score of 0.
  ///
  /// Cost: the product of both lengths in words, memory that of one.
  public init(_ candidate: String, reference: String) {
    let (left, right) = (Self.words(candidate), Self.words(reference))
    one = Self.grams(left, right, 1)
    two = Self.grams(left, right, 2)
    longest = Score(
      common: left.isEmpty || right.isEmpty ? 0 : Self.longestCommon(left, right),
      candidate: left.count, reference: right.count)
  }

  private static func words(_ text: String) -> [[UInt8]] {
    // Characters beyond ASCII end words, in upper case too.
    text.lowercased().utf8.split { byte in
      !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }.map(Array.init)
  }

  private static func grams(_ left: [[UInt8]], _ right: [[UInt8]], _ size: Int) -> Score {
    func counts(_ words: [[UInt8]]) -> [ArraySlice<[UInt8]>: Int] {
      guard words.count >= size else { return [:] }
      return (0...words.count - size).reduce(into: [:]) {
        $0[words[$1..<$1 + size], default: 0] += 1
      }
    }
    let (candidate, reference) = (counts(left), counts(right))
    let common = reference.reduce(0) { $0 + min($1.value, candidate[$1.key] ?? 0) }
    return Score(
      common: common, candidate: max(0, left.count - size + 1),
      reference: max(0, right.count - size + 1))
  }

  private static func longestCommon(_ left: [[UInt8]], _ right: [[UInt8]]) -> Int {
    var last = [Int](repeating: 0, count: right.count + 1)
    var row = last
    for word in left {
      for (place, other) in right.enumerated() {
        row[place + 1] = word == other ? last[place] + 1 : max(last[place + 1], row[place])
      }
      swap(&last, &row)
    }
    return last[right.count]
  }
}
