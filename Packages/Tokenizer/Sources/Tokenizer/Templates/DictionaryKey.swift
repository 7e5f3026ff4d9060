import JSON

/// The keys of template dictionaries, which may be numbers and `none` besides strings.
///
/// Each is stored as one string; those that are no strings begin with NUL. As in Python 1, 1.0 and
/// `true` are one key.
enum DictionaryKey {
  /// What a value is stored under; nil for values that cannot be keys.
  static func name(of value: RuntimeValue) -> String? {
    switch value {
    case .string(let text): text.utf8.first == 0 ? "\0s" + text : text
    case .none: "\0n"
    case .number(let number) where Int(exactly: number) == nil: "\0d\(number.bitPattern)"
    case .number(let number): Int(exactly: number).map { "\0i\($0)" }
    default: value.asInteger.map { "\0i\($0)" }
    }
  }

  /// The value that is stored under a name.
  static func value(of name: String) -> RuntimeValue {
    guard name.utf8.first == 0 else { return .string(name) }
    let rest = String(name.dropFirst(2))
    switch name.dropFirst().first {
    case "i": return .integer(Int(rest) ?? 0)
    case "d": return .number(Double(bitPattern: UInt64(rest) ?? 0))
    case "n": return .none
    default: return .string(rest)
    }
  }
}

extension RuntimeDictionary {
  /// The keys in order.
  var keys: [RuntimeValue] { members.keys.map(DictionaryKey.value) }
}
