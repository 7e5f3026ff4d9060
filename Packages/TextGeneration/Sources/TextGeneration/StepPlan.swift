import DecoderModels

/// What one step runs: everything that was appended last, and a share of the prompts that are still
/// on their way.
///
/// A long prompt is cut over steps so that the texts that are being generated do not wait for it.
/// Cuts change no result.
struct StepPlan {
  /// A run for each sequence that takes part: its index and its first so many pending tokens.
  let parts: [(sequence: Int, tokens: Int)]

  /// Most tokens of a prompt in a step whose log-probabilities are wanted.
  private static let scoredTokens = 16

  /// Plans a step.
  ///
  /// - Parameters:
  ///   - sequences: all sequences, in the order in which they started.
  ///   - promptTokens: most prompt tokens of a step in which others generate.
  init(_ sequences: [BatchSequence], promptTokens: Int) {
    let generates = sequences.contains { !$0.isInPrompt }
    var left = generates ? promptTokens : max(promptTokens, ForwardPass.chunk)
    var parts: [(sequence: Int, tokens: Int)] = []
    for (index, sequence) in sequences.enumerated() where sequence.runnable > 0 {
      var count = sequence.isInPrompt ? min(sequence.runnable, left) : sequence.runnable
      // Each row of a prompt that is scored takes memory for the logits of the whole vocabulary.
      if sequence.isInPrompt, sequence.source.scoresPrompt { count = min(count, Self.scoredTokens) }
      if sequence.isInPrompt { left -= count }
      if count > 0 { parts.append((index, count)) }
    }
    self.parts = parts
  }
}
