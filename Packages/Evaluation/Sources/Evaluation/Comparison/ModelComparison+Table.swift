extension SummaryTable {
  /// Two models side by side: the reference and the candidate, which alone has divergences.
  ///
  /// Divergences are in nats; `_se` is a standard error.
  public init(_ comparison: ModelComparison, reference: String, candidate: String) {
    func row(_ name: String, _ perplexity: Estimate, _ others: [(String, Cell)]) -> [(String, Cell)]
    {
      [
        ("model", .text(name)), ("tokens", .count(Int64(comparison.tokens))),
        ("windows", .count(Int64(comparison.windows))),
      ] + Self.withError("perplexity", perplexity.value, perplexity.standardError) + others
    }
    let high = comparison.highDivergence
    let distance =
      Self.withError(
        "log_perplexity_ratio", comparison.logRatio.value, comparison.logRatio.standardError)
      + Self.withError(
        "kl_mean", comparison.divergence.value, comparison.divergence.standardError)
      + Self.withError("kl_p99.9", high.value, high.standardError)
      + Self.withError(
        "top1_agreement", comparison.agreement.value, comparison.agreement.standardError)
    self.init(rows: [
      row(reference, comparison.referencePerplexity, []),
      row(candidate, comparison.candidatePerplexity, distance),
    ])
  }

  private static func withError(
    _ name: String, _ value: Double, _ error: Double?
  ) -> [(String, Cell)] {
    [(name, .number(value)), ("\(name)_se", error.map(Cell.number) ?? .missing)]
  }
}
