import Foundation
import SystemCalls
import Testing

@testable import Evaluation

struct PythonRandomTests {
  @Test func drawsAsPythonDoes() {
    var random = PythonRandom(seed: 1234)
    #expect(random.sample(5, below: 100) == [99, 56, 14, 0, 11])
    #expect(random.sample(5, below: 100) == [74, 4, 85, 88, 10])
    #expect(random.sample(10, below: 30) == [3, 24, 11, 7, 0, 25, 28, 27, 20, 19])
    #expect(random.sample(5, below: 7473) == [3966, 5044, 3797, 1216, 747])
    var other = PythonRandom(seed: 0)
    #expect(other.shuffle(10) == [7, 8, 1, 5, 3, 4, 2, 0, 9, 6])
  }
}

/// Prompts and continuations are those of EleutherAI's evaluation harness (0.4.13), whose SHA-256
/// over the same made-up rows stand here.
struct HarnessPromptTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    func write(_ name: String, _ rows: [String]) throws {
      _ = try folder.file(name, rows.joined(separator: "\n"))
    }
    try write("ARC-Challenge-Test.jsonl", (0..<6).map(arc))
    try write("ARC-Challenge-Train.jsonl", (100..<140).map(arc))
    try write("hellaswag_val.jsonl", (0..<6).map(hellaswag))
    try write("hellaswag_train.jsonl", (100..<130).map(hellaswag))
    try write("test/abstract_algebra_test.csv", (0..<3).map(mmlu))
    try write("dev/abstract_algebra_dev.csv", (100..<106).map(mmlu))
    try write("dev.jsonl", (0..<6).map(winogrande))
    try write("train_xl.jsonl", (100..<200).map(winogrande))
    try write("gsm8k/test.jsonl", (0..<6).map(gsm8k))
    try write("gsm8k/train.jsonl", (100..<200).map(gsm8k))
    try write("mmlu-pro/test.jsonl", (0..<3).map(mmluPro))
    try write("mmlu-pro/validation.jsonl", (100..<106).map(mmluPro))
    try write("math/test.jsonl", (0..<6).map(math))
    let head = "narrative,question,choices,answer_index"
    try write("musr/murder_mysteries.csv", [head] + (0..<4).map(musr))
    try write("musr/object_placements.csv", [head, musr(1)])
    try write("musr/team_allocation.csv", [head, musr(1)])
    _ = try folder.file(
      "mc_task.json", "[" + (0..<6).map(truthfulQA).joined(separator: ",") + "]")
  }

  @Test(arguments: [
    (
      "arc-challenge-25shot",
      "434ae2bd6c6ed45ff800d3b6ad05d70599fe4d80cd945ddd4a0bf148e175444d"
    ),
    (
      "hellaswag-10shot",
      "53bbd63d663021d654e81ee6d6f5df17d5bc591025b5c8718e3a24534c327c25"
    ),
    (
      "mmlu-5shot",
      "5a76403e557394862e14af42063b9b7b94ccc0cf1d0d6a93a3b850ea79e6fe97"
    ),
    (
      "truthfulqa-mc2",
      "9161ae8e4aa08d346b3e99098f3a92835f613eea60a50f626792d0c14d5b042f"
    ),
    (
      "winogrande-5shot",
      "90b69f17279366e47d8f4d125be073c093adbf010c21bf35d11e06f17e3227cb"
    ),
    (
      "gsm8k-5shot",
      "cb19f7e573004707dfd73a22c721021d5d0237a5333058568e7677cedd550a94"
    ),
    (
      "arc-challenge-llama",
      "52e43235725348e82cb5f64d20d7a93db26275c0de7985624b0ba443f2b4084c"
    ),
    (
      "mmlu-llama",
      "e9fc9a5fb49f6d6935f2a96ad6b06d410775d9dc0b4df8b3a344e2ccdd9f94d8"
    ),
    (
      "mmlu-cot-llama",
      "cd2caf68d33396d90c6c623dd299e34177782ef0a1ca21fa0381d8ad81928683"
    ),
    (
      "gsm8k-llama",
      "abff740e0ff28b862927fc6d6f8431ff073f3f0ba3b5622ca6563cf27c7f1bec"
    ),
    (
      "mmlu-pro",
      "09ef3a6303349ef08d3e609aa7e2df4c9c90328b53dc27fe32dc5df1c7211a57"
    ),
    (
      "musr",
      "942ba3ee844da501c1080acdb1ebbffd66dc11375592f39afa919eefa659013d"
    ),
    (
      "math-hard",
      "dd0a10af79d66863d6e3cca9567c9fe55e6192b1d9c39e96b54e813cc1ef33e6"
    ),
  ])
  func promptsAreThoseOfTheHarness(name: String, digest: String) throws {
    let definition = try BenchmarkCatalog(ResourceSearch()).definition(named: name)
    let benchmark = try Benchmark(definition, in: DataFolders(folders: [folder.url]))
    #expect(self.digest(of: benchmark) == digest)
  }

  /// All prompts of BIG-Bench Hard's first rows, where they lie beside the repository.
  @Test(
    .enabled(
      if: Shared.exists(Shared.benchmarks.appending(path: "bbh")),
      "needs benchmark data (shared/data/benchmarks/bbh)"))
  func promptsOfAllTasksAreThoseOfTheHarness() throws {
    let definition = try BenchmarkCatalog(ResourceSearch()).definition(named: "bbh")
    let benchmark = try Benchmark(definition, in: DataFolders(folders: [Shared.benchmarks]))
    #expect(benchmark.items.count == 960)
    #expect(
      digest(of: benchmark) == "02d8705d8a88ba90a3d2c86e44d9ca99a60605c323e5df169644ec421acca5a0")
  }

  private func digest(of benchmark: Benchmark) -> String {
    var parts: [String] = []
    for (index, item) in benchmark.items.enumerated() {
      // Of several kinds of stories one was recorded.
      if let group = item.group, ["object_placements", "team_allocation"].contains(group) {
        continue
      }
      let question = benchmark.question(index, order: Array(item.choices.indices))
      if question.candidates.isEmpty {
        parts += [context(question, nil) + question.prefill, ""]
      }
      for candidate in question.candidates {
        parts += [context(question, candidate.prompt), candidate.continuation]
      }
    }
    return Scenario.digest(of: parts.joined(separator: "\0"))
  }

  private func context(_ question: SampleQuestion, _ prompt: String?) -> String {
    guard question.form == .chat else { return question.text(prompt) }
    return question.conversation(prompt).map { "<\($0.role)>\($0.text)<end>" }.joined()
      + "<assistant>"
  }

  private func arc(_ i: Int) -> String {
    let options = (0..<4).map {
      #"{"text": "\#(i + $0) apples", "label": "\#(ChoiceLetter.all[$0])"}"#
    }.joined(separator: ",")
    return #"{"id": "Q\#(i)", "question": {"stem": "What is \#(i) plus \#(i)? ", "choices": "#
      + #"[\#(options)]}, "answerKey": "\#(ChoiceLetter.all[i % 4])"}"#
  }

  private func hellaswag(_ i: Int) -> String {
    let endings = (0..<4).map { #""and goes \#($0). [title] He rests.""# }.joined(separator: ",")
    return #"{"ind": \#(i), "activity_label": "Counting \#(i)", "ctx_a": "A man counts [step] to "#
      + #"\#(i).", "ctx_b": "he  Stops at \#(i)", "endings": [\#(endings)], "label": \#(i % 4)}"#
  }

  private func mmlu(_ i: Int) -> String {
    " How many are \(i) of abstract_algebra?,"
      + ["w", "x", "y", "z"].map { "\(i)\($0)," }.joined() + ChoiceLetter.all[i % 4]
  }

  private func winogrande(_ i: Int) -> String {
    #"{"sentence": "Box \#(i) does not fit the bag because _ is too large number \#(i).", "#
      + #""option1": "box", "option2": "bag", "answer": "\#(1 + i % 2)"}"#
  }

  private func gsm8k(_ i: Int) -> String {
    #"{"question": "What is \#(i) times 1,000?", "answer": "It is \#(i)*1000=<<\#(i)*1000=\#(i)000>>"#
      + #"\#(i)000.\n#### \#(i),000"}"#
  }

  private func truthfulQA(_ i: Int) -> String {
    #"{"question": "Is \#(i) even?", "mc2_targets": {"It is \#(i).": 1, "Yes \#(i)": 1, "#
      + #""No \#(i)": 0, "Never \#(i)": 0}}"#
  }

  private func mmluPro(_ i: Int) -> String {
    let options = "abcdefghij".map { #""\#(i)\#($0)""# }.joined(separator: ",")
    return #"{"question_id": \#(i), "question": "Which is \#(i)?", "options": [\#(options)], "#
      + #""answer": "\#(ChoiceLetter.all[i % 10])", "category": "math"}"#
  }

  private func musr(_ i: Int) -> String {
    #"Once \#(i).,Who \#(i)?,"['A\#(i)', ""B's \#(i)""]",\#(i % 2)"#
  }

  private func math(_ i: Int) -> String {
    #"{"problem": "What is $\#(i)^2$?", "solution": "It is $\\boxed{\#(i * i)}$.", "#
      + #""level": "Level \#(i % 2 == 0 ? 4 : 5)", "type": "Algebra"}"#
  }
}
