import AppSupport
import DecoderModels
import Evaluation
import Foundation

/// The commands that a study is made of: quantizing a model once, and evaluating it.
struct StudyCommands {
  let study: StudyFolder
  let definition: StudyDefinition
  let work: StudyWorkFlags
  private let quantize: Sibling
  private let evaluate: Sibling

  /// The commands of a study.
  ///
  /// - Throws: `UserError` for a way of computing that `evaluate` does not know, before any work, and
  ///   where the program's own file is not known.
  init(_ study: StudyFolder, _ definition: StudyDefinition, _ work: StudyWorkFlags) throws {
    self.study = study
    self.definition = definition
    self.work = work
    (quantize, evaluate) = (try Sibling("quantize"), try Sibling("evaluate"))
    try checkPrecision()
  }

  /// Generates what is missing of a run.
  ///
  /// - Parameters:
  ///   - source: what is run.
  ///   - budgets: thinking budgets that share their thoughts.
  ///   - replies: to each problem.
  ///   - limit: most problems.
  ///   - journal: what `evaluate` is told, which adds the budget.
  /// - Throws: `UserError` where one of the commands fails.
  func run(
    _ source: StudyRun.Source, budgets: [Int], replies: Int, limit: Int?, journal: URL
  ) throws {
    let model = try prepared(source)
    var words = [
      "run", "--bench", source.benchmark, "--model", model, "--samples", "\(replies)",
      "--think-budgets", budgets.map(String.init).joined(separator: ","), "--force",
      "--seed", "\(definition.seed)", "--batch", "\(definition.concurrency)", "--shard", "1/1",
      "--journal", journal.path,
    ]
    if let limit { words += ["--limit", "\(limit)"] }
    if let temperature = definition.temperature { words += ["--temperature", "\(temperature)"] }
    if let numerics = definition.numerics { words += ["--numerics", numerics] }
    if let headBits = definition.headBits { words += ["--head-bits", headBits] }
    if let data = work.data { words += ["--data", data] }
    // Said even where it is the default, which a policy file beside the model would change.
    let cache = CacheFlags.words(source.kv)
    try evaluate.run(
      words + (cache.isEmpty ? ["--kv", "\(source.kv)"] : cache) + threadFlags)
  }

  /// The model of a run, quantized first where it has to be.
  private func prepared(_ source: StudyRun.Source) throws -> String {
    if source.bits == 16 { return source.model }
    let folder = study.model(source, of: definition)
    if !FileManager.default.fileExists(atPath: folder.path) {
      try quantize.run(
        [
          "--model", source.model, "--output", folder.path,
        ]
          + (source.scheme.map { ["--scheme", $0.rawValue] } ?? [
            "--bits", "\(source.bits)", "--method", definition.method, "--group-size",
            "\(definition.groupSize)",
          ]) + threadFlags)
    }
    return folder.path
  }

  private var threadFlags: [String] { work.threads.map { ["--threads", "\($0)"] } ?? [] }

  private func checkPrecision() throws {
    func check(_ key: String, _ value: String?, _ isKnown: (String) -> Bool, _ known: [String])
      throws
    {
      guard let value, !isKnown(value) else { return }
      throw UserError(
        "\(study.file): '\(key)' is '\(value)'; expected one of \(known.joined(separator: ", "))")
    }
    try check(
      "numerics", definition.numerics, { NumericsChoice(argument: $0) != nil },
      NumericsChoice.allValueStrings)
    try check(
      "head-bits", definition.headBits, { Automatic<HeadBits>(argument: $0) != nil },
      Automatic<HeadBits>.allValueStrings)
  }
}
