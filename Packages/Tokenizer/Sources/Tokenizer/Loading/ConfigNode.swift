import JSON

/// A JSON value and where it came from, so that a wrong type is reported with file and key path.
struct ConfigNode {
  let value: JSONValue
  let file: String
  let key: String

  /// The member `name`; nil when absent or null.
  subscript(name: String) -> ConfigNode? {
    guard let member = value[name], !member.isNull else { return nil }
    return ConfigNode(value: member, file: file, key: key.isEmpty ? name : "\(key).\(name)")
  }

  func required(_ name: String) throws(TokenizerError) -> ConfigNode {
    guard case .object = value else { throw wrongType(.object) }
    guard let member = self[name] else {
      throw .missingKey(file: file, key: key.isEmpty ? name : "\(key).\(name)")
    }
    return member
  }

  func string() throws(TokenizerError) -> String {
    guard let string = value.string else { throw wrongType(.string) }
    return string
  }

  func bool() throws(TokenizerError) -> Bool {
    guard let bool = value.bool else { throw wrongType(.bool) }
    return bool
  }

  /// A whole number that can be an id.
  func id() throws(TokenizerError) -> Int32 {
    guard let integer = value.integer else { throw wrongType(.number) }
    guard 0...PieceTable.maximumID ~= integer else {
      throw .invalidValue(
        file: file, key: key, reason: "id \(integer) is outside 0...\(PieceTable.maximumID)")
    }
    return Int32(integer)
  }

  func elements() throws(TokenizerError) -> [ConfigNode] {
    guard let array = value.array else { throw wrongType(.array) }
    return array.enumerated().map { index, element in
      ConfigNode(value: element, file: file, key: "\(key)[\(index)]")
    }
  }

  /// The flag `name`, false when absent.
  func flag(_ name: String, default absent: Bool = false) throws(TokenizerError) -> Bool {
    try self[name]?.bool() ?? absent
  }

  func wrongType(_ expected: JSONKind) -> TokenizerError {
    .invalidValue(
      file: file, key: key,
      reason: "expected \(expected.rawValue), found \(value.kind.rawValue)")
  }

  func unsupported(_ value: String) -> TokenizerError {
    .unsupported(file: file, key: key, value: value)
  }
}
