import Tensors

/// Moves pages that are held for long into the room that others have left between them, so that
/// memory goes back of which few pages are used. A page that several caches share moves once, and
/// stays shared.
public struct PageMoves {
  /// Pages that have moved; the old ones live on until all caches have been asked.
  private var moved: [ObjectIdentifier: (old: KVPage, new: KVPage)] = [:]

  /// Moves of the pages that a meter counts; nil where less than so many bytes would go back.
  public init?(_ meter: KVMeter, worth bytes: Int) {
    guard meter.memory.closeSparse(worth: bytes) else { return nil }
  }

  /// Moves the pages of a cache that lie in memory which is to go back.
  ///
  /// - Throws: `TensorError.outOfMemory`; the pages that have not moved then stay where they are.
  public mutating func move(_ cache: inout KVCache) throws(TensorError) {
    for layer in cache.layers.indices {
      for index in cache.layers[layer].pages.indices {
        guard let new = try moved(cache.layers[layer].pages[index]) else { continue }
        cache.layers[layer].pages[index] = new
      }
      for index in cache.layers[layer].staged.indices {
        guard let new = try moved(cache.layers[layer].staged[index].page) else { continue }
        cache.layers[layer].staged[index].page = new
      }
    }
  }

  /// The page that a page has become; nil for one that stays.
  private mutating func moved(_ page: KVPage) throws(TensorError) -> KVPage? {
    if let known = moved[ObjectIdentifier(page)] { return known.new }
    guard page.isToMove else { return nil }
    let new = try page.copy()
    moved[ObjectIdentifier(page)] = (page, new)
    return new
  }
}
