/// Texts that end a reply wherever they come up; they are not part of it.
///
/// A reply arrives in pieces: what may be the beginning of a stop string is held back until it is
/// known.
public struct StopStrings: Sendable {
  /// The texts, none of them empty.
  public let strings: [String]
  /// The most bytes of a stop string that somebody from outside may name: each token is looked at
  /// beside all of it.
  public static let longest = 4096
  /// Whether one of them has come up.
  public private(set) var isHit = false
  private var held = ""

  /// Looks for these texts; empty ones are passed over.
  public init(_ strings: [String]) { self.strings = strings.filter { !$0.isEmpty } }

  /// A text up to the first stop string in it; nil where there is none.
  public func cut(_ text: String) -> String? {
    let places = strings.compactMap { Self.place(of: $0, in: text) }
    return places.min().map { String(text[..<$0]) }
  }

  /// Takes the next piece of a reply.
  ///
  /// - Returns: what is certain to belong to it; nothing once a stop string came up.
  public mutating func push(_ piece: String) -> String {
    if strings.isEmpty { return piece }
    if isHit { return "" }
    held += piece
    if let whole = cut(held) {
      isHit = true
      held = ""
      return whole
    }
    let longest = (strings.map(\.count).max() ?? 1) - 1
    var kept = min(longest, held.count)
    while kept > 0, !strings.contains(where: { $0.hasPrefix(held.suffix(kept)) }) { kept -= 1 }
    let sure = String(held.dropLast(kept))
    held = String(held.suffix(kept))
    return sure
  }

  /// What was held back, at the end of a reply.
  public mutating func finish() -> String {
    defer { held = "" }
    return held
  }

  private static func place(of word: String, in text: String) -> String.Index? {
    let word = Array(word)
    var start = text.startIndex
    while start != text.endIndex {
      if text[start...].starts(with: word) { return start }
      start = text.index(after: start)
    }
    return nil
  }
}
