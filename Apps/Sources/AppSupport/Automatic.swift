import ArgumentParser

/// The value of a flag, or `auto`, which leaves the choice to the program.
public enum Automatic<Value: RawRepresentable<String> & CaseIterable & Sendable>:
  ExpressibleByArgument, Sendable
{
  /// The program chooses.
  case auto
  /// This value.
  case given(Value)

  private static var name: String { "auto" }

  /// Reads `auto` or the name of a value.
  public init?(argument: String) {
    if argument == Self.name {
      self = .auto
    } else if let value = Value(rawValue: argument) {
      self = .given(value)
    } else {
      return nil
    }
  }

  /// The value that was given; nil for `auto`.
  public var value: Value? {
    guard case .given(let value) = self else { return nil }
    return value
  }

  /// For help.
  public var defaultValueDescription: String { value?.rawValue ?? Self.name }

  /// For help and completion.
  public static var allValueStrings: [String] { [name] + Value.allCases.map(\.rawValue) }
}
