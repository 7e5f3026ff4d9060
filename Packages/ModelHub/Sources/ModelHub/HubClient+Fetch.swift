import Foundation

extension HubClient {
  /// Brings files of a repository into the cache, as far as they are not there; what an earlier run
  /// began goes on.
  ///
  /// A branch or tag stands at the commit only when all files are there, so that a snapshot in use
  /// is never replaced by half of another.
  ///
  /// - Parameters:
  ///   - files: some of the listing's files.
  ///   - listing: the commit.
  ///   - shows: told how far it is, some times a second.
  /// - Returns: the folder of the snapshot.
  /// - Throws: `HubError`; `noSpace` before anything is written.
  @discardableResult
  public func fetch(
    _ files: [HubFile], of listing: HubListing, shows: (FetchProgress) -> Void = { _ in }
  ) throws(HubError) -> URL {
    let cache = settings.cache
    let repository = listing.repository
    // Files with the same content are one.
    var wanted: [String: HubFile] = [:]
    let absent = files.filter { !cache.has($0, repository, commit: listing.commit) }
    let distinct = absent.filter { wanted.updateValue($0, forKey: $0.etag) == nil }
    try cache.prepare(for: listing)
    if !distinct.isEmpty {
      if let by = settings.offlineBy { throw .offline(repository: repository.description, by: by) }
      let needed = distinct.reduce(0) { $0 + $1.size - cache.begun($1, repository) }
      if let free = HubCache.freeBytes(at: cache.root), needed > free {
        throw .noSpace(folder: cache.root.path, needed: needed, free: free)
      }
      try TreeFile.write(listing, in: cache)
      try Fetch(distinct, listing, self).run(shows)
      for file in absent { try cache.link(file, repository, commit: listing.commit) }
    }
    try cache.setReference(repository, to: listing.commit)
    return cache.snapshot(of: repository, commit: listing.commit)
  }

  /// Files of the listing that are not in the cache.
  public func absent(_ files: [HubFile], of listing: HubListing) -> [HubFile] {
    files.filter { !settings.cache.has($0, listing.repository, commit: listing.commit) }
  }
}
