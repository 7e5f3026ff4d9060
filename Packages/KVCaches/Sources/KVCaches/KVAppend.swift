import KVLayout
import Kernels

/// Slots that a cache has reserved for new tokens. Their keys and values are stored afterwards, any
/// KV head by any thread, since heads share no bytes. The cache may be read once all heads are
/// stored.
///
/// Sendable by rule: a worker stores heads of its own, in pages that no other sequence holds.
public struct KVAppend: @unchecked Sendable {
  /// What is to be done in every KV head, in order.
  private enum Step {
    /// Store consecutive tokens in a page that still takes tokens, from a slot on.
    case store(Range<Int>, page: KVPage, slot: Int)
    /// Fill a page with the tokens of another one, in other formats.
    case convert(KVPage, to: KVPage)
    /// Round tokens of a page that holds both forms.
    case encode(KVPage, from: CodedTokens, to: CodedTokens)
  }

  private let shape: KVShape
  private let rotation: KVRotation?
  private var steps: [Step] = []
  /// Pages that nobody else holds, apart from the steps.
  private var owned: [ObjectIdentifier] = []

  init(shape: KVShape, rotation: KVRotation?) {
    self.shape = shape
    self.rotation = rotation
  }

  /// Whether this page may be written though the steps hold it too.
  func owns(_ page: KVPage) -> Bool { owned.contains(ObjectIdentifier(page)) }

  mutating func own(_ page: KVPage) { owned.append(ObjectIdentifier(page)) }

  mutating func store(_ token: Int, in page: KVPage, slot: Int) {
    if case .store(let tokens, let last, let first) = steps.last, last === page {
      steps[steps.count - 1] = .store(tokens.lowerBound..<token + 1, page: page, slot: first)
    } else {
      steps.append(.store(token..<token + 1, page: page, slot: slot))
    }
  }

  mutating func convert(_ page: KVPage, to other: KVPage) {
    own(other)
    steps.append(.convert(page, to: other))
  }

  mutating func encode(_ page: KVPage, to coded: CodedTokens) {
    steps.append(.encode(page, from: page.coded, to: coded))
    page.coded = coded
  }

  /// Puts the entries of some KV heads in their places. `keys` and `values` hold all of the tokens
  /// and heads, `[tokens, kvHeads, dimension]`.
  public func put(
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, heads: Range<Int>
  ) {
    let (dimension, stride) = (shape.headDimension, shape.kvHeads * shape.headDimension)
    for head in heads {
      for step in steps {
        switch step {
        case .store(let tokens, let page, let slot):
          for token in tokens {
            let at = token * stride + head * dimension
            page.store(
              head: head, key: keys + at, value: values + at,
              slot: slot + token - tokens.lowerBound,
              rotation: rotation)
          }
        case .convert(let page, let other): other.fill(head: head, from: page)
        case .encode(let page, let from, let to): page.encode(head: head, from: from, to: to)
        }
      }
    }
  }
}
