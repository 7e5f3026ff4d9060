/// What can be wrong with a question to the planner.
public enum PlannerError: Error, Equatable, CustomStringConvertible {
  /// A number or word that means nothing; `expected` says what would.
  case invalid(name: String, value: String, expected: String)
  /// No configuration fits into `memory` bytes; `configuration` takes the least of all, `least`
  /// bytes.
  case nothingFits(memory: Int, least: Int, configuration: String)
  /// The one configuration that was asked about takes more than `memory` bytes.
  case tooLarge(configuration: String, bytes: Int, memory: Int)
  /// Nothing that fits answers within `seconds`; `configuration` is the fastest, `least` seconds.
  case tooSlow(seconds: Double, least: Double, configuration: String)

  /// One sentence with the values.
  public var description: String {
    switch self {
    case .invalid(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .nothingFits(let memory, let least, let configuration):
      "nothing fits into \(ByteCount(memory)); the least that would is \(ByteCount(least)): \(configuration)"
    case .tooSlow(let seconds, let least, let configuration):
      "nothing that fits answers within \(Self.text(seconds)) s; the fastest takes \(Self.text(least.rounded(.up))) s: \(configuration)"
    case .tooLarge(let configuration, let bytes, let memory):
      "\(configuration) takes \(ByteCount(bytes)) of \(ByteCount(memory))"
    }
  }

  /// Seconds, of which there may be more than a whole number holds.
  private static func text(_ seconds: Double) -> String {
    Int(exactly: seconds).map(String.init) ?? "\(seconds)"
  }
}
