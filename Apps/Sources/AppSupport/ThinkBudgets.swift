import ArgumentParser

/// Several thinking budgets as a flag gives them: `32,64,128`.
public struct ThinkBudgets: Sendable, Hashable {
  /// The budgets, ascending, each once.
  public let values: [Int]

  /// Reads numbers separated by commas.
  ///
  /// - Throws: `ValidationError` unless all are positive numbers and different.
  public init(parsing text: String) throws {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.filter { $0 != " " })
    }
    let values = numbers.compactMap(\.self)
    guard values.count == numbers.count, values.allSatisfy({ $0 >= 1 }),
      Set(values).count == values.count
    else {
      throw ValidationError(
        "'\(text)': expected different numbers of at least 1 separated by commas, such as 32,64")
    }
    self.values = values.sorted()
  }
}
