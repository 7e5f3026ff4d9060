import Foundation

/// The benchmarks that ship with the library.
public struct BenchmarkCatalog: Sendable, Hashable {
  /// The folder with the definitions.
  public let folder: URL

  /// Looks for the folder with the definitions.
  ///
  /// - Parameter resources: Where to look.
  /// - Throws: ``EvaluationError/resourcesMissing(searched:)`` naming all places.
  public init(_ resources: ResourceSearch) throws(EvaluationError) {
    let folders = resources.folders
    var isFolder: ObjCBool = false
    guard
      let found = folders.first(where: {
        FileManager.default.fileExists(atPath: $0.path, isDirectory: &isFolder)
          && isFolder.boolValue
      })
    else { throw .resourcesMissing(searched: folders.map(\.path)) }
    folder = found
  }

  /// The names of all shipped benchmarks, in alphabetical order.
  public var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// A shipped definition by name, or any definition by the path of its file.
  ///
  /// - Parameter name: A name from ``names``, or a path that ends in `.yaml` or `.yml`.
  /// - Returns: The definition.
  /// - Throws: ``EvaluationError`` when there is none or it is wrong.
  public func definition(named name: String) throws(EvaluationError) -> BenchmarkDefinition {
    if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      return try BenchmarkDefinition(contentsOf: URL(filePath: name))
    }
    guard names.contains(name) else { throw .unknownBenchmark(name: name, known: names) }
    return try BenchmarkDefinition(contentsOf: folder.appending(path: "\(name).yaml"))
  }
}

/// Where the library's resource folder may lie.
///
/// The generated accessor of the package manager ends the process where the folder is missing;
/// looking by hand allows installed programs and clear messages.
public struct ResourceSearch: Sendable, Hashable {
  /// Folders that may hold the resource bundle, the likeliest first.
  public var places: [URL]

  /// The usual places.
  ///
  /// - Parameters:
  ///   - explicit: A folder that the user named (`BITBUDGET_RESOURCES`).
  ///   - executable: The running program, perhaps a link: the bundle may lie beside the link, beside
  ///     the program, or in `../share/bitbudget` seen from either.
  ///   - bundle: The resource folder of the program's own bundle.
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

  /// Every folder that may be the one with the definitions.
  public var folders: [URL] {
    places.flatMap { place in
      ["BitBudget_Evaluation", "Evaluation_Evaluation"].flatMap { name in
        ["resources", "bundle"].map { place.appending(path: "\(name).\($0)/Resources") }
      }
    }
  }
}
