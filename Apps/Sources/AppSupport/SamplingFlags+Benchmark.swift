import Evaluation

extension SamplingFlags {
  /// The flags, with what a benchmark says where none does.
  public func filled(by definition: BenchmarkDefinition) -> SamplingFlags {
    let own = definition.sampling
    var flags = self
    if !greedy {
      flags.temperature = flags.temperature ?? own.temperature.map { Float($0) }
      flags.topP = flags.topP ?? own.topP.map { Float($0) }
      flags.topK = flags.topK ?? own.topK
      flags.minP = flags.minP ?? own.minP.map { Float($0) }
    }
    return flags
  }
}
