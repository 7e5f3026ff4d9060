import DecoderModels
import KVCaches

/// What can go wrong when text is generated.
public enum GenerationError: Error, Equatable, CustomStringConvertible {
  /// A sampling option outside its range.
  case invalidOption(name: String, value: String, expected: String)
  /// A request without a prompt.
  case emptyPrompt
  /// A prompt that leaves no room for an answer.
  case promptTooLong(tokens: Int, context: Int)
  /// A thinking budget that leaves no room for the answer: `sum` names the parts of `tokens`.
  case budgetTooLong(sum: String, tokens: Int, place: String, limit: Int)
  /// A text that may take more KV cache than there is room for, in bytes; a reply of up to `fits`
  /// tokens would do.
  case memoryExceeded(bytes: Int, kvByteBudget: Int, prompt: Int, reply: Int, fits: Int)
  /// The model produced NaN or infinity: its weights are damaged.
  case nonFiniteLogits(step: Int)
  /// The model's caches cannot be kept as a policy says.
  case cache(KVPolicyError)
  /// The model cannot run what it was given, or no memory is left.
  case model(ModelError)

  /// One sentence with the values.
  public var description: String {
    switch self {
    case .invalidOption(let name, let value, let expected):
      "\(name) is \(value); expected \(expected)"
    case .emptyPrompt:
      "the prompt is empty"
    case .promptTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens; the model's context holds \(context), at least one of which "
        + "has to be generated"
    case .budgetTooLong(let sum, let tokens, let place, let limit):
      "\(sum) = \(tokens) tokens; the \(place) holds \(limit)"
    case .memoryExceeded(let bytes, let kvByteBudget, let prompt, let reply, let fits):
      "prompt \(prompt) + reply \(reply) tokens may take \(bytes) bytes of KV cache; there is room for "
        + "\(max(kvByteBudget, 0))" + (fits > 0 ? ", which a reply of \(fits) tokens fits" : "")
    case .nonFiniteLogits(let step):
      "non-finite logits at step \(step): the model's weights are damaged or overflow"
    case .cache(let error): "\(error)"
    case .model(let error): "\(error)"
    }
  }
}
