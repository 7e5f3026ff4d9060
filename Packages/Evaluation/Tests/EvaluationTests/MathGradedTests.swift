import Foundation
import Testing

@testable import Evaluation

/// Real solutions with the judgement of another grader (Qwen2.5-Math, 50 problems, 8 solutions
/// each).
@Suite(
  .enabled(
    if: Shared.exists(Shared.benchmarks.appending(path: "math-graded")),
    "needs graded solutions (shared/data/benchmarks/math-graded)"))
struct MathGradedTests {
  struct Problem: Decodable {
    let idx: Int
    let gt: String
    let code: [String]
    let score: [Bool]
  }

  @Test func judgementsAgree() throws {
    let folder = Shared.benchmarks.appending(path: "math-graded")
    let extractor = AnswerExtractor(steps: [.box], grading: .mathematics)
    var total = 0
    var disagreements: [String] = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      var reader = try LineReader(folder.appending(path: file))
      while let line = try reader.next() {
        let problem = try JSONDecoder().decode(Problem.self, from: line.bytes)
        let key = try #require(GradingRule.mathematics.canonical(problem.gt))
        for (number, (text, score)) in zip(problem.code, problem.score).enumerated() {
          let answer = extractor.extract(from: text)?.answer
          total += 1
          if GradingRule.mathematics.areEqual(answer, key) != score {
            disagreements.append(
              "problem \(problem.idx), solution \(number): \(answer ?? "none") against "
                + "\(problem.gt), stored as \(score ? "right" : "wrong")")
          }
        }
      }
    }
    print("graded solutions: \(total), disagreements: \(disagreements)")
    #expect(total >= 400)
    #expect(Double(disagreements.count) <= 0.02 * Double(total), "\(disagreements)")
  }

  /// No two different keys of MATH-500 are taken for the same answer.
  @Test(
    .enabled(
      if: Shared.exists(Shared.benchmarks.appending(path: "math500/math500-even.jsonl")),
      "needs MATH-500 (shared/data/benchmarks/math500)"))
  func differentKeysStayDifferent() throws {
    struct Row: Decodable { let answer: String }
    var reader = try LineReader(Shared.benchmarks.appending(path: "math500/math500-even.jsonl"))
    var keys: [String] = []
    while let line = try reader.next() {
      let answer = try JSONDecoder().decode(Row.self, from: line.bytes).answer
      let key = Array(try #require(GradingRule.mathematics.canonical(answer)).utf8)
      // A number with its unit is no other key than the number.
      let number = Quantity.unmarked(key[...])?.number ?? key[...]
      keys.append(String(decoding: number, as: UTF8.self))
    }
    keys = Array(Set(keys)).sorted()
    var same: [String] = []
    for (place, key) in keys.enumerated() {
      for other in keys[..<place] where GradingRule.mathematics.areEqual(other, key) {
        same.append("\(other) = \(key)")
      }
    }
    print("keys of MATH-500: \(keys.count), pairs taken as equal: \(same)")
    #expect(keys.count > 100)
    #expect(same == [])
  }
}
