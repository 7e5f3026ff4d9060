/// One step of text clean-up before splitting (`normalizer` in `tokenizer.json`).
enum Normalizer: Sendable, Equatable {
  /// Unicode normalization form C.
  case nfc
  /// Puts text in front of any non-empty text.
  case prepend(String)
  /// Replaces every occurrence of one string by another.
  case replace(String, with: String)

  /// The changed text, or nil when the text (valid UTF-8) stays as it is.
  func apply(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    switch self {
    case .nfc: CanonicalComposition.compose(text)
    case .prepend(let prefix): text.isEmpty ? nil : Array(prefix.utf8) + text
    case .replace(let old, let new): Self.replace(text, Array(old.utf8), Array(new.utf8))
    }
  }

  private static func replace(
    _ text: UnsafeBufferPointer<UInt8>, _ old: [UInt8], _ new: [UInt8]
  ) -> [UInt8]? {
    guard let first = old.first, text.contains(first) else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 4)
    var position = 0
    while position < text.count {
      if text[position] == first, text[position...].starts(with: old) {
        result.append(contentsOf: new)
        position += old.count
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }
}

extension [Normalizer] {
  /// Calls `body` with the text after all steps; the bytes are valid inside `body`.
  func normalize<Result>(
    _ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    var changed: [UInt8]?
    for step in self {
      if let current = changed {
        changed = current.withUnsafeBufferPointer { step.apply($0) } ?? current
      } else {
        changed = step.apply(text)
      }
    }
    return changed?.withUnsafeBufferPointer(body) ?? body(text)
  }
}
