import Foundation
import Testing

@testable import TextGeneration

@Suite struct SamplerTests {
  let logits: [Float] = [0, 2, 1, 2, -3, 1.5]

  func counts(_ options: SamplingOptions, draws: Int = 20000, limit: Int = Int.max) throws -> [Int]
  {
    let sampler = Sampler(tokenLimit: limit)
    let stream = RandomStream(seed: 1, sample: 2)
    var counts = [Int](repeating: 0, count: logits.count)
    for draw in 0..<draws {
      let id = try logits.withUnsafeBufferPointer {
        try sampler.sample($0, options, uniform: stream.uniform(at: draw), step: draw)
      }
      counts[Int(id)] += 1
    }
    return counts
  }

  @Test func greedyTakesTheLowestOfTheLikeliest() throws {
    #expect(try counts(.greedy, draws: 3) == [0, 3, 0, 0, 0, 0])
  }

  @Test func frequenciesFollowTheSoftmax() throws {
    for temperature: Float in [0.5, 1, 2] {
      let found = try counts(SamplingOptions(temperature: temperature))
      let weights = logits.map { exp(Double($0 / temperature)) }
      let total = weights.reduce(0, +)
      for (count, weight) in zip(found, weights) {
        let expected = weight / total
        let error = (expected * (1 - expected) / 20000).squareRoot()
        #expect(abs(Double(count) / 20000 - expected) < 4.5 * error + 1e-9)
      }
    }
  }

  @Test func filtersKeepWhatTheyShould() throws {
    func kept(_ options: SamplingOptions) throws -> [Int] {
      try counts(options).enumerated().filter { $0.element > 0 }.map(\.offset)
    }
    #expect(try kept(SamplingOptions(temperature: 1, topK: 1)) == [1])
    #expect(try kept(SamplingOptions(temperature: 1, topK: 3)) == [1, 3, 5])
    #expect(try kept(SamplingOptions(temperature: 1, topK: 100)) == [0, 1, 2, 3, 4, 5])
    // The softmax is .33 .33 .20 .12 .045 .002 for ids 1 3 5 2 0 4.
    #expect(try kept(SamplingOptions(temperature: 1, topP: 0.3)) == [1])
    #expect(try kept(SamplingOptions(temperature: 1, topP: 0.6)) == [1, 3])
    #expect(try kept(SamplingOptions(temperature: 1, topP: 0.8)) == [1, 3, 5])
    #expect(try kept(SamplingOptions(temperature: 1, minP: 0.5)) == [1, 3, 5])
    #expect(try kept(SamplingOptions(temperature: 1, topK: 3, topP: 0.7)) == [1, 3])
    let limited = try counts(SamplingOptions(temperature: 1), limit: 2)
    #expect(limited[2...].allSatisfy { $0 == 0 })
  }

  func greedy(
    _ change: (inout Penalties) -> Void, prompt: [Int32] = [], tokens: [Int32] = []
  ) throws -> Int32 {
    var penalties = Penalties()
    change(&penalties)
    let options = try SamplingOptions(temperature: 0, penalties: penalties)
    return try logits.withUnsafeBufferPointer {
      try Sampler().sample(
        $0, options, history: TokenHistory(prompt: prompt, tokens: tokens), uniform: 0, step: 0)
    }
  }

  /// Logits 0 2 1 2 -3 1.5.
  @Test func penaltiesTakeFromWhatStandsInTheText() throws {
    #expect(try greedy({ $0.repetition = 1.1 }, prompt: [1]) == 3)
    #expect(try greedy({ $0.repetition = 1.5 }, prompt: [1], tokens: [3, 3]) == 5)
    #expect(try greedy({ $0.repetition = 0.1 }, prompt: [4]) == 1)
    // Prompts count for repetition alone.
    #expect(try greedy({ $0.presence = 1 }, prompt: [1, 3]) == 1)
    #expect(try greedy({ $0.presence = 0.4 }, tokens: [1, 3, 3]) == 1)
    #expect(try greedy({ $0.frequency = 0.2 }, tokens: [1, 1, 3]) == 3)
    #expect(try greedy({ $0.frequency = 0.4 }, tokens: [1, 1, 3, 3]) == 5)
    #expect(try greedy({ $0.repetition = 2 }, prompt: [-1, 99], tokens: [1]) == 3)
  }

  @Test func noSequenceComesTwice() throws {
    #expect(try greedy({ $0.noRepeatNgram = 2 }, prompt: [5, 1], tokens: [2, 5]) == 3)
    #expect(try greedy({ $0.noRepeatNgram = 3 }, prompt: [5, 1], tokens: [2, 5]) == 1)
    #expect(try greedy({ $0.noRepeatNgram = 1 }, tokens: [1, 3]) == 5)
    // Where nothing would be left, everything is.
    #expect(try greedy({ $0.noRepeatNgram = 1 }, tokens: [0, 1, 2, 3, 4, 5]) == 1)
  }

  /// The rule written out, over histories of few tokens.
  @Test func sequencesAreFoundAsTheRuleSays() throws {
    var generator = RandomStreamGenerator(seed: 4)
    for _ in 0..<500 {
      let all = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
        Int32.random(in: 1...3, using: &generator)
      }
      for length in 1...5 {
        let recent = all.suffix(length - 1)
        let banned = all.indices.filter {
          $0 >= length - 1 && all[($0 - length + 1)..<$0].elementsEqual(recent)
        }.map { Int(all[$0]) }
        let best = logits.indices.filter { !banned.contains($0) }.max {
          logits[$0] < logits[$1] || (logits[$0] == logits[$1] && $0 > $1)
        }
        let drawn = try greedy({ $0.noRepeatNgram = length }, prompt: all)
        #expect(Int(drawn) == best, "\(all), \(length)")
      }
    }
  }

  /// A text of one token throughout takes no longer than another.
  @Test(.timeLimit(.minutes(1))) func longSequencesAreFoundInLinearTime() throws {
    let all = [Int32](repeating: 1, count: 400_000)
    #expect(try greedy({ $0.noRepeatNgram = 200_000 }, prompt: all) == 3)
  }

  /// The candidates found by selection draw as those found by sorting everything do.
  @Test func selectionEqualsSorting() throws {
    var generator = RandomStreamGenerator(seed: 9)
    let sampler = Sampler()
    for size in [2, 3, 21, 40, 300] {
      for k in [1, 2, 19, 20, 64, 299] where k < size {
        for _ in 0..<40 {
          // Few values, so that equals are common.
          let logits = (0..<size).map { _ in Float(Int.random(in: -20...20, using: &generator)) / 8
          }
          let kept = logits.indices.sorted {
            logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1
          }.prefix(k)
          let weights = kept.map { exp(Double(logits[$0]) - Double(logits[kept[0]])) }
          let uniform = Double.random(in: 0..<1, using: &generator)
          var (sum, expected) = (0.0, kept[k - 1])
          for (id, weight) in zip(kept, weights) {
            sum += weight
            if sum > uniform * weights.reduce(0, +) {
              expected = id
              break
            }
          }
          let found = try logits.withUnsafeBufferPointer {
            try sampler.sample(
              $0, SamplingOptions(temperature: 1, topK: k), uniform: uniform, step: 0)
          }
          #expect(found == Int32(expected))
        }
      }
    }
  }

  @Test func whatIsSaidComesBeforeWhatHolds() throws {
    var penalties = Penalties()
    penalties.repetition = 1.25
    let usual = try SamplingOptions(temperature: 0.6, topK: 20, topP: 0.95, penalties: penalties)
    #expect(try usual.overridden(by: Sampling()) == usual)
    let other = try usual.overridden(by: Sampling(temperature: 0, topK: 5))
    #expect(other.temperature == 0 && other.topK == 5 && other.topP == 0.95)
    #expect(other.penalties == penalties)
    #expect(try SamplingOptions.greedy.overridden(by: Sampling(usual)) == usual)
    #expect(Sampling(usual).temperature == 0.6)
    #expect(throws: GenerationError.self) { try Sampling(temperature: .nan) }
    #expect(throws: GenerationError.self) { try Sampling(topP: 1.5) }
    #expect(throws: GenerationError.self) { try Sampling(topK: 0) }
    #expect(throws: GenerationError.self) { try Sampling(minP: 1) }
  }

  @Test func refusesNonsense() throws {
    #expect(throws: GenerationError.self) { try SamplingOptions(temperature: -1) }
    #expect(throws: GenerationError.self) { try SamplingOptions(temperature: .nan) }
    #expect(throws: GenerationError.self) { try SamplingOptions(temperature: 1, topK: 0) }
    #expect(throws: GenerationError.self) { try SamplingOptions(temperature: 1, topP: 0) }
    #expect(throws: GenerationError.self) { try SamplingOptions(temperature: 1, minP: 1) }
    var penalties = Penalties()
    penalties.repetition = 0
    #expect(throws: GenerationError.self) {
      try SamplingOptions(temperature: 1, penalties: penalties)
    }
    for bad: Float in [.nan, .infinity] {
      #expect(throws: GenerationError.nonFiniteLogits(step: 4)) {
        try [0, bad].withUnsafeBufferPointer {
          try Sampler().sample($0, .greedy, uniform: 0, step: 4)
        }
      }
    }
  }

  /// Known answers of Philox 4x32-10, published with its reference implementation (Random123,
  /// kat_vectors).
  @Test func philoxKnownAnswers() {
    #expect(
      RandomStream.philox(counter: .zero, key: .zero)
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      RandomStream.philox(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
  }

  @Test func streamsDiffer() {
    let a = (0..<100).map { RandomStream(seed: 1, sample: 0).uniform(at: $0) }
    #expect(Set(a).count == 100)
    #expect(a.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(a != (0..<100).map { RandomStream(seed: 1, sample: 1).uniform(at: $0) })
    #expect(a != (0..<100).map { RandomStream(seed: 2, sample: 0).uniform(at: $0) })
  }
}
