/// Products and sums that stop at the largest number instead of overflowing: sizes come from
/// outside.
public enum Saturating {
  /// The product of all factors, or the largest number where it is beyond that.
  public static func product(_ factors: Int...) -> Int {
    factors.reduce(1) { result, factor in
      let (value, overflows) = result.multipliedReportingOverflow(by: factor)
      return overflows ? .max : value
    }
  }

  /// The sum of all terms, or the largest number where it is beyond that.
  public static func sum(_ terms: Int...) -> Int {
    terms.reduce(0) { result, term in
      let (value, overflows) = result.addingReportingOverflow(term)
      return overflows ? .max : value
    }
  }
}

extension Int {
  /// How many pieces of `size` it takes to hold this many.
  public func pieces(of size: Int) -> Int { self / size + (self % size == 0 ? 0 : 1) }

  /// The least multiple of `step` that is not below this number.
  public func raised(toMultipleOf step: Int) -> Int {
    Saturating.product(pieces(of: step), step)
  }
}
