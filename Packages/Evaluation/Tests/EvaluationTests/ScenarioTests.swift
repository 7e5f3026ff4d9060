import Testing

@testable import Evaluation

struct ScenarioTests {
  @Test func settingsAreChecked() throws {
    let benchmark = try sums(in: TemporaryFolder())
    let limits = benchmark.definition.limits
    for (limit, samples) in [(0, 1), (-1, 1), (5, 0), (5, 1001)] {
      #expect(throws: EvaluationError.self) {
        try Scenario(
          benchmark, limit: limit, samples: samples, seed: 1, sampling: Sampling(), limits: limits,
          engine: [:])
      }
    }
    #expect(throws: EvaluationError.self) { try TokenLimits(tokens: 0) }
    let few = try Scenario(
      benchmark, limit: 5, seed: 1, sampling: Sampling(), limits: limits, engine: [:])
    #expect(few.items == 5)
    #expect(few.fingerprint != (try scenario(of: benchmark)).fingerprint)
  }

  /// Journals of earlier versions are compared by it.
  @Test func digestsAreThoseOfFIPS180() {
    #expect(
      Scenario.digest(of: "abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
