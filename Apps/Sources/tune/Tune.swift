import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import KVLayout
import ModelLoader

/// `tune`: finds the cheapest KV policy with which a model still does a task.
struct Tune: CommandOfManyDefaults {
  static let configuration = CommandConfiguration(
    commandName: Program.called("tune"),
    abstract: "Finds the cheapest KV policy with which a model still does a task.",
    discussion: """
      The model answers some problems of the benchmark. Along these texts the KL divergence is measured that every \
      layer's keys and values cost alone in 8, 4 and 2 bits; a knapsack mixes them, what the mixtures lose together is \
      measured, and the accuracy of the best is compared with that of a BF16 cache on other problems, until it is \
      decided. Everything lies in one folder, and 'tune' can be stopped at any moment and given again.
      """,
    version: Program.version)

  static let firstWords = """
    say what to tune for: --model nano --bench nano-math takes some minutes, larger models take hours; \
    'evaluate list' names the benchmarks
    """

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags

  @Option(help: "Benchmark to keep the accuracy of, or a definition file (.yaml).")
  var bench = "nano-math"
  @Option(help: "Use only the first so many problems.")
  var limit: Int?
  @Option(help: "Replies along which divergences are measured.")
  var texts = 16
  @Option(help: "Most tokens of a reply (default: the benchmark's).")
  var maxTokens: Int?
  @Option(help: "Tokens of thought after which the answer is demanded (default: the benchmark's).")
  var thinkBudget: Int?
  @Option(
    help:
      "Most recent tokens that stay in BF16, to choose from: multiples of 64; may be given several times (default: 0, 64 and 128)."
  )
  var residual: [Int] = []
  @Option(
    help: ArgumentHelp(
      "Evictions to choose from beside formats, each at several budgets: \(Known.evictions.names.joined(separator: ", ")), or none; may be given several times (default: rkv).",
      valueName: "method"))
  var evict: [String] = []
  @Option(help: "The largest loss of accuracy that is accepted, as a share of the problems.")
  var margin = 0.03
  @Option(help: "Most policies whose accuracy is compared.")
  var candidates = 6
  @Option(help: "Replies generated together; changes the speed, never a reply.")
  var batch = 16
  @Option(help: "A folder that holds the benchmark's data.")
  var data: String?
  @Option(
    name: .shortAndLong,
    help: "The folder for everything that is measured (default: out/tune-MODEL-BENCH).")
  var output: String?
  @Flag(help: "Put the policy beside the model too, where every command finds it.")
  var install = false

  func validate() throws {
    guard !model.cache.isGiven, model.cache.policyFile == nil else {
      throw ValidationError("tune looks for the KV policy; it excludes the flags that say one")
    }
    for (name, value) in [
      ("texts", texts), ("candidates", candidates), ("limit", limit ?? 1),
      ("max-tokens", maxTokens ?? 1), ("think-budget", thinkBudget ?? 1),
    ] where value < 1 {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch \(batch): expected 1 to 4096")
    }
    do { _ = try PairedTest(margin: margin) } catch { throw ValidationError("--\(error)") }
    let known = Known.evictions.names + ["none"]
    if let other = evict.first(where: { !known.contains($0) }) {
      throw ValidationError(
        "--evict \(other): expected a method alone, \(known.joined(separator: ", ")); tune finds its budget"
      )
    }
    if evict.contains("none") && evict.count > 1 {
      throw ValidationError("--evict none excludes other methods")
    }
    if let wrong = residual.first(where: { $0 < 0 || $0 % 64 != 0 }) {
      throw ValidationError("--residual \(wrong): expected a multiple of 64")
    }
  }

  func run() throws {
    let benchmark = try answered()
    let checkpoint = try Checkpoint(model)
    let (tuned, shape) = try checkpoint.tunedModel()
    let task = benchmark.definition.name
    let folder = URL(fileURLWithPath: output ?? "out/tune-\(checkpoint.modelName)-\(task)")
    try OutputFolder.make(folder, advice: "--output names another")
    let loaded = try LoadedModel(model, checkpoint)
    let accuracy = try TaskAccuracy(
      benchmark, loaded, flags: self, folder: folder)
    let (texts, secondsOfReply) = try accuracy.texts(texts)
    let search = try KVPolicySearch(
      shape: shape, heads: loaded.decoder.shape.heads.queries,
      texts: texts.map { ($0.tokens.count, $0.prompt) },
      residuals: residual.isEmpty ? [0, 64, 128] : residual,
      evictions: evict.isEmpty ? ["rkv"] : evict.filter { $0 != "none" },
      catalog: Known.evictions)
    let journal = try DivergenceJournal(
      folder.appendingPathComponent("divergences.jsonl"),
      key: Scenario.digest(of: "\(try accuracy.scenario(.full).fingerprint) \(texts.count)"))
    let meter = DivergenceMeter(pass: loaded.pass, texts: texts, journal: journal)
    let secondsOfProbe = try meter.measure(search.probes(), as: "layers")
    let policies = try search.candidates(journal.found.mapValues(\.divergence.value))
    if let secondsOfProbe, let secondsOfReply {
      let seconds = (
        divergences: secondsOfProbe * Double(meter.missing(of: policies).count),
        accuracy: secondsOfReply * Double(accuracy.comparable * (candidates + 1))
      )
      Console.note(
        "about \(Text.duration(seconds.divergences)) for \(policies.count) policies along the texts, then at most \(Text.duration(seconds.accuracy)) to compare \(candidates) of them on \(accuracy.comparable) problems; what is decided sooner ends sooner"
      )
    }
    try meter.measure(policies, as: "policies")
    let points = policies.compactMap { policy in
      journal.found["\(policy)"].map {
        KVPolicySearch.Point(
          policy: policy, bytesPerToken: search.bytesPerToken(policy), comparison: $0)
      }
    }
    let fitting = try points.filter { try accuracy.fits($0.policy) }
    guard !fitting.isEmpty else {
      throw UserError(
        "\(memory.memory.map { "--memory \($0)" } ?? "the memory") holds one text under none of the \(points.count) policies that were measured"
      )
    }
    let worth = KVPolicySearch.worthConfirming(fitting, most: candidates)
    let report = TuningReport(
      title: "\(checkpoint.modelName), \(task)", fullBytesPerToken: search.bytesPerToken(.full),
      points: fitting, confirmed: try accuracy.confirm(worth))
    try report.write(into: folder)
    print(report.table)
    try finish(report, tuned, loaded, folder)
  }

  /// The benchmark, which must have answers that the model comes to by itself.
  ///
  /// - Throws: `UserError` for anything else, before a model is loaded.
  private func answered() throws -> Benchmark {
    let ending = URL(fileURLWithPath: bench).pathExtension
    if ["txt", "md", "jsonl", "json"].contains(ending) {
      throw UserError(
        "\(bench): prompts without answers; what a policy costs is known by right and wrong answers, and a benchmark definition (.yaml) says where they are"
      )
    }
    let found = try BenchmarkFinder(data: data, model.hub.use).find(bench)
    guard case .items(let benchmark) = found, !found.definition.grading.isOfLikelihoods else {
      throw UserError(
        "\(found.definition.name) scores likelihoods and has no answers that are thought out; tune needs such"
      )
    }
    if let note = found.note { Console.note("note: \(note)") }
    return benchmark
  }

  /// Writes the policy file and says what was found.
  private func finish(
    _ report: TuningReport, _ tuned: KVPolicyFile.Model, _ loaded: LoadedModel, _ folder: URL
  ) throws {
    let picture = folder.appendingPathComponent("tune.svg").relativePath
    guard let chosen = report.chosen else {
      Console.note(
        "no policy was shown to lose less than \(margin) of the problems; more problems, a larger --margin or more --candidates may help. Picture: \(picture)"
      )
      return
    }
    let point = chosen.point
    let stored = KVPolicyFile(
      policy: point.policy, model: tuned,
      measured: KVPolicyFile.Measured(
        task: bench, bytesPerToken: point.bytesPerToken,
        fullBytesPerToken: report.fullBytesPerToken, divergence: point.loss,
        difference: chosen.test.difference, margin: margin))
    var places = [folder.appendingPathComponent(KVPolicyFile.name)]
    if install { places.append(loaded.checkpoint.policyPlace) }
    for place in places { try stored.write(to: place) }
    let share = 100 * point.bytesPerToken / report.fullBytesPerToken
    Console.note(
      "policy: \(point.policy), \(String(format: "%.1f", share)) % of a BF16 cache: \(places.map(\.relativePath).joined(separator: ", ")); picture: \(picture)"
    )
    try warn(about: point.policy, loaded)
  }

  /// Parameters below which keys in few bits are known to break models.
  private static let small = 8_000_000_000

  /// Says what is known to break that a short task may not show.
  private func warn(about policy: KVPolicy, _ loaded: LoadedModel) throws {
    let layers = loaded.decoder.shape.cacheShape.layers
    let coarse = (0..<layers).map { policy.layer($0).keys.bits }.filter { $0 <= 4 }
    let bits = coarse.contains { $0 < 4 } ? "\(coarse.min() ?? 4) to 4" : "4"
    let parameters = try loaded.decoder.family.memoryShape(named: loaded.name).parameters
    guard !coarse.isEmpty, parameters < Self.small else { return }
    Console.note(
      "warning: keys in \(bits) bits in \(coarse.count) of \(layers) layers break some small models on texts longer or other than these (Qwen3-0.6B: perplexity 48, not 13.5); 8-bit keys with 4-bit values are the safe choice"
    )
  }
}
