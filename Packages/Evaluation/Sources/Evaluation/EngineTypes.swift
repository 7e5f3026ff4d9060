import TextGeneration

/// How to sample, as benchmarks, scenarios and requests say it.
public typealias Sampling = TextGeneration.Sampling
/// Why a reply ended.
public typealias FinishReason = TextGeneration.FinishReason
