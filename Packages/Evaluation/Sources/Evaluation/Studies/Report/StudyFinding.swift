/// One of the six findings of arXiv:2510.10964, tested on a study's data.
public struct StudyFinding: Sendable, Hashable, Codable {
  /// What the data says of it.
  public enum Verdict: String, Sendable, Hashable, Codable {
    /// The data agree.
    case holds
    /// The data disagree.
    case fails = "does not hold"
    /// Other problems of the same kind might say otherwise.
    case open = "undecided"
    /// The study lacks what it takes to say.
    case unknown = "not enough data"
  }

  /// A number that a finding rests on.
  public struct Measure: Sendable, Hashable, Codable {
    /// What it is.
    public let name: String
    /// As measured.
    public let value: Double
    /// What is written behind the number.
    public let unit: String
    /// The 95 % interval over problems; nil where the scores of single problems are not known.
    public var interval: ClosedRange<Double>?

    /// A number without its interval.
    init(_ name: String, _ value: Double, unit: String = "") {
      self.name = name
      self.value = value
      self.unit = unit
    }

    /// The number in words, with one decimal at most, or two below 10.
    var text: String {
      func rounded(_ value: Double) -> String {
        let scale: Double = abs(value) < 10 ? 100 : 10
        let text = "\((value * scale).rounded() / scale + 0)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
      }
      let range = interval.map { " (\(rounded($0.lowerBound)) to \(rounded($0.upperBound)))" } ?? ""
      return "\(name) \(rounded(value))\(unit)\(range)"
    }
  }

  /// Its number, 1 to 6.
  public let number: Int
  /// What the paper found, in short.
  public let claim: String
  /// What the data says of it.
  public let verdict: Verdict
  /// The share of resamples of the problems in which it holds; nil where there are none.
  public let support: Double?
  /// The numbers it rests on.
  public let measures: [Measure]
  /// What is missing; empty where nothing is.
  public let lack: String

  /// The numbers in a sentence, or what is missing.
  public var evidence: String {
    guard lack.isEmpty else { return lack }
    let share = support.map { "; holds in \(StudyPoint.percent($0)) % of resamples" } ?? ""
    return measures.map(\.text).joined(separator: ", ") + share + "."
  }
}
