import Kernels
import Tensors

/// Keys of length 1 rounded to 8 bits, which say of most pairs that they cannot be similar at a
/// quarter of the work.
///
/// For rounded keys a' and b' with errors e = |a - a'| and f = |b - b'| the cosine a.b is at most
/// a'.b' + e |b| + |a'| f (Cauchy-Schwarz), so a pair below the threshold by more than that needs
/// no exact product.
struct CoarseKeys {
  /// More than what rounding adds to a product of two keys of length 1 in F32.
  private static let slack: Float = 1e-4

  /// Codes of a key, up to a multiple of 8.
  private let width: Int
  /// `[count, width]`.
  private var codes: [Int8]
  private var scales: [Float]
  private var sums: [Int32]
  /// Length of what rounding took from each key.
  private var errors: [Float]
  /// The keys in blocks of 16 rows, as the multiply kernel takes them.
  private let blocks: AlignedBytes
  private let blockBytes: Int
  /// `[rows, columns]` of the last look.
  private var products: [Float] = []

  /// Rounds the keys of `unit`.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  init(_ unit: HeadKeys) throws(TensorError) {
    let (count, dimension) = (unit.count, unit.dimension)
    let padded = count.roundedUp(toMultipleOf: 16)
    width = dimension.roundedUp(toMultipleOf: 8)
    codes = [Int8](repeating: 0, count: padded * width)
    scales = [Float](repeating: 0, count: padded)
    sums = [Int32](repeating: 0, count: scales.count)
    errors = scales
    blockBytes = 16 * width
    blocks = try AlignedBytes(count: padded * width)
    var rest = [Float](repeating: 0, count: dimension)
    for row in 0..<count { round(unit, row, rest: &rest) }
    pack()
  }

  private mutating func round(_ unit: HeadKeys, _ row: Int, rest: inout [Float]) {
    let (dimension, width) = (unit.dimension, width)
    codes.withUnsafeMutableBufferPointer { codes in
      unit.rows.withUnsafeBufferPointer { rows in
        guard let codes = codes.baseAddress, let rows = rows.baseAddress else { return }
        let (key, rounded) = (rows + row * dimension, codes + row * width)
        bb_kernels().pointee.quantize(key, dimension, width, rounded, &scales[row], &sums[row])
        let scale = scales[row]
        rest.withUnsafeMutableBufferPointer { rest in
          for index in rest.indices { rest[index] = key[index] - scale * Float(rounded[index]) }
          errors[row] = sumOfSquares(UnsafeBufferPointer(rest)).squareRoot()
        }
      }
    }
  }

  /// Packs the codes as unsigned ones, with 128 for 0.
  private func pack() {
    blocks.withMutableBytes { target in
      codes.withUnsafeBytes { codes in
        withUnsafeTemporaryAllocation(byteCount: blockBytes, alignment: 16) { unsigned in
          guard let to = target.baseAddress, let from = unsigned.baseAddress else { return }
          for start in stride(from: 0, to: codes.count, by: blockBytes) {
            for index in 0..<blockBytes { unsigned[index] = codes[start + index] ^ 0x80 }
            bb_pack_bytes(from, 16, width, (to + start).assumingMemoryBound(to: UInt8.self))
          }
        }
      }
    }
  }

  /// Those of the keys `rows`, ascending, whose cosine with a key of `block` may be above
  /// `threshold`; `block` starts at a multiple of 16.
  mutating func rows(
    of rows: [Int], thatMayMeet block: Range<Int>, threshold: Float
  ) -> [Int] {
    guard let first = rows.first, let last = rows.last else { return [] }
    if products.count < rows.count * block.count {
      products = [Float](repeating: 0, count: rows.count * block.count)
    }
    if last - first + 1 == rows.count {
      multiply(codes[(first * width)...], scales[first...], sums[first...], rows.count, block)
    } else {
      var gathered: [Int8] = []
      gathered.reserveCapacity(rows.count * width)
      for row in rows { gathered += codes[row * width..<(row + 1) * width] }
      multiply(
        gathered[...], rows.map { scales[$0] }[...], rows.map { sums[$0] }[...], rows.count, block)
    }
    let blockError = errors[block].reduce(0) { max($0, $1) }
    return products.withUnsafeBufferPointer { products in
      rows.enumerated().filter { index, row in
        let margin = errors[row] + (1 + errors[row]) * blockError + Self.slack
        let line = index * block.count..<(index + 1) * block.count
        return products[line].isAny(above: threshold - margin)
      }.map(\.element)
    }
  }

  private mutating func multiply(
    _ codes: ArraySlice<Int8>, _ scales: ArraySlice<Float>, _ sums: ArraySlice<Int32>,
    _ count: Int, _ block: Range<Int>
  ) {
    blocks.withBytes { bytes in
      self.scales.withUnsafeBytes { weights in
        codes.withUnsafeBufferPointer { codes in
          scales.withUnsafeBufferPointer { scales in
            sums.withUnsafeBufferPointer { sums in
              var matrix = bb_matrix()
              matrix.format = BB_ROWS_INT8
              (matrix.rows, matrix.inputs, matrix.group) = (block.count, width, width)
              matrix.lines = bytes.baseAddress.map {
                ($0 + block.lowerBound / 16 * blockBytes).assumingMemoryBound(to: UInt8.self)
              }
              matrix.scales = weights.baseAddress.map {
                ($0 + block.lowerBound * 4).assumingMemoryBound(to: UInt8.self)
              }
              matrix.scale_format = BB_F32
              matrix.zero = 128
              var quantized = bb_activations(
                format: BB_ACTIVATIONS_INT8, values: codes.baseAddress, stride: width, group: width,
                groups: 1, scales: scales.baseAddress, sums: sums.baseAddress)
              bb_multiply(
                bb_kernels(), &matrix, &quantized, count, &products, block.count, 0,
                (block.count + 15) / 16)
            }
          }
        }
      }
    }
  }
}

extension Slice<UnsafeBufferPointer<Float>> {
  /// Whether any element is above `limit`.
  func isAny(above limit: Float) -> Bool {
    let limits = SIMD16<Float>(repeating: limit)
    let bytes = UnsafeRawBufferPointer(base)
    var index = startIndex
    while index + 16 <= endIndex {
      let next = bytes.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
      if any(next .> limits) { return true }
      index += 16
    }
    return base[index..<endIndex].contains { $0 > limit }
  }
}
