import KVCaches
import Testing

@testable import TextGeneration

@Suite struct LowestMeanTests {
  @Test(arguments: [1, 3, 7, 40])
  func itIsThatOfTheWorstWindow(window: Int) {
    let values = (0..<30).map { Double(($0 * 37) % 23) - 20 }
    var mean = LowestMean(of: window)
    #expect(mean.value == nil)
    for count in 1...values.count {
      mean.take(values[count - 1])
      let seen = Array(values.prefix(count))
      let windows = (0...max(0, count - window)).map { seen.dropFirst($0).prefix(window) }
      let expected = windows.map { $0.reduce(0, +) / Double($0.count) }.min() ?? 0
      #expect(abs((mean.value ?? 1) - expected) < 1e-12)
    }
  }

  /// Of a text it is taken over what was drawn, the same in any batch; branches have their own.
  @Test func textsSayHowSureTheModelWas() throws {
    let pass = try BatchGeneratorTests.makePass(context: 256)
    var requests = try DecodingBatchTests.requests(4)
    for index in requests.indices {
      requests[index].confidenceWindow = 8
      requests[index].logprobs = index < 2 ? 0 : nil
    }
    requests[3].tags = ThinkingTags(open: 4, close: BudgetedGenerationTests.thinkEnd)
    requests[3].maxTokens = 60
    requests[3].budget = try ThinkingBudget(
      tokens: 40, lowerBound: .budget, wait: BudgetedGenerationTests.wait,
      cue: BudgetedGenerationTests.cue, answerLimit: 6)
    requests[3].branches = [17]
    var lowest: [[Double?]] = []
    for concurrency in [1, 4] {
      let generator = BatchGenerator(pass, text: BudgetedGenerationTests.text)
      var drawn = [[Double]](repeating: [], count: requests.count)
      var found = [Double?](repeating: nil, count: requests.count + 1)
      try generator.run(requests, concurrency: concurrency) { event in
        switch event {
        case .token(let index, let token):
          if let logprob = token.logprob { drawn[index].append(logprob.chosen.logprob) }
        case .branched(_, _, let result): found[requests.count] = result.lowestLogprob
        case .finished(let index, let result): found[index] = result.lowestLogprob
        }
        return .goOn
      }
      for index in 0..<2 {
        var mean = LowestMean(of: 8)
        for value in drawn[index] { mean.take(value) }
        #expect(mean.value != nil && mean.value == found[index])
      }
      #expect(drawn[2].isEmpty && drawn[3].isEmpty && !found.contains(nil))
      lowest.append(found)
    }
    #expect(lowest[0] == lowest[1])
    // The same text at a smaller budget.
    requests[3].budget = try ThinkingBudget(
      tokens: 17, lowerBound: .budget, wait: BudgetedGenerationTests.wait,
      cue: BudgetedGenerationTests.cue, answerLimit: 6)
    requests[3].branches = []
    try BatchGenerator(pass, text: BudgetedGenerationTests.text).run([requests[3]]) { event in
      if case .finished(_, let result) = event { #expect(result.lowestLogprob == lowest[0][4]) }
      return .goOn
    }
  }
}
