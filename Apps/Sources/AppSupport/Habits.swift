import ArgumentParser

/// What options and commands of other programs are called here, for messages about words that are
/// unknown.
public enum Habits {
  /// llama.cpp, Ollama, mlx-lm, vLLM, transformers and lm-eval; what has no counterpart says why.
  private static let options = [
    "--temp": "--temperature", "--n-predict": "--max-tokens", "--predict": "--max-tokens",
    "--num-predict": "--max-tokens", "--max-new-tokens": "--max-tokens",
    "--max-gen-toks": "--max-tokens", "--max-length": "--max-tokens", "--num-ctx": "--ctx-size",
    "--n-ctx": "--ctx-size", "--max-model-len": "--ctx-size", "--context-length": "--ctx-size",
    "--max-kv-size": "--kv-evict", "-f": "--prompt-file", "--file": "--prompt-file",
    "-sys": "--system", "--system-prompt": "--system", "--cache-type-k": "--kv-k",
    "--cache-type-v": "--kv-v", "-ctk": "--kv-k", "-ctv": "--kv-v", "--kv-bits": "--kv",
    "--kv-cache-dtype": "--kv", "--repetition-penalty": "--repeat-penalty",
    "--reverse-prompt": "--stop", "-r": "--stop", "--draft-model": "--draft", "-md": "--draft",
    "--model-draft": "--draft", "--hf-repo": "--model", "-hf": "--model", "--hf-path": "--model",
    "--model-path": "--model", "--pretrained": "--model", "--model-args": "--model",
    "--tasks": "--bench", "--task": "--bench", "--num-fewshot": "--shots",
    "--batch-size": "--batch", "--output-path": "--journal", "--apply-chat-template": "--form chat",
    "--reasoning-budget": "--think-budget", "--q-bits": "--bits", "--wbits": "--bits",
    "--w-bit": "--bits", "--q-group-size": "--group-size", "--groupsize": "--group-size",
    "--outtype": "--bits", "--outfile": "--output",
    "-q": "--type", "--quantize": "--bits", "--quantization": "--bits",
    "--quant-method": "--method", "--mlx-path": "--output",
    "--num-samples": "--samples", "--best-of": "--samples", "--num-return-sequences": "--samples",
    "--threads-batch": "--threads", "--n-gpu-layers": gpu, "-ngl": gpu,
    "--gpu-layers": gpu, "--device": gpu, "-fa": attention, "--flash-attn": attention,
    "--dtype": gpu, "--tensor-parallel-size": gpu, "--gpu-memory-utilization": gpu, "--numa": gpu,
    "-cnv": chatting, "--conversation": chatting, "-st": chatting, "--single-turn": chatting,
    "-i": chatting, "--interactive": chatting, "--keepalive": chatting,
    "--jinja": template, "--chat-template": template, "--chat-template-file": template,
    "--color": messages, "--simple-io": messages, "--log-disable": messages, "-v": messages,
    "--verbose": messages, "--no-warmup": messages, "--verbose-prompt": "--show-prompt",
    "--grammar": grammar, "--grammar-file": grammar, "--json-schema": grammar, "-j": grammar,
    "--mirostat": drawing, "--samplers": drawing, "--dry-multiplier": drawing,
    "--xtc-probability": drawing, "--typical": drawing, "--repeat-last-n": drawing,
    "--lora": adapters, "--adapter-path": adapters, "--trust-remote-code": code,
    "--prompt-cache": "a run keeps nothing for the next; 'chat' and 'serve' keep what they read",
    "--think": "--think-budget", "--output": output, "--imatrix": "--calibration",
    "--dataset": "--calibration", "-np": "--concurrency", "--parallel": "--concurrency",
    "--served-model-name": "--name", "--vram": "--memory", "--ram": "--memory",
    "--log-samples": "every reply is in the journal; 'evaluate show' prints them",
    "--gen-kwargs":
      "what it holds are options of their own, such as --temperature and --max-tokens",
    "--no-mmap": mapping, "--mmap": mapping, "--mlock": mapping,
  ]
  private static let gpu = "everything is computed by the processor; --threads sets how many"
  private static let chatting = "'chat' converses and keeps the model; 'generate' answers once"
  private static let template = "the model's own template is used; --raw goes without"
  private static let messages = "messages go to standard error, so 2>/dev/null hides them"
  private static let grammar = "'serve' keeps texts to a schema, by response_format"
  private static let drawing = "tokens are drawn by temperature, top-k, top-p, min-p and penalties"
  private static let adapters = "adapters are not read; merge them into the weights first"
  private static let code = "no code that comes with a model is ever run"
  private static let output = "the text goes to standard output, so > FILE keeps it"
  private static let attention = "attention never holds the scores of a whole prompt"
  private static let mapping = "how weights are read is chosen by their format"

  private static let commands = [
    "run": "generate' or 'chat", "cli": "generate", "llama-cli": "generate", "complete": "generate",
    "list": "models", "ls": "models", "ps": "models", "show": "quantize --inspect",
    "inspect": "quantize --inspect", "convert": "quantize", "create": "quantize",
    "llama-quantize": "quantize", "download": "pull", "fetch": "pull", "get": "pull",
    "install": "pull", "remove": "rm", "delete": "rm", "server": "serve", "llama-server": "serve",
    "eval": "evaluate", "benchmark": "evaluate", "lm-eval": "evaluate", "lm_eval": "evaluate",
    "perplexity": "evaluate --compare", "bench": "load", "llama-bench": "load",
    "fits": "plan --fits", "version": "--version", "-v": "--version", "--list": "models",
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
      guard !known.contains(String(spelled.drop { $0 == "-" })), let own = options[spelled]
      else { continue }
      if !own.hasPrefix("-") { return "there is no '\(word)': \(own)" }
      let name = own.dropFirst(2).prefix { $0 != " " }
      if known.contains(String(name)) { return "'\(word)' is \(own) here" }
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
    if message.contains("Missing value for '-") {
      for (option, value) in zip(arguments, arguments.dropFirst())
      where message.contains("'\(option) ") || message.contains("'\(option)'") {
        guard value.hasPrefix("-"), value.dropFirst().first?.isNumber == true else { continue }
        return "\(option) \(value): expected no negative number"
      }
    }
    guard message.contains("nexpected argument"), known.contains("model") else { return nil }
    let prompt = known.contains("prompt") ? ", a text behind --prompt" : ""
    let end = message.hasSuffix(".") ? "" : "."
    return "\(message)\(end) A model goes behind --model\(prompt)"
  }

  /// `-hf NAME` begins like `-h`, which would ask for help.
  static func hidesHelp(_ arguments: [String]) -> Bool { arguments.contains("-hf") }
}
