/// One text to generate.
public struct GenerationRequest: Sendable {
  /// The prompt's token ids.
  public var prompt: [Int32]
  /// How tokens are drawn.
  public var sampling: SamplingOptions
  /// The sample's random numbers.
  public var random: RandomStream
  /// Most tokens to generate; fewer where the context ends.
  public var maxTokens: Int
  /// Tokens that end the text.
  public var stopTokens: Set<Int32>

  /// A request.
  public init(
    prompt: [Int32], sampling: SamplingOptions, random: RandomStream, maxTokens: Int,
    stopTokens: Set<Int32>
  ) {
    self.prompt = prompt
    self.sampling = sampling
    self.random = random
    self.maxTokens = maxTokens
    self.stopTokens = stopTokens
  }
}

/// Why a text ended.
public enum FinishReason: String, Sendable, Hashable, Codable {
  /// The model ended it.
  case stop
  /// The token limit or the context was reached.
  case length
  /// The caller ended it.
  case cancelled
}

/// A generated text.
public struct GenerationResult: Sendable {
  /// The tokens, without the one that ended the text.
  public let tokens: [Int32]
  /// Why it ended.
  public let finishReason: FinishReason
  /// Bytes of KV pages the sequence held at its end.
  public let kvBytes: Int
  /// Seconds from the start of its prompt to its end.
  public let seconds: Double
}

/// What generating took.
public struct GenerationTimings: Sendable {
  /// Prompt tokens run through the model.
  public var promptTokens = 0
  /// Seconds spent on them.
  public var promptSeconds = 0.0
  /// Tokens generated.
  public var generatedTokens = 0
  /// Seconds spent on them.
  public var generationSeconds = 0.0

  /// Prompt tokens a second.
  public var promptRate: Double { promptSeconds > 0 ? Double(promptTokens) / promptSeconds : 0 }
  /// Generated tokens a second.
  public var generationRate: Double {
    generationSeconds > 0 ? Double(generatedTokens) / generationSeconds : 0
  }
}
