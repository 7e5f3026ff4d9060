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

/// Rows of activations that one or more matrices are to multiply. A row is made and rounded in one go, while it lies in the
/// first-level cache; what that gives is kept, so that matrices which share an input share it. One thread drives it; it is meant to
/// be used again and again.
public final class LinearInput {
  /// Puts a row of the input at a place; called for any row by any thread, perhaps more than once.
  public typealias Row = (_ index: Int, _ target: UnsafeMutablePointer<Float>) -> Void

  /// How the rows are multiplied.
  public let numerics: Numerics
  /// Rows.
  public private(set) var tokens = 0
  /// Columns.
  public private(set) var width = 0
  /// Where the rows come from.
  private var source = Source.memory(nil)
  private let floats = GrowingBuffer<Float>()
  /// One for each group that matrices have asked for so far.
  private var roundings: [Rounding] = []
  private let halves = GrowingBuffer<UInt16>()
  /// Whether `halves` hold this input.
  private var hasHalves = false

  private enum Source {
    case memory(UnsafePointer<Float>?)
    case function(Row)
  }

  /// The rows rounded to 8 bits, or memory for them.
  private final class Rounding {
    let group: Int
    var isCurrent = false
    let codes = GrowingBuffer<Int8>()
    let scales = GrowingBuffer<Float>()
    let sums = GrowingBuffer<Int32>()

    init(group: Int) { self.group = group }
  }

  /// An input without rows.
  public init(numerics: Numerics) { self.numerics = numerics }

  /// An input of `tokens` rows of `width` at `floats`, which must stay where they are while the input is used.
  public convenience init(
    _ floats: UnsafePointer<Float>, tokens: Int, width: Int, numerics: Numerics
  ) {
    self.init(numerics: numerics)
    reset(floats, tokens: tokens, width: width)
  }

  /// The rows of an input with their columns in another order; that input must not be reset before they are used.
  convenience init(_ input: LinearInput, columns: [Int32], on pool: ThreadPool) {
    self.init(numerics: input.numerics)
    let rows = input.rows(on: pool)
    reset(tokens: input.tokens, width: input.width) { [width = input.width] index, target in
      for (position, column) in columns.enumerated() {
        target[position] = rows[index * width + Int(column)]
      }
    }
  }

  /// Points at other rows, or at the same rows with new contents.
  public func reset(_ floats: UnsafePointer<Float>, tokens: Int, width: Int) {
    reset(.memory(floats), tokens: tokens, width: width)
  }

  /// Takes other rows, which are made when a matrix needs them: what `row` reads must stay as it is until then.
  public func reset(tokens: Int, width: Int, row: @escaping Row) {
    reset(.function(row), tokens: tokens, width: width)
  }

  private func reset(_ source: Source, tokens: Int, width: Int) {
    self.source = source
    self.tokens = tokens
    self.width = width
    for rounding in roundings { rounding.isCurrent = false }
    hasHalves = false
  }

  /// `[tokens, width]`. Valid until the next `reset`.
  public func rows(on pool: ThreadPool) -> UnsafePointer<Float> {
    if case .memory(let rows?) = source { return rows }
    let target = floats.reserve(tokens * width)
    if case .function(let row) = source {
      pool.split(tokens, cost: tokens * width * Self.costOfElement) { [width] part in
        for t in part { row(t, target + t * width) }
      }
      source = .memory(target)
    }
    return UnsafePointer(target)
  }

  /// The rows rounded to BF16 with the elements from one to the next; 0 stands behind the last of a row. Valid until
  /// the next `reset`.
  func inHalves(on pool: ThreadPool) -> (UnsafePointer<UInt16>, stride: Int) {
    let stride = Self.stride(of: width * 2) / 2
    let target = halves.reserve(tokens * stride)
    if !hasHalves {
      let (width, narrow) = (width, bb_kernels().pointee.narrow)
      eachRow(on: pool) { t, row in
        narrow?(row, BB_BF16, target + t * stride, width)
        for k in width..<stride { target[t * stride + k] = 0 }
      }
      hasHalves = true
    }
    return (UnsafePointer(target), stride)
  }

  /// The rows rounded to 8 bits, `group` inputs to a scale. Valid until the next `reset`.
  func rounded(group: Int, on pool: ThreadPool) -> bb_activations {
    let rounding = rounding(of: group)
    let stride = Self.stride(of: width)
    let groups = (width + group - 1) / group
    let codes = rounding.codes.reserve(tokens * stride)
    let scales = rounding.scales.reserve(tokens * groups)
    let sums = rounding.sums.reserve(tokens * groups)
    if !rounding.isCurrent {
      let (width, quantize) = (width, bb_kernels().pointee.quantize)
      eachRow(on: pool) { t, row in
        quantize?(
          row, width, group, codes + t * stride, scales + t * groups, sums + t * groups)
      }
      rounding.isCurrent = true
    }
    return bb_activations(
      stride: stride, group: group, groups: groups, codes: codes, scales: scales, sums: sums)
  }

  /// Shows every row to `use`, on any thread; rows that are not in memory are made for it alone.
  private func eachRow(on pool: ThreadPool, _ use: (Int, UnsafePointer<Float>) -> Void) {
    pool.split(tokens, cost: tokens * width * Self.costOfElement) { [source, width] part in
      switch source {
      case .memory(let rows):
        guard let rows else { return }
        for t in part { use(t, rows + t * width) }
      case .function(let row):
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) {
          guard let made = $0.baseAddress else { return }
          for t in part {
            row(t, made)
            use(t, made)
          }
        }
      }
    }
  }

  /// Bytes from one rounded row to the next: an odd number of lines, so that a cache does not keep all rows in the same few places.
  private static func stride(of bytes: Int) -> Int { ((bytes + 63) / 64 | 1) * 64 }

  /// What making and rounding an element costs, in multiply-adds of F32.
  private static let costOfElement = 12

  private func rounding(of group: Int) -> Rounding {
    if let known = roundings.first(where: { $0.group == group }) { return known }
    let new = Rounding(group: group)
    roundings.append(new)
    return new
  }
}
