import Kernels

/// The pages of a layer by their place in the sequence, of which the first may have been let go of,
/// and beside them what the attention kernel is told of those that a token sees whole. They are
/// listed for every token, and to look into each page would be to wait for memory each time.
///
/// Sendable by rule: what is told of a page points into it, and the page is Sendable.
struct PageList: RandomAccessCollection, @unchecked Sendable {
  /// The first page that is held.
  private(set) var startIndex = 0
  private var pages: [KVPage] = []
  /// See `KVPage.whole`.
  private var wholes: [bb_kv_piece?] = []

  var endIndex: Int { startIndex + pages.count }

  subscript(_ index: Int) -> KVPage {
    get { pages[index - startIndex] }
    set {
      pages[index - startIndex] = newValue
      wholes[index - startIndex] = newValue.whole
    }
  }

  /// All tokens of a page as the kernel takes them, valid while the page is; nil where it holds
  /// both forms.
  func whole(_ index: Int) -> bb_kv_piece? { wholes[index - startIndex] }

  mutating func append(_ page: KVPage) {
    pages.append(page)
    wholes.append(page.whole)
  }

  /// Lets go of the pages from `end` on.
  mutating func remove(from end: Int) {
    pages.removeLast(endIndex - end)
    wholes.removeLast(wholes.count - pages.count)
  }

  /// Lets go of the pages before `start`.
  mutating func remove(before start: Int) {
    guard start > startIndex else { return }
    pages.removeFirst(start - startIndex)
    wholes.removeFirst(start - startIndex)
    startIndex = start
  }

  /// Whether nobody else holds a page.
  mutating func isUnique(_ index: Int) -> Bool {
    isKnownUniquelyReferenced(&pages[index - startIndex])
  }
}
