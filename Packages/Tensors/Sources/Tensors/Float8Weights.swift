import Foundation
import Kernels

/// A matrix of 8-bit floats (E4M3) with a scale for each group of inputs of a row, kept in its own
/// bits: products make floats of them in registers. Where a model wants its tokens in 8-bit floats
/// too, both are multiplied as pairs of BF16, which hold them exactly, and scales follow behind the
/// sum.
///
/// Sendable by rule: its memory is written while it is made and by nobody later.
public final class Float8Weights: LinearWeights, @unchecked Sendable {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// Inputs that share a scale.
  public let groupSize: Int
  /// What becomes of the activations: `.float8`, or nothing.
  public let tokenRounding: TokenRounding?
  private let packed: PackedMatrix
  /// `[blocks of 16][groups][16]` of F32.
  private let scales: AlignedBytes

  /// Bytes this matrix holds in memory.
  public var byteCount: Int { packed.byteCount }
  /// The format in words.
  public var formatName: String {
    "FP8 " + (groupSize < inFeatures ? "group \(groupSize)" : "per channel")
      + (tokenRounding.map { ", " + $0.title } ?? "")
  }
  /// Bits of a weight.
  public var bits: Int { 8 }
  private var groups: Int { (inFeatures + groupSize - 1) / groupSize }

  /// Takes memory for a matrix; `put` fills it.
  ///
  /// - Parameters:
  ///   - shape: `[out, in]`.
  ///   - groupSize: inputs that share a scale: a multiple of 8, or not fewer than there are.
  ///   - rowScales: `[out, groups]`.
  ///   - tokenRounding: `.float8` where tokens are rounded too; one scale a row is needed then.
  ///   - name: for messages.
  /// - Throws: `TensorError` when the sizes do not fit together or memory is short.
  public init(
    shape: [Int], groupSize: Int, rowScales: [Float], tokenRounding: TokenRounding? = nil,
    name: String
  ) throws(TensorError) {
    guard shape.count == 2, shape[0] > 0, shape[1] > 0, groupSize > 0 else {
      throw .shapeMismatch(what: "\(name) as a matrix", expected: [1, 1], found: shape)
    }
    let (rows, inputs, size) = (shape[0], shape[1], min(groupSize, shape[1]))
    guard size == inputs || size % 8 == 0 else {
      throw .invalidQuantization(
        "\(name): 8-bit floats in groups of \(size) of \(inputs) inputs; expected a multiple of 8")
    }
    guard tokenRounding == nil || tokenRounding == .float8 && size == inputs else {
      throw .invalidQuantization(
        "\(name): tokens rounded as \(tokenRounding?.rawValue ?? "") for groups of \(size) of \(inputs) inputs"
      )
    }
    let (blocks, groups) = ((rows + 15) / 16, (inputs + size - 1) / size)
    guard rowScales.count == rows * groups else {
      throw .invalidQuantization("\(name): \(rowScales.count) scales for [\(rows), \(groups)]")
    }
    outFeatures = rows
    inFeatures = inputs
    self.groupSize = size
    self.tokenRounding = tokenRounding
    let scales = try AlignedBytes(count: blocks * groups * 16 * 4)
    scales.withMutableBytes { target in
      let target = target.bindMemory(to: Float.self)
      for row in 0..<rows {
        for group in 0..<groups {
          target[(row / 16 * groups + group) * 16 + row % 16] = rowScales[row * groups + group]
        }
      }
    }
    self.scales = scales
    packed = PackedMatrix(
      BB_ROWS_FLOAT8, rows: rows, inputs: inputs, group: size,
      lines: try AlignedBytes(weights: blocks * bb_block_bytes(BB_ROWS_FLOAT8, inputs)),
      scales: scales, scaleFormat: BB_F32, zeros: nil, zero: 0)
  }

  /// Rows of codes, row-major, which start at a multiple of 16; threads put different ones, before
  /// the weights are used. Products know no codes of NaN: the scale of their group becomes NaN.
  public func put(_ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer) {
    precondition(
      rows.lowerBound % 16 == 0 && rows.upperBound <= outFeatures
        && bytes.count >= rows.count * inFeatures, "rows \(rows) of \(outFeatures)")
    guard let source = bytes.baseAddress else { return }
    let stride = bb_block_bytes(BB_ROWS_FLOAT8, inFeatures)
    packed.lines.withMutableBytes { target in
      guard let lines = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
        bb_format_of(BB_ROWS_FLOAT8).pointee.pack(
          source + (first - rows.lowerBound) * inFeatures, min(16, rows.upperBound - first),
          inFeatures, lines + first / 16 * stride)
      }
    }
    for row in rows { markNaN(row, source + (row - rows.lowerBound) * inFeatures) }
  }

  /// Makes the scales of groups with a code of NaN, 0x7f or 0xff, NaN.
  private func markNaN(_ row: Int, _ codes: UnsafeRawPointer) {
    guard memchr(codes, 0x7f, inFeatures) != nil || memchr(codes, 0xff, inFeatures) != nil else {
      return
    }
    scales.withMutableBytes { target in
      let target = target.bindMemory(to: Float.self)
      for input in 0..<inFeatures
      where codes.load(fromByteOffset: input, as: UInt8.self) & 0x7f == 0x7f {
        target[(row / 16 * groups + input / groupSize) * 16 + row % 16] = .nan
      }
    }
  }

  /// See `LinearWeights.activations`: as they are, unless the model wants them rounded.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    tokenRounding == nil || numerics == .exact ? .float : .float8
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    packed.product(of: input, as: activations(for: input.numerics), into: y, on: pool)
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    packed.lines.withBytes(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    packed.copyRow(index, into: target)
  }
}
