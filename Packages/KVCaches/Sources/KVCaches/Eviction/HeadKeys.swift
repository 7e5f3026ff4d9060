import Kernels
import Tensors

/// The keys of one KV head of one layer as floats, both row by row and in the kernels' blocks of 16
/// rows, so that many dot products are one call of the multiply kernel. Lives for the length of one
/// compression.
public struct HeadKeys {
  /// Number of keys.
  public let count: Int
  /// Values in one.
  public let dimension: Int
  /// `[count, dimension]`.
  public private(set) var rows: [Float]
  private var blocks: AlignedBytes
  private let blockBytes: Int

  /// Packs `rows` `[count, dimension]`.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(_ rows: [Float], dimension: Int) throws(TensorError) {
    self.rows = rows
    self.dimension = dimension
    count = rows.count / dimension
    blockBytes = bb_block_bytes(BB_ROWS_F32, dimension)
    blocks = try AlignedBytes(count: (count + 15) / 16 * blockBytes)
    let (count, blockBytes) = (count, blockBytes)
    blocks.withMutableBytes { target in
      rows.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for block in 0..<(count + 15) / 16 {
          bb_pack_words(
            from + block * 16 * dimension, min(16, count - block * 16), dimension,
            (to + block * blockBytes).assumingMemoryBound(to: UInt8.self))
        }
      }
    }
  }

  /// Writes the products of `vectors` `[n, dimension]` with the keys of `range`, which starts at a
  /// multiple of 16, into `products` `[n, range.count]`.
  func multiply(
    _ vectors: UnsafePointer<Float>, count n: Int, keys range: Range<Int>,
    into products: UnsafeMutablePointer<Float>
  ) {
    blocks.withBytes { bytes in
      var matrix = bb_matrix()
      matrix.format = BB_ROWS_F32
      matrix.rows = range.count
      matrix.inputs = dimension
      matrix.group = dimension
      matrix.lines = bytes.baseAddress.map {
        ($0 + range.lowerBound / 16 * blockBytes).assumingMemoryBound(to: UInt8.self)
      }
      var activations = bb_floats(vectors, dimension)
      bb_multiply(
        bb_kernels(), &matrix, &activations, n, products, range.count, 0, (range.count + 15) / 16)
    }
  }

  /// The keys divided by their length (plus 1e-8, as R-KV's code has it), and the squared lengths
  /// they then have.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  consuming func normalized() throws(TensorError) -> (keys: HeadKeys, squares: [Float]) {
    var unit = self
    var factors = [Float](repeating: 0, count: unit.count.roundedUp(toMultipleOf: 16))
    var squares = [Float](repeating: 0, count: unit.count)
    let dimension = unit.dimension
    unit.rows.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for row in squares.indices {
        let values = UnsafeMutableBufferPointer(start: base + row * dimension, count: dimension)
        let square = sumOfSquares(UnsafeBufferPointer(values))
        factors[row] = 1 / (square.squareRoot() + 1e-8)
        squares[row] = square * factors[row] * factors[row]
        for index in values.indices { values[index] *= factors[row] }
      }
    }
    guard isKnownUniquelyReferenced(&unit.blocks) else {
      return (try HeadKeys(unit.rows, dimension: dimension), squares)
    }
    unit.scaleBlocks(factors)
    return (unit, squares)
  }

  /// Multiplies every key by its factor in the blocks, which hold each component of 16 rows
  /// together.
  private func scaleBlocks(_ factors: [Float]) {
    blocks.withMutableBytes { bytes in
      factors.withUnsafeBytes { factors in
        for block in 0..<bytes.count / max(1, blockBytes) {
          let factor = factors.loadUnaligned(fromByteOffset: block * 64, as: SIMD16<Float>.self)
          for line in stride(from: block * blockBytes, to: (block + 1) * blockBytes, by: 64) {
            let values = bytes.load(fromByteOffset: line, as: SIMD16<Float>.self)
            bytes.storeBytes(of: values * factor, toByteOffset: line, as: SIMD16<Float>.self)
          }
        }
      }
    }
  }
}

/// Sum of squares in sixteen chains, in one fixed order.
func sumOfSquares(_ values: UnsafeBufferPointer<Float>) -> Float {
  var chains = SIMD16<Float>.zero
  var index = 0
  let bytes = UnsafeRawBufferPointer(values)
  while index + 16 <= values.count {
    let part = bytes.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
    chains += part * part
    index += 16
  }
  var sum = chains.sum()
  for rest in values[index...] { sum += rest * rest }
  return sum
}
