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
    "mlx_lm.convert": "quantize",
  ]

  /// ` That is '...' here.` for a command of another program; nil for other words.
  static func hint(forCommand word: String) -> String? {
    commands[word.lowercased()].map { " That is '\($0)' here." }
  }

  /// What to say of the first option of another program among arguments.
  ///
  /// - Parameters:
  ///   - arguments: as they were given.
  ///   - known: long names of the command's own options.
  /// - Returns: nil where there is none, or where its counterpart is no option of the command.
  static func hint(for arguments: [String], known: [String]) -> String? {
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") {
      let word = String(argument.prefix { $0 != "=" })
      let spelled = word.lowercased().replacing("_", with: "-")
      if spelled != word, known.contains(String(spelled.dropFirst(2))) {
        return "'\(word)' is \(spelled) here"
      }
      guard !known.contains(String(spelled.drop { $0 == "-" })), let here = options[spelled]
      else { continue }
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
    guard message.contains("nexpected argument"), known.contains("model") else { return nil }
    let prompt = known.contains("prompt") ? ", a text behind --prompt" : ""
    let end = message.hasSuffix(".") ? "" : "."
    return "\(message)\(end) A model goes behind --model\(prompt)"
  }

  /// `-hf NAME` and its like begin as `-h` does, which would ask for help.
  static func hidesHelp(_ arguments: [String]) -> Bool {
    arguments.contains { $0.hasPrefix("-h") && options[$0] != nil }
  }
}
