import Kernels

/// The pages of a layer, and beside them what the attention kernel is told of those that a token
/// sees whole. They are listed for every token, and to look into each page would be to wait for
/// memory each time.
///
/// Sendable by rule: what is told of a page points into it, and the page is Sendable.
struct PageList: RandomAccessCollection, @unchecked Sendable {
  private var pages: [KVPage] = []
  /// See `KVPage.whole`.
  private var wholes: [bb_kv_piece?] = []

  var startIndex: Int { 0 }
  var endIndex: Int { pages.count }

  subscript(_ index: Int) -> KVPage {
    get { pages[index] }
    set {
      pages[index] = newValue
      wholes[index] = newValue.whole
    }
  }

  /// All tokens of a page as the kernel takes them, valid while the page is; nil where it holds
  /// both forms.
  func whole(_ index: Int) -> bb_kv_piece? { wholes[index] }

  mutating func append(_ page: KVPage) {
    pages.append(page)
    wholes.append(page.whole)
  }

  mutating func removeLast(_ count: Int) {
    pages.removeLast(count)
    wholes.removeLast(count)
  }

  /// Whether nobody else holds a page.
  mutating func isUnique(_ index: Int) -> Bool { isKnownUniquelyReferenced(&pages[index]) }
}
