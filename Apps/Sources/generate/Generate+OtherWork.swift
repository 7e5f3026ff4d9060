import AppSupport

/// What only looks at prompts and tokens, and the options that it looks at.
extension Generate: CommandOfOtherWork {
  static let otherWork: [OtherWork] = {
    let model: Set = ["model", "pull", "offline"]
    let prompt: Set = [
      "prompt", "prompt-file", "messages", "system", "raw", "no-thinking", "special",
    ]
    return [
      OtherWork("show-prompt", "prints the prompt", with: model.union(prompt)),
      OtherWork("tokenize", "prints tokens", with: model.union(["add-special-tokens"])),
      OtherWork("tokenize-jsonl", "prints tokens", with: model.union(["add-special-tokens"])),
      OtherWork("detokenize-jsonl", "prints texts", with: model),
    ]
  }()
}
