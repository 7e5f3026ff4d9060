import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import KVLayout
import MemoryPlanner

extension TaskKind: ExpressibleByArgument {}
extension Accounting: ExpressibleByArgument {}
extension WeightScheme: ExpressibleByArgument {}
extension KnownShapes.Family: ExpressibleByArgument {}

/// `plan`: what to run in so many bytes, and why.
struct Plan: CommandOfOtherWork {
  static let configuration = CommandConfiguration(
    commandName: Program.called("plan"),
    abstract:
      "Says which model, weight bits, KV cache, thinking length and votes answer best within a memory.",
    discussion: """
      Rows stand in the order of the accuracy that is expected of them. Each says where its figure comes from: \
      measured by a study (--study), published by the model's makers, or derived from that by the findings of \
      "Not All Bits Are Equal" (arXiv:2510.10964), with the range it may be wrong by. GiB are 2^30 bytes, GB are 10^9.
      """,
    version: Program.version)

  static let otherWork = [
    OtherWork("fits", "ranks nothing", without: ["task", "top"])
  ]

  @Option(
    help:
      "The memory there is, such as 8GiB or 8GB (default: what this machine has free). A twentieth of it, at most 2 GiB, is left for the system; --fits takes all."
  )
  var memory: String?
  @Option(help: "math, or knowledge for questions that lean on facts.")
  var task = TaskKind.math
  @Option(
    help:
      "Models to choose from: qwen3 (0.6b ... 32b, 30b-a3b, 235b-a22b), qwen3.5 (hybrids, 0.8B ... 27B, 35B-A3B), nano and nano2 for the shipped ones; may be given several times (default: qwen3 and qwen3.5)."
  )
  var family: [KnownShapes.Family] = []
  @Option(name: .shortAndLong, help: "Choose this model only; may be given several times.")
  var model: [String] = []
  @OptionGroup(title: "Hub") var hub: HubFlags
  @Option(help: "Weight bits to choose from; may be given several times (default: 16, 8 and 4).")
  var bits: [Int] = []
  @Option(
    help:
      "Schemes of weights and activations to choose from, as 'quantize' makes them: \(WeightScheme.allCases.map(\.rawValue).joined(separator: ", ")); may be given several times (default: none, with --latency or --seconds w8a8-int)."
  )
  var scheme: [WeightScheme] = []
  @Option(
    help:
      "KV policies to choose from, such as bf16, int8 or rkv:2048; may be given several times.")
  var kv: [String] = []
  @Option(
    help: ArgumentHelp(
      "A policy file that 'tune' wrote, to choose from beside --kv; needs --model, a model of the sizes that it is for.",
      valueName: "file"))
  var kvPolicy: String?
  @Option(
    help: ArgumentHelp(
      "Thinking budgets to choose from (default: 2000, 6000 ... 30000).", valueName: "tokens"))
  var budget: [Int] = []
  @Option(help: "Group sizes to choose from (default: 1, 3, 4, 6, 8, 12 and 16).")
  var samples: [Int] = []
  @Option(
    help: ArgumentHelp(
      "Rules that end votes, to choose from: decided, which is exact, beta:0.95, all for none; may be given several times (default: decided).",
      valueName: "rule"), transform: { try VoteRule(flag: $0) })
  var stopWhen: [VoteRule] = []
  @Option(
    help: ArgumentHelp(
      "Rules that end thoughts, to choose from, such as stable:4; may be given several times (default: none).",
      valueName: "rule"), transform: { try StableAnswer(flag: $0) })
  var stopThinking: [StableAnswer] = []
  @Option(
    help: ArgumentHelp(
      "The share of a draft's proposals that are accepted, for the forecast of --draft (default: what was measured of the pair, else 0.6, which is assumed).",
      valueName: "share"))
  var accept: Double?
  @Option(help: "Questions answered at a time, which share the weights.")
  var batch = 1
  @Option(help: ArgumentHelp("Tokens of a prompt.", valueName: "tokens"))
  var prompt = 256
  @Option(help: ArgumentHelp("Tokens of cue and answer.", valueName: "tokens"))
  var answer = 128
  @Flag(help: "Short waiting matters more than memory.")
  var latency = false
  @Option(
    help: ArgumentHelp("Most seconds from a question to its answer.", valueName: "seconds"))
  var seconds: Double?
  @Option(
    help: ArgumentHelp(
      "Bytes a second that memory is read with, such as 50GB, for the seconds of another machine (default: read from this one now).",
      valueName: "bytes"), transform: { try ByteCount(parsing: $0) })
  var bandwidth: ByteCount?
  @Option(
    help: ArgumentHelp(
      "Results that 'study run' wrote; its figures take the place of derived ones. May be given several times.",
      valueName: "file"))
  var study: [String] = []
  @Option(
    help:
      "Bytes that count: actual (what the engine allocates), paperTable or appendixA (the paper's)."
  )
  var accounting = Accounting.actual
  @Option(help: "Show so many configurations, the best of each model and precision; 0 shows all.")
  var top = 8
  @Flag(help: "Print JSON.")
  var json = false
  @Flag(help: "Say what every finding means for the first, and where its bytes go.")
  var explain = false
  @Flag(
    help: "Say whether one configuration fits: needs --model, --bits or --scheme, and --budget.")
  var fits = false

  func validate() throws {
    for (name, value) in [("batch", batch), ("prompt", prompt), ("answer", answer)] where value < 1
    {
      throw ValidationError("--\(name) \(value): expected at least 1")
    }
    guard top >= 0 else { throw ValidationError("--top \(top): expected at least 0") }
    if !family.isEmpty && !model.isEmpty {
      throw ValidationError("--family and --model exclude each other")
    }
    if !stopWhen.isEmpty && !stopThinking.isEmpty {
      throw ValidationError("--stop-when and --stop-thinking exclude each other")
    }
    if kvPolicy != nil && model.isEmpty { throw ValidationError("--kv-policy needs --model") }
    if json && explain { throw ValidationError("--json and --explain exclude each other") }
    if let seconds, !(seconds > 0 && seconds.isFinite) {
      throw ValidationError("--seconds \(seconds): expected a number above 0")
    }
    guard fits else { return }
    if model.count != 1 || bits.count + scheme.count != 1 || budget.count != 1 {
      throw ValidationError("--fits needs --model, --bits or --scheme, and --budget, each once")
    }
    if samples.count > 1 || stopThinking.count > 1 || kv.count + (kvPolicy == nil ? 0 : 1) > 1 {
      throw ValidationError(
        "--fits takes --samples, --stop-thinking and one of --kv and --kv-policy at most once")
    }
    let without = [
      ("study", !study.isEmpty), ("latency", latency), ("explain", explain),
      ("seconds", seconds != nil), ("bandwidth", bandwidth != nil), ("accept", accept != nil),
      ("stop-when", !stopWhen.isEmpty),
    ]
    if let (name, _) = without.first(where: \.1) {
      throw ValidationError("--fits and --\(name) exclude each other")
    }
  }

  func run() throws {
    Interrupts.endAtOnce()
    do {
      let models = try models
      if fits {
        return try FitsReport(request: request(models), isLimited: memory != nil).print(json: json)
      }
      let shipped = try ShippedStudy(of: models)
      let measurements =
        try study.flatMap {
          try StudyResults(contentsOf: URL(fileURLWithPath: $0)).measurements
        } + (shipped?.measurements ?? [])
      let (request, setAside) = (try request(models, measured: shipped), try systemShare)
      let speed =
        try bandwidth.map { MachineSpeed(bytesPerSecond: Double($0.bytes)) }
        ?? MeasuredMachine.speed(with: request.precisions)
      var advice = try Planner.advise(request, measurements: measurements, speed: speed)
      if shipped != nil, choosesFreely {
        let measured = advice.filter { $0.measurement != nil }
        advice = measured.isEmpty ? advice : measured
      }
      let best = Planner.bestOfEach(advice)
      let shown = top == 0 ? advice : Array(best.prefix(top))
      let rows = try shown.map { PlannedRow(advice: $0, draft: try draft(for: $0, request, speed)) }
      if json { return try PlanRecord.print(rows) }
      let text = PlanText(
        rows, request: request, setAside: setAside, speed: speed, isRead: bandwidth == nil)
      Console.write(explain ? text.explanation : text.table)
    } catch let error as PlannerError {
      if case .invalid = error { throw UsageError("\(error)") }
      if case .nothingFits(_, let least, let configuration) = error {
        let whole = PlannerError.nothingFits(
          memory: try available, least: least, configuration: configuration)
        throw UserError("\(whole) (\(ByteCount(try systemShare)) are left for the system)")
      }
      throw error
    }
  }

  private var models: [ModelShape] {
    get throws {
      let families = family.isEmpty ? [.qwen3, .qwen35] : family
      return model.isEmpty
        ? try families.flatMap(KnownShapes.models)
        : try model.map { try KnownShapes.shape(of: $0, hub.use) }
    }
  }

  /// Whether no flag says what to choose from.
  private var choosesFreely: Bool {
    bits.isEmpty && scheme.isEmpty && kv.isEmpty && kvPolicy == nil && budget.isEmpty
      && samples.isEmpty && stopWhen.isEmpty && stopThinking.isEmpty && study.isEmpty
  }

  /// What is asked for; where nobody says what to choose from, that is what a shipped study of the
  /// models measured, if there is one.
  private func request(
    _ models: [ModelShape], measured: ShippedStudy? = nil
  ) throws -> PlanRequest {
    var weights = try bits.map { try WeightPrecision(bits: $0) } + scheme.map { .init($0) }
    if weights.isEmpty, !latency, seconds == nil, let measured {
      weights = try measured.bits(task).map { try WeightPrecision(bits: $0) }
    }
    let tuned = try kvPolicy.map { try tunedPolicy($0, for: models) }
    var request = try PlanRequest(
      memory: try available - (fits ? 0 : systemShare), task: task, models: models,
      precisions: weights.isEmpty ? nil : weights,
      policies: kv.isEmpty && (tuned == nil || !fits)
        ? try measured?.policies(task).map(Self.policy) : try kv.map(Self.policy),
      thinkBudgets: budget.isEmpty ? measured?.budgets(task) : budget,
      samples: samples.isEmpty
        ? (fits ? [1] : measured?.samples(task) ?? PlanRequest.paperSamples) : samples,
      batch: batch,
      prefersLatency: latency, seconds: seconds, prompt: prompt, answer: answer,
      accounting: accounting)
    if let tuned { request.policies.append(tuned) }
    if !stopWhen.isEmpty { request.voteRules = stopWhen.map { "\($0)" } }
    request.thoughtRules = stopThinking.map { "\($0)" }
    return request
  }

  /// The draft that a configuration answers soonest with; nil where none is worth its bytes.
  private func draft(
    for advice: Advice, _ request: PlanRequest, _ speed: MachineSpeed
  ) throws -> DraftAdvice? {
    let rate = try accept.map { try DraftAdvice.AcceptRate($0, source: "as --accept says") }
    return DraftAdvice(
      for: advice, among: try KnownShapes.drafts(for: advice.configuration.model.name),
      memory: request.memory, speed: speed, acceptRate: rate)
  }

  /// The policy of a file, which must be for caches of every model's sizes.
  private func tunedPolicy(_ path: String, for models: [ModelShape]) throws -> KVPolicy {
    let url = URL(fileURLWithPath: path)
    let file = try KVPolicyFile(contentsOf: url, evictions: Known.evictions)
    for model in models { try file.check(model.cacheShape, of: model.name, file: url) }
    return file.policy
  }

  private var available: Int {
    get throws { try memory.map { try ByteCount(parsing: $0).bytes } ?? MachineMemory.bytes }
  }

  /// Bytes left for the system, which needs some for files that are read and programs that run
  /// beside.
  private var systemShare: Int {
    get throws { try min(available / 20, 2 << 30) }
  }

  private static func policy(_ text: String) throws -> KVPolicy {
    do {
      return try KVPolicy(parsing: text, evictions: Known.evictions)
    } catch {
      throw UsageError("--kv \(error)")
    }
  }
}
