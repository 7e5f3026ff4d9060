/// Says which tokens may come next, so that a text keeps to a grammar.
///
/// A constraint is the state of one text: a batch copies it, and tells it every token that is
/// appended.
public protocol TokenConstraint: Sendable {
  /// Takes a token that was appended, drawn or put in.
  mutating func take(_ id: Int32)

  /// The tokens that may be drawn next, a bit for each id from the lowest of the first word on; nil
  /// for all.
  func allowed() -> [UInt64]?
}

extension [UInt64] {
  /// Logits in which tokens whose bit is not set have no chance, unless none would be left.
  func masked(_ logits: UnsafeBufferPointer<Float>) -> [Float] {
    var masked = [Float](logits)
    func isSet(_ id: Int) -> Bool { id >> 6 < count && self[id >> 6] >> (id & 63) & 1 == 1 }
    guard logits.indices.contains(where: isSet) else { return masked }
    for id in masked.indices where !isSet(id) { masked[id] = -.greatestFiniteMagnitude }
    return masked
  }
}
