import DecoderModels
import Testing

@testable import TextGeneration

/// A head in two parts, of which drawing reads the second only for tokens that may be drawn.
@Suite struct LikeliestTokensTests {
  private static let vocabulary = 6000

  private func texts(_ requests: [GenerationRequest], tokenLimit: Int) throws -> [[Int32]] {
    let pass = try BatchGeneratorTests.makePass(vocabulary: Self.vocabulary, headBits: .twelve)
    var batch = DecodingBatch(
      pass, limits: DecodingBatch.Limits(concurrency: requests.count), tokenLimit: tokenLimit)
    let ids = try requests.map { try batch.submit($0) }
    var found: [RequestID: [Int32]] = [:]
    while !batch.isIdle {
      for case .finished(let id, let result) in try batch.step() { found[id] = result.tokens }
    }
    return ids.map { found[$0] ?? [] }
  }

  /// Who asks for log-probabilities has every logit computed; the text is the same.
  @Test(arguments: [Self.vocabulary, 4000])
  func textsAreThoseOfTheWholeHead(tokenLimit: Int) throws {
    let samplings = try [
      .greedy, SamplingOptions(temperature: 0.6, topK: 20, topP: 0.95),
      SamplingOptions(temperature: 1.4, topK: 60), SamplingOptions(temperature: 0.8, topP: 0.9),
    ]
    var requests = samplings.enumerated().map { index, sampling in
      GenerationRequest(
        prompt: [7, Int32(index), 900], sampling: sampling,
        random: RandomStream(seed: 3, sample: UInt64(index)), maxTokens: 20, stopTokens: [])
    }
    let together = try texts(requests, tokenLimit: tokenLimit)
    let alone = try requests.map { try texts([$0], tokenLimit: tokenLimit)[0] }
    #expect(together == alone)
    for index in requests.indices { requests[index].logprobs = 2 }
    let whole = try texts(requests, tokenLimit: tokenLimit)
    #expect(whole == alone)
    #expect(Set(whole).count == samplings.count)
    #expect(whole.joined().allSatisfy { $0 < tokenLimit })
  }
}
