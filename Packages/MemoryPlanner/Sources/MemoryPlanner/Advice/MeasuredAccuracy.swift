/// An accuracy that a study measured.
public struct MeasuredAccuracy: Sendable, Hashable, Codable {
  /// The model's name.
  public let model: String
  /// Bits of its weights.
  public let bits: Int
  /// The name of the scheme of weights and activations; nil where there is none.
  public let scheme: String?
  /// The KV policy's text form.
  public let kv: String
  /// Tokens of thought.
  public let thinkBudget: Int
  /// Samples that vote.
  public let samples: Int
  /// The rule that ended votes or thoughts early; nil for none.
  public let rule: String?
  /// The part of the tokens that the rule saved; nil without a rule.
  public let saved: Double?
  /// What was asked.
  public let task: TaskKind
  /// Share of right answers, 0 to 1.
  public let accuracy: Double
  /// Its standard error.
  public let standardError: Double?
  /// The study's name.
  public let study: String
  /// The benchmark.
  public let benchmark: String

  /// Keeps what was measured.
  public init(
    model: String, bits: Int, scheme: String? = nil, kv: String, thinkBudget: Int, samples: Int,
    rule: String? = nil, saved: Double? = nil, task: TaskKind, accuracy: Double,
    standardError: Double?, study: String,
    benchmark: String
  ) {
    self.model = model
    self.bits = bits
    self.scheme = scheme
    self.kv = kv
    self.thinkBudget = thinkBudget
    self.samples = samples
    self.rule = rule
    self.saved = saved
    self.task = task
    self.accuracy = accuracy
    self.standardError = standardError
    self.study = study
    self.benchmark = benchmark
  }

  /// What names the configuration it belongs to.
  struct Key: Hashable {
    let model: String
    let bits: Int
    let scheme: String?
    let kv: String
    let thinkBudget: Int
    let samples: Int
    var rule: String?
  }

  /// Whether its benchmark is the one of that name: `aime25` is AIME25, `gpqa` GPQA-Diamond.
  func isAbout(_ name: String) -> Bool {
    let (own, other) = (Self.letters(benchmark), Self.letters(name))
    return own.hasPrefix(other) || other.hasPrefix(own)
  }

  private static func letters(_ name: String) -> String {
    name.lowercased().filter { $0.isLetter || $0.isNumber }
  }

  var key: Key {
    Key(
      model: model, bits: bits, scheme: scheme, kv: kv, thinkBudget: thinkBudget, samples: samples,
      rule: rule)
  }
}

extension Configuration {
  var measurementKey: MeasuredAccuracy.Key {
    MeasuredAccuracy.Key(
      model: model.name, bits: precision.bits, scheme: precision.scheme?.rawValue,
      kv: kv.description, thinkBudget: load.thinkBudget, samples: load.samples,
      rule: thoughtRule ?? voteRule)
  }
}
