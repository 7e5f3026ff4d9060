import Foundation
import Testing

@testable import Evaluation

@Suite struct StudyDefinitionTests {
  private static let head = """
    name: test
    title: A test
    tasks: {nano-math: math, nano-facts: knowledge}

    """
  private static let grid = """
      - benchmarks: [nano-math]
        models: [a, b]
        bits: [16, 4]
        kv: [bf16, "rkv:64,buffer=16"]
        budgets: [32, 16]
        samples: [1, 4]

    """

  private func definition(_ yaml: String) throws -> StudyDefinition {
    try StudyDefinition(yaml: yaml, file: "test.yaml")
  }

  @Test func aGridIsEveryCombination() throws {
    let study = try definition(Self.head + "grids:\n" + Self.grid)
    #expect(study.scenarios.count == 2 * 2 * 2 * 2 * 2)
    #expect(Set(study.scenarios).count == study.scenarios.count)
    #expect(study.runs.count == 8)
    #expect(study.runs.allSatisfy { $0.budgets == [16, 32] && $0.replies == 4 })
    #expect(Set(study.runs.map(\.name)).count == 8)
    // Alone, every scenario would think for its budget with 4 replies; together each run thinks
    // once.
    let tokens = study.tokensPerProblem
    #expect(tokens.shared == 8 * 32 * 4)
    #expect(tokens.naive == 8 * (16 + 32) * 2 * 4)
  }

  @Test func schemesStandBesideBits() throws {
    let grid = Self.grid + "    schemes: [w8a8-int, quik-w4a4]\n"
    let study = try definition(Self.head + "grids:\n" + grid)
    #expect(study.scenarios.count == 2 * 4 * 2 * 2 * 2)
    let sources = study.runs.map(\.source)
    #expect(Set(sources.map(\.weights)) == ["16bit", "4bit", "w8a8-int", "quik-w4a4"])
    #expect(Set(sources.filter { $0.scheme == .quikW4A4 }.map(\.bits)) == [4])
    #expect(Set(study.runs.map(\.name)).count == 16)
  }

  @Test func rulesNeedNoRuns() throws {
    let plain = try definition(Self.head + "grids:\n" + Self.grid)
    let study = try definition(
      Self.head + "rules: [decided, \"beta:0.9\", \"stable:3\"]\ngrids:\n" + Self.grid)
    #expect(study.voteRules == [.decided, .beta(0.9)])
    #expect(study.thoughtRules.map(\.agreeing) == [3])
    #expect(study.runs == plain.runs && study.scenarios == plain.scenarios)
  }

  @Test func gridsShareTheirRuns() throws {
    let second = """
        - {benchmarks: [nano-math], models: [b], bits: [16], kv: [bf16], budgets: [16, 64], samples: [1], replies: 8}

      """
    let study = try definition(Self.head + "grids:\n" + Self.grid + second)
    // (b, 16, bf16, 16, 1) is in both.
    #expect(study.scenarios.count == 32 + 1)
    #expect(study.runs.count == 8)
    let shared = try #require(
      study.runs.first {
        $0.source.model == "b" && $0.source.bits == 16 && "\($0.source.kv)" == "bf16"
      })
    #expect(shared.budgets == [16, 32, 64] && shared.replies == 8)
  }

  @Test(arguments: [
    ("grids: []", "grids"), ("grids:\n  - {}", "benchmarks"), ("", "grids"),
    ("grids:\n" + grid.replacingOccurrences(of: "[a, b]", with: "[]"), "models"),
    ("grids:\n" + grid.replacingOccurrences(of: "[a, b]", with: "[a, a]"), "a twice"),
    ("grids:\n" + grid.replacingOccurrences(of: "[16, 4]", with: "[5]"), "'5'"),
    ("grids:\n" + grid.replacingOccurrences(of: "[32, 16]", with: "[0]"), "'0'"),
    ("grids:\n" + grid.replacingOccurrences(of: "[1, 4]", with: "[1, x]"), "'x'"),
    ("grids:\n" + grid.replacingOccurrences(of: "bf16,", with: "int3,"), "int3"),
    ("grids:\n" + grid.replacingOccurrences(of: "nano-math", with: "aime25"), "tasks"),
    ("grids:\n" + grid + "    replies: 2", "replies"),
    ("grids:\n" + grid + "    schemes: [fast]", "'fast'"),
    ("rules: [all]\ngrids:\n" + grid, "'all'"), ("rules: [stable]\ngrids:\n" + grid, "'stable'"),
    ("grids:\n" + grid + "    schemes: [w8a8-int, w8a8-int]", "twice"),
    ("grids:\n" + grid + "    colour: red", "colour"),
    ("limit: 0\ngrids:\n" + grid, "limit"), ("seeds: 1\ngrids:\n" + grid, "seeds"),
    ("weights: {bits: 4}\ngrids:\n" + grid, "weights.bits"),
  ]) func whatIsWrongIsNamed(rest: String, key: String) {
    #expect {
      try definition(Self.head + rest)
    } throws: { error in
      "\(error)".contains("test.yaml") && "\(error)".contains(key)
    }
  }

  @Test(arguments: ["nano", "paper"]) func shippedStudies(name: String) throws {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(6)
    let file = URL(fileURLWithPath: "/" + root.dropFirst().joined(separator: "/"))
      .appendingPathComponent("studies/\(name).yaml")
    let study = try StudyDefinition(contentsOf: file)
    #expect(study.name == name)
    // The paper measures "more than 1,700 scenarios".
    if name == "paper" { #expect(study.scenarios.count > 1700) }
  }
}
