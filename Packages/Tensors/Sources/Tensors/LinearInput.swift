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
  private var codes: [Int8] = []
  private var scales: [Float] = []
  private var sums: [Int32] = []
  /// The group of what `codes` hold; nil where they hold an earlier input.
  private var roundedGroup: Int?
  private var halves: [UInt16] = []
  /// Whether `halves` hold this input.
  private var hasHalves = false

  /// An input of `tokens` rows of `width` at `floats`, which must stay where they are while the input is used.
  public init(
    _ floats: UnsafePointer<Float>, tokens: Int, width: Int, numerics: Numerics
  ) {
    self.numerics = numerics
    self.floats = floats
    self.tokens = tokens
    self.width = width
  }

  /// Points at other rows, or at the same rows with new contents.
  public func reset(_ floats: UnsafePointer<Float>, tokens: Int, width: Int) {
    self.floats = floats
    self.tokens = tokens
    self.width = width
    roundedGroup = nil
    hasHalves = false
  }

  /// Hands out the rows rounded to BF16 with the elements from one to the next; 0 stands behind the last of a row.
  func withHalves(on pool: ThreadPool, _ body: (UnsafePointer<UInt16>, _ stride: Int) -> Void) {
    let stride = (width + 31) / 32 * 32
    let isNew = !hasHalves
    hasHalves = true
    if halves.count < tokens * stride { halves = [UInt16](repeating: 0, count: tokens * stride) }
    halves.withUnsafeMutableBufferPointer { halves in
      guard let halves = halves.baseAddress else { return }
      if isNew {
        let (floats, width, narrow) = (floats, width, bb_kernels().pointee.narrow)
        pool.split(tokens, cost: tokens * width * 4) { part in
          for t in part {
            narrow?(floats + t * width, BB_BF16, halves + t * stride, width)
            for k in width..<stride { halves[t * stride + k] = 0 }
          }
        }
      }
      body(halves, stride)
    }
  }

  /// Hands out the rows rounded to 8 bits, `group` inputs to a scale.
  func withRounded(group: Int, on pool: ThreadPool, _ body: (bb_activations) -> Void) {
    let stride = (width + 63) / 64 * 64
    let groups = (width + group - 1) / group
    let isNew = roundedGroup != group
    roundedGroup = group
    if codes.count < tokens * stride { codes = [Int8](repeating: 0, count: tokens * stride) }
    if scales.count < tokens * groups {
      scales = [Float](repeating: 0, count: tokens * groups)
      sums = [Int32](repeating: 0, count: tokens * groups)
    }
    codes.withUnsafeMutableBufferPointer { codes in
      scales.withUnsafeMutableBufferPointer { scales in
        sums.withUnsafeMutableBufferPointer { sums in
          guard let codes = codes.baseAddress, let scales = scales.baseAddress,
            let sums = sums.baseAddress
          else { return }
          if isNew {
            let (floats, width, quantize) = (floats, width, bb_kernels().pointee.quantize)
            pool.split(tokens, cost: tokens * width * 4) { part in
              for t in part {
                quantize?(
                  floats + t * width, width, group, codes + t * stride, scales + t * groups,
                  sums + t * groups)
              }
            }
          }
          body(
            bb_activations(
              stride: stride, group: group, groups: groups, codes: codes, scales: scales, sums: sums
            ))
        }
      }
    }
  }
}
