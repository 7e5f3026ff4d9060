/// The evaluated arguments of a call, filter or test, and where it stands.
struct TemplateCall {
  let name: String
  let line: Int
  let positional: [RuntimeValue]
  let named: [(name: String, value: RuntimeValue)]

  /// The argument at `index` or called `name`; nil when it is not given.
  func argument(_ index: Int, _ name: String) -> RuntimeValue? {
    if positional.indices ~= index { return positional[index] }
    return named.first { $0.name == name }?.value
  }

  /// An argument that must be given.
  func required(_ index: Int, _ name: String) throws(TokenizerError) -> RuntimeValue {
    guard let value = argument(index, name) else { throw failed("needs the argument '\(name)'") }
    return value
  }

  /// A string argument that must be given.
  func string(_ index: Int, _ name: String) throws(TokenizerError) -> String {
    guard case .string(let text) = try required(index, name) else {
      throw failed("needs a string as '\(name)'")
    }
    return text
  }

  /// A string argument; nil when it is not given or none.
  func optionalString(_ index: Int, _ name: String) throws(TokenizerError) -> String? {
    switch argument(index, name) {
    case nil, .some(.none): return nil
    default: return try string(index, name)
    }
  }

  /// An integer argument; `absent` when it is not given or none.
  func integer(_ index: Int, _ name: String, default absent: Int) throws(TokenizerError) -> Int {
    switch argument(index, name) {
    case nil, .some(.none): return absent
    case .some(let value):
      guard let integer = value.asInteger else { throw failed("needs an integer as '\(name)'") }
      return integer
    }
  }

  /// A flag; `absent` when it is not given.
  func flag(_ index: Int, _ name: String, default absent: Bool) -> Bool {
    argument(index, name)?.isTrue ?? absent
  }

  func failed(_ reason: String) -> TokenizerError {
    .templateFailed(line: line, reason: "\(name): \(reason)")
  }
}
