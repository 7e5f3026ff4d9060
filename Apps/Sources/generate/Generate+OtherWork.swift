import AppSupport

/// Options of `generate` that have no effect beside others, or without them.
extension Generate: CommandOfOtherWork {
  static let otherWork: [OtherWork] = {
    let model: Set = ["model", "pull", "offline"]
    let prompt: Set = [
      "prompt", "prompt-file", "messages", "system", "raw", "no-thinking", "special",
    ]
    let engine: Set = ["ids", "threads", "numerics", "head-bits"]
    return [
      OtherWork("show-prompt", "prints the prompt", with: model.union(prompt)),
      OtherWork("tokenize", "prints tokens", with: model.union(["add-special-tokens"])),
      OtherWork("tokenize-jsonl", "prints tokens", with: model.union(["add-special-tokens"])),
      OtherWork("detokenize-jsonl", "prints texts", with: model),
      OtherWork("logits", "writes logits", with: model.union(engine).union(CacheFlags.names)),
      OtherWork("print-ids", "prints ids", without: ["stop", "hide-thinking", "batch"]),
      OtherWork("greedy", "takes the likeliest token", without: ["seed"]),
    ]
  }()

  static let dependentOptions = [DependentOption("batch", needs: ["samples", "memory"])]
}
