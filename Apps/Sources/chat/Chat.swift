import AppSupport
import ArgumentParser
import Foundation
import ModelLoader
import Serving
import SystemCalls
import TextGeneration

/// `chat`: a conversation with a model in the terminal.
struct Chat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("chat"),
    abstract: "Talks with a model in the terminal; its cache is kept from turn to turn.",
    discussion: """
      /help lists what else can be typed. Ctrl-C ends an answer, Ctrl-D the program. From a pipe every line is a turn.
      """,
    version: Program.version)

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags
  @Option(help: "A message of the system, before all others.")
  var system: String?
  @Option(
    help: ArgumentHelp(
      "Think for at most so many tokens; then an answer is demanded. 0 wants no thought.",
      valueName: "tokens"))
  var thinkBudget: Int?
  @Option(
    name: [.customShort("n"), .long],
    help: "Most tokens of an answer (default: what context and memory leave).")
  var maxTokens: Int?
  @Flag(help: "Print the answers only.")
  var hideThinking = false
  @Option(help: ArgumentHelp("Go on with a conversation that /save wrote.", valueName: "file"))
  var load: String?

  func validate() throws {
    if let thinkBudget, !(0...ThinkingBudget.longest).contains(thinkBudget) {
      throw ValidationError(
        "--think-budget \(thinkBudget): expected 0 to \(ThinkingBudget.longest)")
    }
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens \(maxTokens): expected at least 1")
    }
    if load != nil && system != nil {
      throw ValidationError("--load brings a system message; it excludes --system")
    }
  }

  mutating func run() throws {
    let checkpoint = try Checkpoint(model)
    try model.takePolicyFile(for: checkpoint)
    let loaded = try LoadedModel(model, checkpoint)
    var session = try ChatSession(
      loaded, kv: model.kvPolicy(), memory: memory, sampling: sampling)
    session.thinkBudget = thinkBudget
    session.maxTokens = maxTokens
    if let load { try session.load(load) }
    if let system { session.setSystem(system) }
    let file = HistoryFile()
    let terminal = Terminal(history: file.lines)
    if terminal.isInteractive {
      Console.note("\(loaded.name), KV cache \(session.kv). /help lists what else can be typed.")
    }
    defer { if terminal.isInteractive { file.write(terminal.buffer.history) } }
    while let line = terminal.line() {
      let words = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if words.isEmpty { continue }
      do {
        if words.hasPrefix("/") {
          guard try ChatCommand(parsing: words).run(&session) else { break }
        } else {
          try answer(words, &session)
        }
      } catch {
        if Interrupts.isPending, !Interrupts.forgetCtrlC() { break }
        // From a pipe nobody sees that a turn is missing.
        guard terminal.isInteractive else { throw error }
        Console.note("error: \(error)")
      }
    }
  }

  private func answer(_ words: String, _ session: inout ChatSession) throws {
    var printer = PartPrinter(hidesThinking: hideThinking)
    let turn = try session.answer(words) { printer.show($0) }
    printer.finish()
    let isStopped = Interrupts.isPending
    if isStopped, !Interrupts.forgetCtrlC() { throw UserError("interrupted") }
    let ran = turn.prompt - turn.cached
    var figures = ["ran \(ran) of \(turn.prompt) prompt tokens", "\(turn.tokens) tokens"]
    if turn.thought > 0 { figures[1] += ", \(turn.thought) of them thought" }
    if turn.rate > 0 { figures.append(String(format: "%.1f tokens/s", turn.rate)) }
    if isStopped { figures.append("stopped") }
    if turn.ending == .length { figures.append("ended by the token limit") }
    Console.note("(" + figures.joined(separator: "; ") + ")")
  }
}

/// The lines that were typed, in `$XDG_STATE_HOME/bitbudget/chat-history`.
struct HistoryFile {
  private let url: URL

  init() {
    let environment = ProcessInfo.processInfo.environment
    let state =
      environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? NSHomeDirectory() + "/.local/state"
    url = URL(fileURLWithPath: state).appendingPathComponent("bitbudget/chat-history")
  }

  /// The lines of earlier chats; none where there is no file.
  var lines: [String] {
    guard let text = try? TextFile.contents(of: url.path, atMost: 16 << 20) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  /// Writes the lines; a file that cannot be written is told of.
  func write(_ lines: [String]) {
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let file = try AtomicFile(url.path)
      try file.write(Data((lines.joined(separator: "\n") + "\n").utf8))
      try file.finish()
    } catch {
      Console.note("note: \(url.path): the history is not kept: \(error)")
    }
  }
}
