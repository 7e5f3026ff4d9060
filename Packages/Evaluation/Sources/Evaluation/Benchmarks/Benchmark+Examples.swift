import Foundation

extension Benchmark {
  /// What the definition takes its examples from.
  ///
  /// - Throws: ``EvaluationError`` where their data is missing or wrong.
  static func examples(
    _ definition: BenchmarkDefinition, _ items: [BenchmarkItem], _ folders: DataFolders
  ) throws(EvaluationError) -> [BenchmarkItem] {
    guard let shots = definition.shots, shots.count > 0, shots.items == nil else { return [] }
    if shots.fromItems == true { return items }
    var layouts = definition
    layouts.data = shots.data
    let (source, files) = try fitting(folders.locate(layouts))
    return try Self.items(definition, source, files)
  }

  /// The answered questions before each item, in their order.
  ///
  /// - Throws: ``EvaluationError`` where there are fewer than the definition wants.
  func drawExamples() throws(EvaluationError) -> [[Int]] {
    guard let shots = definition.shots, shots.count > 0, shots.items == nil else { return [] }
    switch shots.take {
    case .first: return try firstExamples(shots.count)
    case .random: return try randomExamples(shots)
    }
  }

  /// The first examples of each item's group, or of all where examples belong to none.
  private func firstExamples(_ count: Int) throws(EvaluationError) -> [[Int]] {
    var byGroup: [String: [Int]] = [:]
    for (index, example) in examples.enumerated() {
      byGroup[example.group ?? "", default: []].append(index)
    }
    var drawn: [[Int]] = []
    for item in items {
      let pool = byGroup[item.group ?? ""] ?? byGroup[""] ?? []
      guard pool.count >= count else {
        throw tooFew(pool.count, count, item.group.map { " of group \($0)" } ?? "")
      }
      drawn.append(Array(pool.prefix(count)))
    }
    return drawn
  }

  /// Examples drawn item by item from one generator, as a harness that walks through the items
  /// draws them.
  private func randomExamples(_ shots: Shots) throws(EvaluationError) -> [[Int]] {
    let excludesItem = shots.fromItems == true
    let count = shots.count + (excludesItem ? 1 : 0)
    guard examples.count >= count else { throw tooFew(examples.count, count, "") }
    var random = PythonRandom(seed: shots.seed ?? Self.exampleSeed)
    return items.indices.map { index in
      let drawn = random.sample(count, below: examples.count)
      return Array(drawn.filter { !excludesItem || $0 != index }.prefix(shots.count))
    }
  }

  /// The seed of examples by which results are published.
  private static var exampleSeed: UInt32 { 1234 }

  private func tooFew(_ found: Int, _ wanted: Int, _ place: String) -> EvaluationError {
    .setting(
      name: "the number of examples\(place)", value: "\(wanted)",
      expected: "at most \(found), which the data has")
  }
}
