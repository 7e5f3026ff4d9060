/// The working memory of one encoding: the cache, the symbols, and the merge queue.
///
/// Used by one thread at a time; ``ScratchPool`` hands them out.
final class BPEScratch {
  let cache = PieceCache()
  /// The symbols of the piece being merged.
  var symbols: [Int32] = []
  let shortMerger = ShortMerger()
  var queue = MergeQueue()
}
