import ArgumentParser
import Tensors

/// What `--numerics` says: numerics, `auto` for the default of the weights, or `fast` for what this
/// processor does fastest.
public enum NumericsChoice: ExpressibleByArgument, Sendable {
  /// By the bits of the weights; the same on every processor.
  case auto
  /// By the bits of the weights and the processor.
  case fast
  /// These.
  case given(Numerics)

  /// Reads `auto`, `fast` or the name of numerics.
  public init?(argument: String) {
    switch argument {
    case "auto": self = .auto
    case "fast": self = .fast
    default:
      guard let numerics = Numerics(rawValue: argument) else { return nil }
      self = .given(numerics)
    }
  }

  /// The numerics that were given; nil where the program chooses.
  public var value: Numerics? {
    guard case .given(let numerics) = self else { return nil }
    return numerics
  }

  /// For help.
  public var defaultValueDescription: String {
    switch self {
    case .auto: "auto"
    case .fast: "fast"
    case .given(let numerics): numerics.rawValue
    }
  }

  /// For help and completion.
  public static var allValueStrings: [String] {
    ["auto", "fast"] + Numerics.allCases.map(\.rawValue)
  }
}
