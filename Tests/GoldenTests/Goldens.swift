import Foundation

/// Where the reference data lies: the folder that BITBUDGET_GOLDENS names, or `../shared/goldens` beside the checkout.
enum Goldens {
  static let directory: URL? = {
    if let path = ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"], !path.isEmpty {
      return URL(fileURLWithPath: path)
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let shared = root.appendingPathComponent("../shared/goldens").standardizedFileURL
    return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
  }()

  /// The sub-folders of `kind` that `accept` takes, by name.
  static func cases(_ kind: String, where accept: (URL) -> Bool) -> [String] {
    guard let folder = directory?.appendingPathComponent(kind) else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter { accept(folder.appendingPathComponent($0)) }
  }

  static func folder(_ kind: String, _ name: String) -> URL {
    (directory ?? URL(fileURLWithPath: "/")).appendingPathComponent(kind)
      .appendingPathComponent(name)
  }
}
