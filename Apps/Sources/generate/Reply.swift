import AppSupport
import Generation
import Tokenizer

/// A generated text as people read it.
struct Reply {
  /// As it was generated.
  let result: GenerationResult
  /// The whole text, put-in words included.
  let text: String
  /// What its last box holds, outside the thought where the model marks one; nil for no answer.
  let answer: String?

  init(_ result: GenerationResult, tokenizer: TextTokenizer, tags: ThinkingTags?) {
    self.result = result
    text = tokenizer.decode(result.tokens, skipSpecialTokens: true)
    let start = tags == nil ? 0 : result.counts.thought
    answer = BoxedText.last(
      in: tokenizer.decode(Array(result.tokens.dropFirst(start)), skipSpecialTokens: true))
  }
}
