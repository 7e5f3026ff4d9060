import Foundation

/// Where the reference data lies: the folder that BITBUDGET_GOLDENS names, or `../shared/goldens`
/// beside the checkout. A few small models are committed.
enum Goldens {
  /// The committed part, `Tests/Goldens`.
  static let committed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens")

  static let directory: URL? = {
    if let path = ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"], !path.isEmpty {
      return URL(fileURLWithPath: path)
    }
    let shared = committed.appendingPathComponent("../../../shared/goldens").standardizedFileURL
    return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
  }()

  /// The sub-folders of `kind` that `accept` takes, by name.
  static func cases(_ kind: String, where accept: (URL) -> Bool) -> [String] {
    guard let folder = directory?.appendingPathComponent(kind) else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter { accept(folder.appendingPathComponent($0)) }
  }

  /// The sub-folders of `folder` whose manifest is of `kind`, by name.
  static func cases(_ folder: String, kind: String) -> [String] {
    struct Manifest: Decodable { let kind: String }
    return cases(folder) { folder in
      (try? manifest(of: folder, as: Manifest.self).kind) == kind
    }
  }

  /// Reads the manifest of a case.
  static func manifest<Manifest: Decodable>(
    of folder: URL, as type: Manifest.Type
  ) throws -> Manifest {
    let text = try String(
      contentsOf: folder.appendingPathComponent("manifest.json"), encoding: .utf8)
    // The measured values may be infinite, which JSON cannot say.
    let clean = text.replacing(": Infinity", with: ": null").replacing(": NaN", with: ": null")
    return try JSONDecoder().decode(type, from: Data(clean.utf8))
  }

  static func folder(_ kind: String, _ name: String) -> URL {
    (directory ?? URL(fileURLWithPath: "/")).appendingPathComponent(kind)
      .appendingPathComponent(name)
  }
}
