import Foundation

/// Where a program's resource bundle may lie.
///
/// `Bundle.module` ends the process where the bundle is missing; a moved or installed program should
/// say so instead, and look in the places where installed files go.
struct ResourceSearch: Sendable, Hashable {
  /// Folders that may hold the bundle, the likeliest first.
  let places: [URL]

  /// - Parameters:
  ///   - environment: `BITBUDGET_RESOURCES` names a folder that holds the bundle; it comes first.
  ///   - executable: The running program, perhaps a link; the bundle may lie beside the link, beside
  ///     the program, or in `../share/bitbudget` seen from either.
  ///   - resources: The resource folder of the program's own bundle.
  init(environment: [String: String], executable: URL?, resources: URL?) {
    var places: [URL] = []
    if let named = environment["BITBUDGET_RESOURCES"], !named.isEmpty {
      places.append(URL(filePath: named, directoryHint: .isDirectory))
    }
    if let executable {
      for program in [executable, executable.resolvingSymlinksInPath()] {
        let folder = program.deletingLastPathComponent()
        let installed = folder.deletingLastPathComponent().appending(path: "share/bitbudget")
        places += [folder, installed]
      }
    }
    if let resources { places.append(resources) }
    var seen: Set<String> = []
    self.places = places.map(\.standardizedFileURL).filter { seen.insert($0.path).inserted }
  }

  /// The search on behalf of the running program.
  static var ofThisProcess: ResourceSearch {
    ResourceSearch(
      environment: ProcessInfo.processInfo.environment,
      executable: Bundle.main.executableURL,
      resources: Bundle.main.resourceURL)
  }

  /// The bundle is named after the package that was built: the distribution or this package alone.
  private static let bundleNames = ["BitBudget_NanoModels", "NanoModels_NanoModels"]

  #if os(Linux)
    private static let bundleSuffix = "resources"
  #else
    private static let bundleSuffix = "bundle"
  #endif

  /// Every folder that may be the resource folder itself.
  var folders: [URL] {
    places.flatMap { place in
      Self.bundleNames.map { place.appending(path: "\($0).\(Self.bundleSuffix)/Resources") }
    }
  }

  /// The file or folder of that name in the first folder that has it.
  func url(of name: String) -> URL? {
    folders.map { $0.appending(path: name) }
      .first { FileManager.default.fileExists(atPath: $0.path) }
  }
}
