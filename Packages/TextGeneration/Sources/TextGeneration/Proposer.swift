import KVCaches

/// Offers tokens that may follow texts, so that several are verified in one pass of the model.
///
/// What a batch draws is the token that it would have drawn without: random numbers belong to
/// positions, and a proposal is accepted where it is that token. So a proposer changes the speed of
/// a text and never the text.
///
/// A proposer is the state of one batch, which tells it when texts end.
public protocol Proposer {
  /// The bytes of cache that it holds for a text beside the batch's own; nil for none.
  var cacheForecast: KVForecast? { get }

  /// Proposes tokens for texts; one that is still in its prompt is told of, and gets none.
  ///
  /// - Parameters:
  ///   - texts: the texts, each once.
  ///   - meter: counts the bytes of what it holds.
  /// - Returns: for each text at most `most` tokens.
  /// - Throws: `GenerationError` where a model of its own fails.
  mutating func propose(
    for texts: [ProposalRequest], meter: KVMeter
  ) throws(GenerationError) -> [[Int32]]

  /// Lets go of what it holds for a text that has ended.
  mutating func end(_ text: RequestID)
}

extension Proposer {
  /// No bytes.
  public var cacheForecast: KVForecast? { nil }
  /// Nothing is held.
  public mutating func end(_ text: RequestID) {}
}

/// A text for which tokens are wanted.
public struct ProposalRequest {
  /// Prompt and text so far; of a prompt what has been run.
  public let tokens: [Int32]
  /// Most tokens to propose; 0 for a text that is still in its prompt.
  public let most: Int
  let sequence: BatchSequence

  /// The text.
  public var id: RequestID { sequence.id }

  /// The token that the text draws from logits `[vocabulary]` behind `proposals`, with the random
  /// number of its position: of logits that are alike it is the token that the model itself draws.
  ///
  /// - Throws: `GenerationError.nonFiniteLogits`.
  public func draw(
    _ logits: UnsafeBufferPointer<Float>, behind proposals: [Int32], _ sampler: Sampler
  ) throws(GenerationError) -> Int32 {
    try sequence.draw(logits, behind: proposals, sampler)
  }
}
