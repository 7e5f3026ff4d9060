import Foundation
import SystemCalls

/// The benchmarks that ship with the library.
public struct BenchmarkCatalog: Sendable, Hashable {
  /// The folder with the definitions.
  public let folder: URL

  /// Looks for the folder with the definitions.
  ///
  /// - Parameter resources: Where to look.
  /// - Throws: ``EvaluationError/resourcesMissing(searched:)`` naming all places.
  public init(_ resources: ResourceSearch) throws(EvaluationError) {
    let folders = resources.folders(of: "Evaluation")
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

  /// How a judge is asked which of two answers is better.
  ///
  /// - Throws: ``EvaluationError`` where its definition is wrong.
  public func judge() throws(EvaluationError) -> BenchmarkDefinition {
    try BenchmarkDefinition(contentsOf: folder.appending(path: "judges/arena-hard.yaml"))
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
