import Testing

@testable import MemoryPlanner

/// The planner against what the paper says in words.
@Suite struct PlannerTests {
  private func model(_ name: String) throws -> ModelShape {
    try #require(Qwen3Family.models.first { $0.name == name })
  }

  /// Whether one configuration is placed before another when both fit.
  private func places(
    _ first: (String, bits: Int, tokens: Int), before second: (String, bits: Int, tokens: Int),
    memory: Int, task: TaskKind = .math
  ) throws -> Bool {
    func ranks(_ choice: (String, bits: Int, tokens: Int)) throws -> Rank {
      let configuration = Configuration(
        model: try model(choice.0), precision: try WeightPrecision(bits: choice.bits), kv: .full,
        load: try Load(thinkBudget: choice.tokens))
      let situation = Situation(memory: memory, task: task)
      let expected = try #require(ExpectedAccuracy(configuration, situation))
      return Rank(
        Advice(
          configuration: configuration, memory: configuration.memory(.paperTable),
          expected: expected, seconds: nil, savings: [], measurement: nil,
          judgements: situation.judgements(of: configuration)), situation,
        standing: expected.value)
    }
    return try ranks(first) < ranks(second)
  }

  @Test func comparisonsOfSection4() throws {
    let gibibyte = 1 << 30
    #expect(try places(("1.7b", 8, 6000), before: ("0.6b", 8, 18_000), memory: 3 * gibibyte))
    #expect(try places(("4b", 4, 10_000), before: ("1.7b", 8, 18_000), memory: 4 * gibibyte))
    #expect(try places(("8b", 8, 30_000), before: ("14b", 4, 30_000), memory: 15 * gibibyte))
    #expect(try places(("14b", 8, 22_000), before: ("32b", 4, 22_000), memory: 24 * gibibyte))
    #expect(try places(("8b", 16, 22_000), before: ("32b", 4, 22_000), memory: 24 * gibibyte))
    // Finding 2 the other way round for knowledge.
    #expect(
      try places(
        ("14b", 4, 22_000), before: ("8b", 8, 22_000), memory: 14 * gibibyte, task: .knowledge))
  }

  private func best(
    _ memory: String, _ task: TaskKind, batch: Int = 1, latency: Bool = false
  ) throws -> Advice {
    let request = try PlanRequest(
      memory: try ByteCount(parsing: memory).bytes, task: task, models: Qwen3Family.models,
      thinkBudgets: [2000, 10_000, 22_000, 30_000], samples: [1, 4, 8], batch: batch,
      prefersLatency: latency)
    let advice = try Planner.advise(request)
    #expect(advice.allSatisfy { $0.memory.total <= request.memory })
    return try #require(advice.first)
  }

  @Test func theBestFollowsTheFindings() throws {
    for memory in ["1GiB", "2GiB", "4GiB", "8GiB", "16GiB", "32GiB", "64GiB", "200GiB"] {
      for task in TaskKind.allCases {
        let best = try best(memory, task)
        let against = best.judgements.filter { !$0.agrees && $0.finding == 6 }
        #expect(against.isEmpty, "\(memory) \(task): \(best.configuration) \(against)")
        let situation = Situation(memory: try ByteCount(parsing: memory).bytes, task: task)
        let paying = situation.payingSamples(best.configuration)
        #expect(best.configuration.load.samples <= paying)
      }
    }
  }

  @Test func samplesGrowWithTheMemory() throws {
    let eight = try best("8GiB", .math).configuration
    // With 20 GiB a larger model with one sample comes first.
    let middle = try best("19GiB", .math).configuration
    let forty = try best("40GiB", .math).configuration
    #expect(eight.load.samples < 4)
    #expect((4..<8).contains(middle.load.samples))
    #expect(forty.load.samples >= 8)
    #expect(eight.load.thinkBudget >= 20_000)
  }

  @Test func tasksAndLatencyDecideTheBits() throws {
    #expect(try best("8GiB", .math).configuration.precision.bits == 8)
    #expect(try best("8GiB", .knowledge).configuration.precision.bits == 4)
    #expect(try best("3GiB", .math).configuration.precision.bits != 16)
    let fast = try best("16GiB", .math, latency: true).configuration
    #expect(fast.model.name == "4b" && fast.precision.bits >= 8)
  }

  @Test func aBatchSharesTheWeightsButNotTheCaches() throws {
    let one = try best("16GiB", .math)
    let many = try best("16GiB", .math, batch: 16)
    #expect(many.memory.total <= 16 << 30)
    #expect(many.configuration.kv != .full)
    #expect(many.configuration.load.samples <= one.configuration.load.samples)
    #expect(many.configuration.model.name != "0.6b")
  }

  @Test func measurementsComeFirst() throws {
    let request = try PlanRequest(
      memory: 8 << 30, task: .math, models: Qwen3Family.models, thinkBudgets: [2000],
      samples: [1])
    let measured = [("0.6b", 0.4), ("1.7b", 0.3)].map { name, accuracy in
      MeasuredAccuracy(
        model: name, bits: 4, kv: "bf16", thinkBudget: 2000, samples: 1, task: .math,
        accuracy: accuracy, standardError: 0.02, study: "test", benchmark: "aime25")
    }
    let elsewhere = MeasuredAccuracy(
      model: "4b", bits: 4, kv: "bf16", thinkBudget: 2000, samples: 1, task: .knowledge,
      accuracy: 0.9, standardError: nil, study: "test", benchmark: "gpqa")
    let advice = try Planner.advise(request, measurements: measured + [elsewhere])
    let order = advice.compactMap(\.measurement?.model)
    #expect(order == ["0.6b", "1.7b"])
    #expect(advice.first?.expected?.origin == .measured)
    #expect(advice.contains { $0.expected?.origin == .derived })
  }

  @Test func theSecondShippedFamilyRisesWithSizeOnBothTasks() throws {
    let names = ["nano2-0.2m", "nano2-0.5m", "nano2-1m", "nano2-2.2m"]
    for task in TaskKind.allCases {
      let known = try names.map { try #require(PublishedAccuracy.of($0, task)) }
      for (small, large) in zip(known, known.dropFirst()) {
        #expect(large.accuracy > small.accuracy + 2 * (small.error + large.error))
      }
      #expect(Set(known.map(\.benchmark)) == [task == .math ? "nano-reckoning" : "nano-hops"])
    }
  }

  /// What is measured on an easier benchmark changes no place between models that it is not about.
  @Test func figuresOfAnotherBenchmarkAreNotHeldAgainstThePublishedOnes() throws {
    let request = try PlanRequest(
      memory: 24 << 30, task: .math, models: Qwen3Family.models, thinkBudgets: [30_000],
      samples: [1])
    let measured = [("0.6b", 0.99), ("1.7b", 0.5)].map { name, accuracy in
      MeasuredAccuracy(
        model: name, bits: 8, kv: "bf16", thinkBudget: 30_000, samples: 1, task: .math,
        accuracy: accuracy, standardError: 0.01, study: "test, gsm8k", benchmark: "gsm8k")
    }
    let advice = try Planner.advise(request, measurements: measured)
    let models = advice.map(\.configuration.model.name)
    let firstSmall = try #require(models.firstIndex { $0 == "0.6b" || $0 == "1.7b" })
    #expect(try #require(models.firstIndex(of: "8b")) < firstSmall)
    #expect(advice.compactMap(\.measurement?.model) == ["0.6b", "1.7b"])
  }

  @Test(arguments: ["4GiB", "6GiB", "8GiB", "12GiB", "16GiB", "24GiB", "32GiB", "64GiB"])
  func aSmallModelNeverStandsAboveALargeOneThatFits(memory: String) throws {
    for task in TaskKind.allCases {
      let request = try PlanRequest(
        memory: ByteCount(parsing: memory).bytes, task: task, models: Qwen3Family.models)
      let rows = Planner.bestOfEach(try Planner.advise(request))
      let values = try rows.map { try #require($0.expected).value }
      #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 - 0.001 })
      let models = rows.map(\.configuration.model.name)
      if let large = models.firstIndex(of: "8b"), let small = models.firstIndex(of: "0.6b") {
        #expect(large < small, "\(memory) \(task)")
      }
      #expect(rows.allSatisfy { $0.expected?.range.contains($0.expected?.value ?? -1) == true })
    }
  }

  @Test func secondsAreAConstraint() throws {
    var request = try PlanRequest(memory: 16 << 30, task: .math, models: Qwen3Family.models)
    let rates = Dictionary(uniqueKeysWithValues: request.precisions.map { ($0, 1e12) })
    let speed = MachineSpeed(bytesPerSecond: 50e9, multiplyAddsPerSecond: rates)
    let free = try Planner.advise(request, speed: speed)
    #expect(free.allSatisfy { ($0.seconds ?? 0) > 0 })
    request.seconds = 600
    let bound = try Planner.advise(request, speed: speed)
    #expect(bound.allSatisfy { ($0.seconds ?? .infinity) <= 600 })
    #expect(try #require(bound.first?.expected?.value) < #require(free.first?.expected?.value))
    request.seconds = 1
    #expect {
      try Planner.advise(request, speed: speed)
    } throws: { error in
      guard case PlannerError.tooSlow(_, let least, _) = error else { return false }
      return least > 1
    }
    // A machine may be as slow as anybody says.
    let slowest = PlannerError.tooSlow(seconds: 0.5, least: 1e30, configuration: "4b")
    #expect("\(slowest)" == "nothing that fits answers within 0.5 s; the fastest takes 1e+30 s: 4b")
  }

  @Test func publishedFiguresAreTheMakers() throws {
    let situation = Situation(memory: 64 << 30, task: .math)
    let whole = Configuration(
      model: try model("8b"), precision: .bf16, kv: .full, load: try Load(thinkBudget: 30_000))
    let expected = try #require(ExpectedAccuracy(whole, situation))
    #expect(expected.origin == .published && abs(expected.value - 0.673) < 1e-9)
    #expect(expected.source.contains("2505.09388"))
    #expect(abs(Logarithm.ofTwo(60) - 5.906890595608519) < 1e-12)
    #expect(Logarithm.ofTwo(0.25) == -2)
  }

  @Test func whatFitsNothingNamesTheLeastThatWould() throws {
    let request = try PlanRequest(memory: 100 << 20, task: .math, models: Qwen3Family.models)
    let smallest = try #require(
      try request.configurations().map { $0.memory(request.accounting).total }.min())
    #expect {
      try Planner.advise(request)
    } throws: { error in
      guard case PlannerError.nothingFits(let memory, let least, let configuration) = error else {
        return false
      }
      return memory == 100 << 20 && least == smallest && configuration.hasPrefix("0.6b at 4 bits")
    }
  }

  @Test func requestsThatOfferNothingAreRefused() throws {
    let model = try model("4b")
    for (budgets, samples) in [([], [1]), ([2000], []), ([50_000], [1]), ([2000], [0])] {
      let request = try PlanRequest(
        memory: 8 << 30, task: .math, models: [model], thinkBudgets: budgets, samples: samples)
      #expect(throws: PlannerError.self) { try request.configurations() }
    }
  }

  @Test func aTokenMeetsFewOfManyExperts() throws {
    let (small, large) = (Qwen3Family.mixtures[0], Qwen3Family.mixtures[1])
    #expect((30.4e9...30.6e9).contains(Double(small.parameters)))
    #expect((3.3e9...3.4e9).contains(Double(small.activeParameters)))
    #expect((234e9...236e9).contains(Double(large.parameters)))
    #expect((22e9...22.3e9).contains(Double(large.activeParameters)))
    let four = try WeightPrecision(bits: 4)
    let all =
      four.packedBytes(rows: 768, columns: 2048) * 2 + four.packedBytes(rows: 2048, columns: 768)
    let idle = { Double(small.idleBytes(four, tokens: $0)) / Double(48 * 128 * all) }
    #expect(abs(idle(1) - 120.0 / 128) < 1e-6)
    #expect(abs(idle(16) - 0.3561) < 1e-3)
    #expect(idle(0) == 1 && idle(2000) < 1e-6)
  }

  /// A head of 12 bits is read in part where few tokens are drawn, as `generate` does.
  @Test func aStepReadsTheFirstPartOfAHead() throws {
    let speed = MachineSpeed(bytesPerSecond: 1e9)
    func bytesPerToken(bits: Int, sequences: Int) throws -> (read: Double, held: Double) {
      func seconds(_ answer: Int) throws -> (Double, MemoryUse) {
        let configuration = Configuration(
          model: try model("0.6b"), precision: try WeightPrecision(bits: bits), kv: .full,
          load: try Load(thinkBudget: 1, prompt: 1, answer: answer, batch: sequences))
        let memory = configuration.memory()
        return (speed.seconds(configuration, memory), memory)
      }
      let (short, long) = (try seconds(1), try seconds(101))
      // What a whole model reaches of a reading.
      return ((long.0 - short.0) / 100 * 1e9 * 0.8, Double(long.1.weights))
    }
    // Codes of four bits and their scales for 151,936 rows of 1024.
    let second = 151_936.0 * 1024 * (0.5 + 4.0 / 128)
    let one = try bytesPerToken(bits: 8, sequences: 1)
    #expect(abs(one.held - one.read - second) < 0.2 * second)
    let many = try bytesPerToken(bits: 8, sequences: 65)
    #expect(many.read >= many.held)
    let four = try bytesPerToken(bits: 4, sequences: 1)
    #expect(four.read >= four.held)
  }

  @Test func aMixtureAnswersSoonerThanADenseModelOfItsSize() throws {
    let four = try WeightPrecision(bits: 4)
    let speed = MachineSpeed(bytesPerSecond: 5e10)
    func seconds(_ model: ModelShape, samples: Int) throws -> Double {
      let configuration = Configuration(
        model: model, precision: four, kv: .full,
        load: try Load(thinkBudget: 2000, samples: samples))
      return speed.seconds(configuration, configuration.memory())
    }
    let (mixture, dense) = (Qwen3Family.mixtures[0], try model("32b"))
    #expect(try seconds(mixture, samples: 1) < seconds(dense, samples: 1) / 4)
    #expect(try seconds(mixture, samples: 64) > 3 * seconds(mixture, samples: 1))
    let advice = try Planner.advise(
      PlanRequest(
        memory: 24 << 30, task: .math, models: Qwen3Family.models + Qwen3Family.mixtures))
    let expected = try #require(
      advice.first { $0.configuration.model.name == "30b-a3b" }?.expected)
    #expect(expected.source.contains("2505.09388"))
  }
}
