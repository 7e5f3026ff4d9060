/// Where the advice of arXiv:2510.10964 changes. Sizes are bytes; the paper's GB are GiB.
public enum PaperThresholds {
  /// The effective size of an 8-bit 4B model: smaller ones gain from weights, larger ones from
  /// thought (finding 1).
  public static let eightBit4B = 4_500_610_048
  /// The effective size of an 8-bit 8B model: smaller ones evict rather than quantize their cache
  /// (finding 6).
  public static let eightBit8B = 9_603_803_136
  /// From here on every best configuration above `eightBit4B` thinks for so many tokens or more
  /// (section 4, Figure 2).
  public static let longThought = 20_000
  /// Models up to so many parameters are best at 8 bits in mathematics (finding 2: 0.6B and 1.7B).
  public static let smallModel = 2_500_000_000
  /// The largest model whose 4-bit form beats a smaller one at 8 bits in mathematics (section 4: 4B
  /// with 10k tokens against 1.7B with 18k).
  public static let usefulAtFourBits = 5_000_000_000
  /// Memory from which groups of 4 to 7 samples pay (section 4, Figure 5: 16.4 GB).
  public static let groupsOfFour = Int(16.4 * 1_073_741_824)
  /// Memory from which groups of 8 and more pay (28.9 GB).
  public static let groupsOfEight = Int(28.9 * 1_073_741_824)
  /// Questions at a time from which the smallest model is never best and 4-bit 8B and 14B models
  /// can be (Figure 3).
  public static let largeBatch = 16
  /// Models below so many parameters never are under such a batch (Figure 3: 0.6B).
  public static let tinyModel = 1_000_000_000
  /// Models of more parameters than the 14B one are not among those 4-bit ones.
  public static let largestInBatch = 20_000_000_000
  /// Memory a question at which those 4-bit models are best under a large batch (Figure 3: 1 to 4
  /// GB).
  public static let fourBitPerQuestion = 1 << 30...4 << 30

  /// Group sizes that pay at a memory, for models above `eightBit4B`.
  public static func samples(memory: Int) -> ClosedRange<Int> {
    if memory >= groupsOfEight { return 8...Int(Int32.max) }
    return memory >= groupsOfFour ? 4...7 : 1...3
  }
}
