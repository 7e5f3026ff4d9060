import DecoderModels
import KVCaches

/// The logits that a model gives along tokens that are known, read some tokens at a time, so that
/// only few rows are held.
public struct TextLogits {
  /// The tokens.
  public let tokens: [Int32]
  /// Tokens whose rows were read.
  public private(set) var position = 0
  private let prompt: Int
  private let pass: ForwardPass
  private var caches: [KVCache]

  /// Logits of `tokens` from an empty context, the first `prompt` of them the prompt; nil for all,
  /// of which an eviction then keeps more, and no thoughts are told apart.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` where the model's heads cannot be kept as `kv` says.
  public init(
    _ pass: ForwardPass, of tokens: [Int32], prompt: Int? = nil, kv: KVPolicy = .full
  ) throws(KVPolicyError) {
    self.pass = pass
    self.tokens = tokens
    self.prompt = prompt ?? tokens.count
    caches = [try pass.makeCache(kv, meter: KVMeter())]
  }

  /// Reads tokens of which no logits are wanted.
  ///
  /// - Throws: `GenerationError.model`.
  public mutating func skip(_ count: Int) throws(GenerationError) {
    _ = try read(count, .none)
  }

  /// The rows of the next tokens, `[count, vocabulary]`: at most `most`, fewer at the end, then
  /// none.
  ///
  /// - Throws: `GenerationError.model`.
  public mutating func next(_ most: Int = 64) throws(GenerationError) -> [Float] {
    try read(most, .all)
  }

  private mutating func read(_ most: Int, _ rows: LogitRows) throws(GenerationError) -> [Float] {
    let end = min(position + most, tokens.count)
    var found: [Float] = []
    while position < end {
      let stop = position < prompt ? min(end, prompt) : end
      let run = TokenRun(
        cache: 0, tokens: Array(tokens[position..<stop]), endsPrompt: stop >= prompt)
      do {
        try pass.run([run], caches: &caches, rows: rows) { _, _, logits in
          found.append(contentsOf: logits)
        }
      } catch {
        throw .model(error)
      }
      position = stop
    }
    return found
  }
}
