import AppSupport
import Evaluation
import Foundation
import ModelHub
import NanoModels

/// Finds benchmark definitions and their data.
struct BenchmarkFinder {
  /// The shipped definitions.
  let catalog: BenchmarkCatalog
  private let folders: DataFolders
  private let use: HubUse
  /// Where data that is fetched from outside the hub goes.
  private let target: URL

  /// Looks for data in `data`, in BITBUDGET_DATA, in the user's own data, beside the nano models,
  /// and in the Hugging Face
  /// cache.
  ///
  /// - Parameters:
  ///   - data: a folder that the user gave.
  ///   - use: when data that is absent may be fetched.
  /// - Throws: `EvaluationError` when the shipped definitions are not installed.
  init(data: String?, _ use: HubUse = .never) throws {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ variable: String) -> URL? {
      environment[variable].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
    }
    if let data, use != .always, (try? FileManager.default.contentsOfDirectory(atPath: data)) == nil
    {
      Console.note("warning: --data \(data) is no folder that can be read")
    }
    catalog = try BenchmarkCatalog(Resources.search)
    let home = folder("HOME") ?? URL(fileURLWithPath: NSHomeDirectory())
    let own = (folder("XDG_DATA_HOME") ?? home.appendingPathComponent(".local/share"))
      .appendingPathComponent("bitbudget/data")
    let given = [data.map { URL(fileURLWithPath: $0) }, folder("BITBUDGET_DATA"), own]
    let shipped = NanoModels.benchmark(named: NanoModels.benchmarkNames[0], in: Resources.search)?
      .deletingLastPathComponent()
    folders = DataFolders(
      folders: (given + [shipped]).compactMap { $0 },
      hubCache: Hub.cache.root)
    self.use = use
    target = given.compactMap { $0 }.first ?? own
  }

  /// The names of the shipped benchmarks.
  var names: [String] { catalog.names }

  /// A shipped benchmark by name, or one defined by the YAML file at a path, with its data.
  ///
  /// - Parameters:
  ///   - name: the name or path.
  ///   - shots: how many examples stand before each problem, where somebody said.
  ///   - form: how problems reach the model, where somebody said.
  /// - Returns: the benchmark, or the text that it scores.
  /// - Throws: `EvaluationError` naming the file and key, or what to fetch; `UserError` for a
  ///   number of examples where the benchmark has none.
  func find(
    _ name: String, shots: Int? = nil, form: PromptForm? = nil
  ) throws -> FoundBenchmark {
    var definition = try definition(name)
    if let shots {
      guard definition.shots != nil else {
        throw UserError("--shots \(shots): \(definition.name) has no examples")
      }
      definition.shots?.count = shots
    }
    if let form, form != definition.promptForm { definition = definition.presented(as: form) }
    do throws(EvaluationError) {
      return try find(definition)
    } catch {
      guard case .dataMissing = error, try fetch(definition) else { throw error }
      return try find(definition)
    }
  }

  private func find(_ definition: BenchmarkDefinition) throws(EvaluationError) -> FoundBenchmark {
    definition.grading.isOfText
      ? .text(try ScoredTextFile(definition, in: folders))
      : .items(try Benchmark(definition, in: folders))
  }

  /// Fetches the data of a benchmark from the first place that has it.
  ///
  /// - Returns: false where it may not be fetched, or no place is known.
  /// - Throws: `HubError`: what the hub refused and what helps.
  private func fetch(_ definition: BenchmarkDefinition) throws -> Bool {
    guard let source = definition.data.first(where: { $0.hub != nil || $0.web != nil }) else {
      if use == .always {
        Console.note(
          "note: no place is known from which the data of \(definition.name) can be fetched")
      }
      return false
    }
    let place = source.hub ?? source.web?.url.host ?? ""
    guard
      use == .always
        || use == .asked
          && Console.confirms(
            "The data of \(definition.name) is not on this machine. Fetch it from \(place)?")
    else { return false }
    let settings = try Hub.settings(use)
    if let name = source.hub {
      try Hub.fetch(RepositoryName(parsing: name, kind: .dataset), settings) {
        (listing) throws(HubError) in try FileChoice.matching(source.files, in: listing)
      }
    } else if let web = source.web {
      let file = target.appendingPathComponent("\(definition.name)/\(web.url.lastPathComponent)")
      try Hub.fetch(web.url, sha256: web.sha256, to: file.path, settings)
    }
    return true
  }

  /// The definition alone.
  ///
  /// - Throws: `EvaluationError` naming the file and key.
  func definition(_ name: String) throws -> BenchmarkDefinition {
    do throws(EvaluationError) {
      return try catalog.definition(named: name)
    } catch {
      guard case .unknownBenchmark(_, let known) = error,
        let near = Nearest.word(to: name.replacing("_", with: "-"), among: known)
      else { throw error }
      throw UserError(
        "no benchmark is called '\(name)'. Did you mean '\(near)'? 'evaluate list' names all of them"
      )
    }
  }

  /// Whether the data of a benchmark is on this machine and whole.
  func hasData(_ definition: BenchmarkDefinition) -> Bool {
    (try? find(definition)) != nil
  }
}
