import AppSupport
import Evaluation
import Foundation

/// What a study needs of this machine, looked for before any work: models and the data of
/// benchmarks.
struct StudyNeeds {
  /// A sentence for everything that is missing, each once.
  let missing: [String]

  /// Looks for what some runs need.
  ///
  /// - Parameters:
  ///   - runs: the runs that are not complete.
  ///   - data: a folder that may hold the benchmarks' data.
  ///   - use: when what is missing may be fetched.
  ///   - quantized: where the model of a run lies once it is quantized; one that is there needs no
  ///     original.
  init(
    _ runs: [StudyRun], data: String?, _ use: HubUse, quantized: (StudyRun.Source) -> URL
  ) {
    var missing: [String] = []
    func look(_ body: () throws -> Void) {
      do { try body() } catch {
        let text = "\(error)"
        if !missing.contains(text) { missing.append(text) }
      }
    }
    for source in runs.map(\.source) {
      let isHere =
        source.bits != 16 && FileManager.default.fileExists(atPath: quantized(source).path)
      if !isHere { look { _ = try ModelFolder.resolve(source.model, use) } }
      look { _ = try BenchmarkFinder(data: data, use).find(source.benchmark) }
    }
    self.missing = missing
  }

  /// Ends the command where anything is missing.
  ///
  /// - Throws: `UserError` listing all of it.
  func check() throws {
    guard !missing.isEmpty else { return }
    let list = missing.map { "- " + $0.replacingOccurrences(of: "\n", with: "\n  ") }
    throw UserError(
      "\(missing.count) things are missing; nothing was begun\n\(list.joined(separator: "\n"))")
  }
}
