import Foundation

/// Where the resource folders of packages may lie.
///
/// The accessor that the package manager generates ends the process where a folder is missing;
/// looking by hand allows installed programs and clear messages.
public struct ResourceSearch: Sendable, Hashable {
  /// Folders that may hold the resource bundles, the likeliest first.
  public let places: [URL]

  /// The usual places.
  ///
  /// - Parameters:
  ///   - explicit: a folder that the user named.
  ///   - executable: the running program, perhaps a link: bundles may lie beside the link, beside
  ///     the program, or in `../share/bitbudget` seen from either.
  ///   - bundle: the resource folder of the program's own bundle.
  public init(
    explicit: URL? = nil, executable: URL? = Bundle.main.executableURL,
    bundle: URL? = Bundle.main.resourceURL
  ) {
    var places = [explicit].compactMap(\.self)
    for program in [executable, executable?.resolvingSymlinksInPath()].compactMap(\.self) {
      let beside = program.deletingLastPathComponent()
      places += [beside, beside.deletingLastPathComponent().appending(path: "share/bitbudget")]
    }
    places += [bundle].compactMap(\.self)
    var seen: Set<String> = []
    self.places = places.map(\.standardizedFileURL).filter { seen.insert($0.path).inserted }
  }

  /// Every folder that may hold the resources of a package. The bundle is named after what was
  /// built: the distribution, or the package alone.
  public func folders(of package: String) -> [URL] {
    places.flatMap { place in
      ["BitBudget_\(package)", "\(package)_\(package)"].flatMap { name in
        ["resources", "bundle"].map { place.appending(path: "\(name).\($0)/Resources") }
      }
    }
  }

  /// The file or folder of that name in the first folder of a package that has it.
  public func url(of name: String, in package: String) -> URL? {
    folders(of: package).map { $0.appending(path: name) }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }
}
