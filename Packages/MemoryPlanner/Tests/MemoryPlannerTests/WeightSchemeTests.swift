import Testing

@testable import MemoryPlanner

/// Schemes of weights and activations as an axis of plans.
@Suite struct WeightSchemeTests {
  private func model(_ name: String) throws -> ModelShape {
    try #require((Qwen3Family.models + Qwen3Family.mixtures).first { $0.name == name })
  }

  private func expected(
    _ scheme: WeightScheme, _ name: String, _ task: TaskKind = .math
  ) throws -> ExpectedAccuracy {
    let configuration = Configuration(
      model: try model(name), precision: WeightPrecision(scheme), kv: .full,
      load: try Load(thinkBudget: 30_000))
    return try #require(
      ExpectedAccuracy(configuration, Situation(memory: 64 << 30, task: task)))
  }

  @Test(arguments: TaskKind.allCases) func roundedActivationsNeverAnswerBetter(task: TaskKind)
    throws
  {
    for scheme in WeightScheme.allCases {
      let alone = Configuration(
        model: try model("8b"), precision: try WeightPrecision(bits: scheme.bits), kv: .full,
        load: try Load(thinkBudget: 30_000))
      let weights = try #require(
        ExpectedAccuracy(alone, Situation(memory: 64 << 30, task: task)))
      let both = try expected(scheme, "8b", task)
      #expect(both.value <= weights.value && both.origin == .derived)
      #expect(scheme == .w4a16 || both.steps.contains { $0.hasPrefix(scheme.rawValue) })
    }
    let steps = try expected(.w8a8Integer, "8b").steps.joined(separator: "; ")
    #expect(steps.contains("AIME24 of R1-Distill-Llama-8B"))
  }

  @Test func whatIsOnOfferDependsOnWhetherWaitingCounts() throws {
    func schemes(_ latency: Bool, _ seconds: Double?) throws -> [WeightScheme] {
      try PlanRequest(
        memory: 16 << 30, task: .math, models: Qwen3Family.models, prefersLatency: latency,
        seconds: seconds
      ).precisions.compactMap(\.scheme)
    }
    #expect(try schemes(false, nil) == [])
    #expect(try schemes(true, nil) == [.w8a8Integer] && schemes(false, 60) == [.w8a8Integer])
  }

  @Test func modelsThatCannotBeRotatedAreLeftOut() throws {
    let rotated = [WeightPrecision(.w4a4Rotated)]
    let both = try PlanRequest(
      memory: 64 << 30, task: .math, models: [model("30b-a3b"), model("4b")],
      precisions: rotated, thinkBudgets: [2000], samples: [1])
    #expect(Set(try both.configurations().map(\.model.name)) == ["4b"])
    let none = try PlanRequest(
      memory: 64 << 30, task: .math, models: [model("30b-a3b")], precisions: rotated,
      thinkBudgets: [2000], samples: [1])
    #expect {
      try none.configurations()
    } throws: { error in
      "\(error)".contains("w4a4-rotated") && "\(error)".contains("can be rotated")
    }
  }

  /// A prompt of many tokens waits for multiplying, a token of thought for reading.
  @Test func aFasterProductShortensPromptsAlone() throws {
    let eight = try WeightPrecision(bits: 8)
    let speed = MachineSpeed(
      bytesPerSecond: 5e10,
      multiplyAddsPerSecond: [eight: 1e12, WeightPrecision(.w8a8Integer): 2e12])
    func seconds(_ precision: WeightPrecision, prompt: Int, thought: Int) throws -> Double {
      let configuration = Configuration(
        model: try model("4b"), precision: precision, kv: .full,
        load: try Load(thinkBudget: thought, prompt: prompt, answer: 1))
      return speed.seconds(configuration, configuration.memory())
    }
    let prompts = try [eight, WeightPrecision(.w8a8Integer)].map {
      try seconds($0, prompt: 8192, thought: 0)
    }
    #expect(prompts[1] < 0.55 * prompts[0])
    let thoughts = try [eight, WeightPrecision(.w8a8Integer)].map {
      try seconds($0, prompt: 1, thought: 2000)
    }
    #expect(abs(thoughts[1] / thoughts[0] - 1) < 0.03)
  }

  @Test func measurementsOfASchemeAreItsOwn() throws {
    let request = try PlanRequest(
      memory: 8 << 30, task: .math, models: [model("4b")],
      precisions: [WeightPrecision(bits: 8), WeightPrecision(.w8a8Integer)],
      thinkBudgets: [2000], samples: [1])
    let measured = MeasuredAccuracy(
      model: "4b", bits: 8, scheme: "w8a8-int", kv: "bf16", thinkBudget: 2000, samples: 1,
      task: .math, accuracy: 0.9, standardError: 0.01, study: "test", benchmark: "aime25")
    let advice = try Planner.advise(request, measurements: [measured])
    #expect(
      advice.filter { $0.measurement != nil }.map(\.configuration.precision.title) == ["w8a8-int"])
    #expect(
      Planner.bestOfEach(advice).map(\.configuration.precision.title) == ["w8a8-int", "8 bits"])
  }

  /// Outliers are of the layer's width, the wide layer has 8 bits, a rotated head is its own.
  @Test func bytesFollowTheForms() throws {
    let shape = try model("4b")
    let quik = WeightPrecision(.quikW4A4)
    let wide = BlockShape.Linear(rows: 2560, columns: 9728, isWide: true)
    // 160 outliers of 2560, three times as many of 9728.
    #expect(WeightScheme.quikW4A4.outliers(inputs: 9728, width: 2560) == 480)
    #expect(
      quik.packedBytes(of: wide, width: 2560)
        == 2560 * (9248 + 2 + 2 * 480 + 4) + 4 * 9728)
    let (plain, rotated) = (
      Accounting.actual.weights(shape, try WeightPrecision(bits: 4)),
      Accounting.actual.weights(shape, WeightPrecision(.w4a4Rotated))
    )
    // A scale a row for one in 128 inputs, and the embedding beside the head.
    #expect(rotated - plain > 2 * shape.embeddingParameters - shape.linearParameters / 64)
    let small = StoredWeights(shape, WeightPrecision(.w8a8Integer)).bytes
    #expect(small < StoredWeights(shape, try WeightPrecision(bits: 8)).bytes)
  }
}
