/// What a sequence tends to, by Wynn's epsilon algorithm (1956), which removes terms that shrink
/// geometrically whatever their ratios are.
enum SequenceLimit {
  /// As many terms are asked for at most.
  private static let mostTerms = 24
  /// How nearly the estimates of two lengths have to agree.
  private static let tolerance = 1e-10

  /// The limit of a sequence whose later terms are nearer to it by a constant factor or more.
  ///
  /// - Parameter term: the term of an index from 0 on; nil where it has no value.
  /// - Returns: nil where the terms do not settle.
  static func value(_ term: (Int) -> ComplexNumber?) -> ComplexNumber? {
    var terms: [ComplexNumber] = []
    var last: ComplexNumber?
    while terms.count < mostTerms {
      guard let next = term(terms.count), next.isFinite else { return nil }
      terms.append(next)
      guard terms.count >= 6 else { continue }
      // Differences that do not shrink have an estimate too, of no meaning.
      let steps = zip(terms.dropFirst(), terms).suffix(3).map { ($0 - $1).magnitude }
      // Later terms may be beyond what numbers hold.
      if steps[1].isZero, steps[2].isZero { return next }
      let scale = terms.map(\.magnitude).reduce(0, max)
      let isSettled = steps.allSatisfy { $0 <= 1e-14 * scale }
      guard isSettled || (steps[2] < 0.95 * steps[1] && steps[1] < 0.95 * steps[0]) else {
        last = nil
        continue
      }
      let estimate = isSettled ? next : extrapolated(terms)
      if let last, (estimate - last).magnitude <= tolerance * estimate.magnitude + 1e-13 * scale {
        return estimate.magnitude <= 1e-12 * scale ? ComplexNumber(0) : estimate
      }
      last = estimate
    }
    return nil
  }

  /// The entry of the epsilon table that all terms go into.
  private static func extrapolated(_ terms: [ComplexNumber]) -> ComplexNumber {
    // Even columns hold estimates; with an even number of terms the first one is left out.
    let used = Array(terms.dropFirst(terms.count % 2 == 0 ? 1 : 0))
    var before = [ComplexNumber](repeating: ComplexNumber(0), count: used.count + 1)
    var column = used
    while column.count > 1 {
      var next: [ComplexNumber] = []
      for index in 0..<(column.count - 1) {
        let step = column[index + 1] - column[index]
        let value = before[index + 1] + ComplexNumber(1) / step
        // Equal neighbours in an even column are the limit itself.
        guard value.isFinite else {
          return (used.count - column.count) % 2 == 0 ? column[index + 1] : used[used.count - 1]
        }
        next.append(value)
      }
      (before, column) = (column, next)
    }
    return column[0]
  }
}
