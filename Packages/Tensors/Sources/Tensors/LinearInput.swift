import Kernels

/// How weights meet activations.
public enum Numerics: String, Sendable, Hashable, Codable, CaseIterable {
  /// Weights are widened to F32 and multiplied with the activations as they are.
  case exact
  /// Activations are rounded to 8 bits, one scale for each row and group of at most 128 inputs, wherever the weights
  /// are integer codes; sums inside a group are then whole numbers. Queries and weights of attention likewise wherever
  /// a cache holds codes. All else as `bf16` has it.
  case int8
  /// Activations are rounded to BF16 wherever the weights are BF16; their products are exact and summed in F32. Likewise the
  /// queries and weights of attention, wherever a cache holds BF16. All else as `exact` has it.
  case bf16
}

/// Rows of activations that one or more matrices are to multiply; what rounding them gives is kept, so that matrices which
/// share an input share the rounding. One thread drives it; it is meant to be used again and again.
public final class LinearInput {
  /// How the rows are multiplied.
  public let numerics: Numerics
  /// `[tokens, width]`.
  public private(set) var floats: UnsafePointer<Float>
  /// Rows.
  public private(set) var tokens = 0
  /// Columns.
  public private(set) var width = 0
  /// The memory at `floats`, where the input has its own.
  private var owned: GrowingBuffer<Float>?
  /// One for each group that matrices have asked for so far.
  private var roundings: [Rounding] = []
  private let halves = GrowingBuffer<UInt16>()
  /// Whether `halves` hold this input.
  private var hasHalves = false

  /// The rows rounded to 8 bits, or memory for them.
  private final class Rounding {
    let group: Int
    var isCurrent = false
    let codes = GrowingBuffer<Int8>()
    let scales = GrowingBuffer<Float>()
    let sums = GrowingBuffer<Int32>()

    init(group: Int) { self.group = group }
  }

  /// An input of `tokens` rows of `width` at `floats`, which must stay where they are while the input is used.
  public init(
    _ floats: UnsafePointer<Float>, tokens: Int, width: Int, numerics: Numerics
  ) {
    self.numerics = numerics
    self.floats = floats
    self.tokens = tokens
    self.width = width
  }

  /// A copy of an input with its columns in another order.
  convenience init(_ input: LinearInput, columns: [Int32]) {
    let (tokens, width) = (input.tokens, input.width)
    let copy = GrowingBuffer<Float>()
    let base = copy.reserve(tokens * width)
    for token in 0..<tokens {
      for (position, column) in columns.enumerated() {
        base[token * width + position] = input.floats[token * width + Int(column)]
      }
    }
    self.init(base, tokens: tokens, width: width, numerics: input.numerics)
    owned = copy
  }

  /// Points at other rows, or at the same rows with new contents.
  public func reset(_ floats: UnsafePointer<Float>, tokens: Int, width: Int) {
    self.floats = floats
    self.tokens = tokens
    self.width = width
    for rounding in roundings { rounding.isCurrent = false }
    hasHalves = false
  }

  /// The rows rounded to BF16 with the elements from one to the next; 0 stands behind the last of a row. Valid until
  /// the next `reset`.
  func inHalves(on pool: ThreadPool) -> (UnsafePointer<UInt16>, stride: Int) {
    let stride = width.roundedUp(toMultipleOf: 32)
    let target = halves.reserve(tokens * stride)
    if !hasHalves {
      let (floats, width, narrow) = (floats, width, bb_kernels().pointee.narrow)
      pool.split(tokens, cost: tokens * width * 4) { part in
        for t in part {
          narrow?(floats + t * width, BB_BF16, target + t * stride, width)
          for k in width..<stride { target[t * stride + k] = 0 }
        }
      }
      hasHalves = true
    }
    return (UnsafePointer(target), stride)
  }

  /// The rows rounded to 8 bits, `group` inputs to a scale. Valid until the next `reset`.
  func rounded(group: Int, on pool: ThreadPool) -> bb_activations {
    let rounding = rounding(of: group)
    let stride = width.roundedUp(toMultipleOf: 64)
    let groups = (width + group - 1) / group
    let codes = rounding.codes.reserve(tokens * stride)
    let scales = rounding.scales.reserve(tokens * groups)
    let sums = rounding.sums.reserve(tokens * groups)
    if !rounding.isCurrent {
      let (floats, width, quantize) = (floats, width, bb_kernels().pointee.quantize)
      pool.split(tokens, cost: tokens * width * 4) { part in
        for t in part {
          quantize?(
            floats + t * width, width, group, codes + t * stride, scales + t * groups,
            sums + t * groups)
        }
      }
      rounding.isCurrent = true
    }
    return bb_activations(
      stride: stride, group: group, groups: groups, codes: codes, scales: scales, sums: sums)
  }

  private func rounding(of group: Int) -> Rounding {
    if let known = roundings.first(where: { $0.group == group }) { return known }
    let new = Rounding(group: group)
    roundings.append(new)
    return new
  }
}
