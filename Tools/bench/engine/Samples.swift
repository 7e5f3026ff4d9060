import Foundation
import TextGeneration
import KVCaches
import DecoderModels

/// Samples of one prompt generated together, against as many single runs: time, and memory to the
/// byte.
struct SampleGroup {
  let pass: ForwardPass
  /// Tokens of the prompt.
  let prompt: Int
  /// Tokens of each text.
  let tokens: Int

  /// What one way took.
  struct Cost {
    let seconds: Double
    let bytes: Int
    let texts: [[Int32]]
  }

  /// Generates samples, `together` at a time; caches that are held at once are counted by one
  /// meter.
  private func run(_ samples: Range<Int>, together: Int) throws -> Cost {
    let ids = (0..<prompt).map { Int32($0 * 37 % 1000) }
    let requests = try samples.map { sample in
      GenerationRequest(
        prompt: ids, sampling: try SamplingOptions(temperature: 0.6, topK: 20, topP: 0.95),
        random: RandomStream(seed: 0, sample: UInt64(sample)), maxTokens: tokens, stopTokens: [])
    }
    let generator = BatchGenerator(pass)
    var texts = [[Int32]](repeating: [], count: requests.count)
    let time = try ContinuousClock().measure {
      try generator.run(requests, concurrency: together) { event in
        if case .finished(let index, let result) = event { texts[index] = result.tokens }
        return .goOn
      }
    }
    return Cost(seconds: time / .seconds(1), bytes: generator.meter.peakBytes, texts: texts)
  }

  /// Compares `count` samples together with as many runs of their own.
  func report(count: Int) throws -> [String: Any] {
    let group = try run(0..<count, together: count)
    let singles = try (0..<count).map { try run($0..<$0 + 1, together: 1) }
    let separate = singles.reduce(0) { $0 + $1.bytes }
    let forecast = KVForecast(
      shape: pass.decoder.shape.cacheShape, policy: KVPolicy(),
      heads: pass.decoder.shape.heads.queries)
    return [
      "samples": count, "prompt_tokens": prompt, "tokens": tokens,
      "seconds_together": group.seconds,
      "seconds_single_runs": singles.reduce(0) { $0 + $1.seconds },
      "kv_bytes_together": group.bytes, "kv_bytes_separate": separate,
      "kv_bytes_saved": separate - group.bytes,
      "kv_bytes_full_prompt_pages_times_others": (count - 1)
        * forecast.fullPageBytes(entries: prompt),
      "texts_equal": group.texts == singles.flatMap(\.texts),
    ]
  }
}
