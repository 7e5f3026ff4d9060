extension KVPolicy {
  /// How one layer is stored: a policy without exceptions.
  public func layer(_ index: Int) -> KVPolicy {
    exceptions.isEmpty ? self : KVPolicy(tiers: exceptions[index] ?? tiers, as: self)
  }

  /// The policy with other exceptions.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` naming the layer.
  public func with(exceptions: [Int: [KVTier]]) throws(KVPolicyError) -> KVPolicy {
    try KVPolicy(
      tiers: tiers, exceptions: exceptions, group: group, keyAxis: keyAxis, scheme: scheme,
      rule: rule, rotation: rotation, eviction: eviction, thoughts: thoughts)
  }

  /// The policy with another eviction.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` where thoughts are told apart.
  public func with(eviction: Eviction) throws(KVPolicyError) -> KVPolicy {
    try KVPolicy(
      tiers: tiers, exceptions: exceptions, group: group, keyAxis: keyAxis, scheme: scheme,
      rule: rule, rotation: rotation, eviction: eviction, thoughts: thoughts)
  }

  /// The fewest bits in which keys or values are stored in any layer.
  public var fewestBits: Int {
    (([tiers] + exceptions.values).compactMap(\.last) + (thoughts?.kinds ?? []))
      .map { min($0.keys.bits, $0.values.bits) }.min() ?? KVFormat.bf16.bits
  }

  /// The tiers of one format behind the residual of this policy, or the usual one.
  func tiers(of last: KVTier) -> [KVTier] {
    guard last.isQuantized else { return [last] }
    let format = [last.keys, last.values].first { !$0.isQuantized } ?? recent
    return [
      KVTier(keys: format, values: format, tokens: tiers[0].tokens ?? Self.defaultResidual), last,
    ]
  }

  /// The exceptions as texts, such as `L0-3=int8/int4`, neighbours of one kind together.
  var exceptionTexts: [String] {
    var runs: [(layers: ClosedRange<Int>, tiers: [KVTier])] = []
    for (layer, tiers) in exceptions.sorted(by: { $0.key < $1.key }) {
      if let last = runs.last, last.layers.upperBound + 1 == layer, last.tiers == tiers {
        runs[runs.count - 1].layers = last.layers.lowerBound...layer
      } else {
        runs.append((layer...layer, tiers))
      }
    }
    return runs.map { layers, tiers in
      let isUsual = tiers.last.map { tiers == self.tiers(of: $0) } ?? false
      let text =
        isUsual ? "\(tiers[tiers.count - 1])" : tiers.map(\.description).joined(separator: ",")
      let last = layers.count > 1 ? "-\(layers.upperBound)" : ""
      return "L\(layers.lowerBound)\(last)=\(text)"
    }
  }

  /// The layers that the key of an exception names, as `L3` or `L0-3`; nil where it is none.
  static func layers(named key: Substring) -> ClosedRange<Int>? {
    guard key.first == "L" else { return nil }
    let ends = key.dropFirst().split(separator: "-", omittingEmptySubsequences: false).map {
      $0.allSatisfy(\.isNumber) ? Int($0) : nil
    }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
      first <= last, last < mostLayers
    else { return nil }
    return first...last
  }

  /// No model has so many layers; a text may name none beyond.
  private static let mostLayers = 1 << 12
}
