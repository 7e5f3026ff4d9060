import AppSupport
import Evaluation
import Foundation
import NanoModels

/// Finds benchmark definitions and their data.
struct BenchmarkFinder {
  private let catalog: BenchmarkCatalog
  private let folders: DataFolders

  /// Looks for data in `data`, in BITBUDGET_DATA, beside the nano models, and in the Hugging Face
  /// cache.
  ///
  /// - Throws: `EvaluationError` when the shipped definitions are not installed.
  init(data: String?) throws {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ variable: String) -> URL? {
      environment[variable].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
    }
    catalog = try BenchmarkCatalog(Resources.search)
    let given = [data.map { URL(fileURLWithPath: $0) }, folder("BITBUDGET_DATA")]
    let shipped = NanoModels.benchmark(named: NanoModels.benchmarkNames[0], in: Resources.search)?
      .deletingLastPathComponent()
    folders = DataFolders(
      folders: (given + [shipped]).compactMap { $0 },
      hubCache: ModelFolder.hubCache.root)
  }

  /// The names of the shipped benchmarks.
  var names: [String] { catalog.names }

  /// A shipped benchmark by name, or one defined by the YAML file at a path, with its data.
  ///
  /// - Throws: `EvaluationError` naming the file and key, or what to fetch.
  func benchmark(_ name: String) throws -> Benchmark {
    try Benchmark(definition(name), in: folders)
  }

  /// The definition alone.
  ///
  /// - Throws: `EvaluationError` naming the file and key.
  func definition(_ name: String) throws -> BenchmarkDefinition {
    name.hasSuffix(".yaml")
      ? try BenchmarkDefinition(contentsOf: URL(fileURLWithPath: name))
      : try catalog.definition(named: name)
  }

  /// Whether the data of a benchmark is on this machine and whole.
  func hasData(_ definition: BenchmarkDefinition) -> Bool {
    (try? Benchmark(definition, in: folders)) != nil
  }
}
