import AppSupport
import Evaluation
import MemoryPlanner
import NanoModels

/// What ships with the models of one family that a study measured: its figures take the place of derived ones, and what it
/// measured is what a plan chooses from.
struct ShippedStudy {
  /// Its figures.
  let measurements: [MeasuredAccuracy]

  /// The study of some models; nil unless all of them are of one family with a study.
  ///
  /// - Throws: `EvaluationError` naming the file where it is damaged.
  init?(of models: [ModelShape]) throws {
    let family = NanoModels.families.first { family in
      models.allSatisfy { family.names.contains($0.name) }
    }
    guard let file = family.flatMap({ NanoModels.study(of: $0, in: Resources.search) }) else {
      return nil
    }
    measurements = try StudyResults(contentsOf: file).measurements
  }

  /// The weight bits that it has of a task, most first.
  func bits(_ task: TaskKind) -> [Int] { values(task, \.bits).reversed() }

  /// The KV policies, the whole cache first.
  func policies(_ task: TaskKind) -> [String] {
    values(task, \.kv).sorted { ($0 == "bf16" ? "" : $0) < ($1 == "bf16" ? "" : $1) }
  }

  /// The thinking budgets.
  func budgets(_ task: TaskKind) -> [Int] { values(task, \.thinkBudget) }

  /// The group sizes.
  func samples(_ task: TaskKind) -> [Int] { values(task, \.samples) }

  private func values<Value: Hashable & Comparable>(
    _ task: TaskKind, _ value: (MeasuredAccuracy) -> Value
  ) -> [Value] {
    Set(measurements.filter { $0.task == task && $0.scheme == nil }.map(value)).sorted()
  }
}
