import Foundation

/// What options and commands of other programs are called here, for messages about words that are
/// unknown.
public enum Habits {
  private static let commands = [
    "run": "generate' or 'chat", "cli": "generate", "llama-cli": "generate", "complete": "generate",
    "list": "models", "ls": "models", "ps": "models", "show": "quantize --inspect",
    "inspect": "quantize --inspect", "convert": "quantize", "create": "quantize",
    "llama-quantize": "quantize", "download": "pull", "fetch": "pull", "get": "pull",
    "install": "pull", "remove": "rm", "delete": "rm", "server": "serve", "llama-server": "serve",
    "eval": "evaluate", "benchmark": "evaluate", "lm-eval": "evaluate", "lm_eval": "evaluate",
    "perplexity": "evaluate --compare", "bench": "load", "llama-bench": "load",
    "fits": "plan --fits", "version": "--version", "-v": "--version", "--list": "models",
    "cache": "models", "scan-cache": "models", "tokenize": "generate --tokenize",
    "batched-bench": "load", "vllm": "serve", "mlx_lm.generate": "generate",
    "mlx_lm.convert": "quantize", "infer": "generate", "predict": "generate", "gen": "generate",
    "ask": "generate", "prompt": "generate", "start": "serve", "api": "serve",
    "merge": "evaluate merge", "compare": "evaluate compare", "report": "study report",
    "sweep": "study", "grid": "study", "info": "quantize --inspect", "fit": "plan --fits",
    "completion": "--generate-completion-script", "completions": "--generate-completion-script",
  ]

  /// What is to be said of commands of other programs that have no counterpart.
  private static let absent = [
    "stop": "a model is loaded by the command that runs it, and gone with it",
    "search": "names are those of the hub, org/name; 'pull' fetches them",
    "login": "HF_TOKEN, or the file HF_HOME/token, opens private and gated repositories",
    "push": "nothing is sent anywhere; a model is a folder that other tools can upload",
    "cp": "a model is a folder or a file, which cp copies",
    "train": "nothing is trained here; 'quantize' makes models smaller",
    "finetune": "nothing is trained here; 'quantize' makes models smaller",
    "embed": "texts are generated and scored; there are no embeddings",
    "config": "options may stand in ~/.config/bitbudget/config.json, or in BITBUDGET_ variables",
  ]

  /// ` That is '...' here.` for a command of another program, or what is to be known in its place;
  /// nil for other words.
  static func hint(forCommand word: String) -> String? {
    let word = word.lowercased()
    return commands[word].map { " That is '\($0)' here." }
      ?? absent[word].map { " There is none: \($0)." }
  }

  /// What to say of the first option of another program among arguments.
  ///
  /// - Parameters:
  ///   - arguments: as they were given.
  ///   - known: names of the command's own options, short ones included.
  /// - Returns: nil where there is none, or where its counterpart is no option of the command.
  static func hint(for arguments: [String], known: [String]) -> String? {
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") {
      let word = String(argument.prefix { $0 != "=" })
      let spelled = word.lowercased().replacing("_", with: "-")
      if spelled != word, known.contains(String(spelled.dropFirst(2))) {
        return "'\(word)' is \(spelled) here"
      }
      let name = String(spelled.drop { $0 == "-" })
      // `--n` is no `-n`.
      let isKnown = known.contains(name) && spelled.hasPrefix("--") == (name.count > 1)
      guard !isKnown, let here = options[spelled] else { continue }
      for own in here {
        guard own.hasPrefix("--"), own.split(separator: " ").count <= 2 else {
          return "there is no '\(word)': \(own)"
        }
        if known.contains(String(own.dropFirst(2).prefix { $0 != " " })) {
          return "'\(word)' is \(own) here"
        }
      }
    }
    return nil
  }

  /// What to say in place of the parser's message where habits are behind it: a negative number,
  /// which it takes for an option, and a model or a text without an option.
  ///
  /// - Parameters:
  ///   - message: the parser's.
  ///   - arguments: as they were given.
  ///   - known: long names of the command's own options.
  /// - Returns: nil for other messages.
  static func explanation(
    of message: String, _ arguments: [String], known: [String]
  ) -> String? {
    if message.contains("Missing value for '-") || message.contains("The value '-") {
      for (option, value) in zip(arguments, arguments.dropFirst())
      where message.contains("'\(option) ") || message.contains("'\(option)'") {
        guard value.hasPrefix("-"), value.dropFirst().first?.isNumber == true else { continue }
        return "\(option) \(value): expected no negative number"
      }
    }
    // Of one or two letters any option is near.
    if message.hasPrefix("Unknown option '-"), !message.hasPrefix("Unknown option '--"),
      let guess = message.range(of: ". Did you mean")
    {
      return String(message[..<guess.lowerBound])
    }
    if message.hasPrefix("Unknown option '-m"), let word = arguments.first(where: isGlued) {
      return "'\(word)': a value stands apart from its letter, as in -m nano"
    }
    guard message.contains("nexpected argument"), known.contains("model") else { return nil }
    let places = [
      ("prompt-file", "a text behind --prompt"), ("bench", "a benchmark behind --bench"),
      ("fits", "a memory behind --memory"),
    ].filter { known.contains($0.0) }.map { ", " + $0.1 }.joined()
    let end = message.hasSuffix(".") ? "" : "."
    return "\(message)\(end) A model goes behind --model\(places)"
  }

  /// `-mnano`: a letter and its value in one word.
  private static func isGlued(_ word: String) -> Bool {
    word.hasPrefix("-m") && word.count > 2 && options[word] == nil
  }

  /// What to say of a first word that is no subcommand.
  ///
  /// - Returns: nil where a command has none, or begins with an option.
  static func hint(forSubcommand words: [String], of command: String, among names: [String])
    -> String?
  {
    guard let word = words.first, !word.hasPrefix("-"), !names.isEmpty, !names.contains(word) else {
      return nil
    }
    let habit = ["ls": "list", "plot": "report"][word] ?? ""
    let near = names.contains(habit) ? habit : Nearest.word(to: word, among: names)
    return near.map { "there is no '\(command) \(word)'. Did you mean '\(command) \($0)'?" }
  }

  /// `-hf NAME` and its like begin as `-h` does, which would ask for help.
  static func hidesHelp(_ arguments: [String]) -> Bool {
    arguments.contains { $0.hasPrefix("-h") && options[$0] != nil }
  }
}
