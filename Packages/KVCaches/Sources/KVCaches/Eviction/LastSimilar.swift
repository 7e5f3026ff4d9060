/// For every key the last key whose cosine with it is above a threshold, without a matrix of keys x keys.
///
/// Columns are taken in blocks from the end. A block is multiplied by the keys before it, and each product serves both of
/// its keys: for the earlier one the later is the last similar if none was found yet; for the later one the earlier is, if
/// no key after it is similar. So at most half of the matrix is computed, and far less where keys resemble recent ones.
struct LastSimilar {
  /// What is set to zero in one row of the matrix of cosines.
  struct Entry: Equatable {
    /// The last similar key, or 0 where there is none.
    var column = 0
    /// Its cosine with the row's key.
    var cosine: Float = 0
  }

  /// Keys of a block of columns: few enough to stay in the first-level cache.
  private static let width = 64
  /// Rows multiplied at once: few enough for the products to stay in the second-level cache.
  private static let height = 256

  private let unit: HeadKeys
  private let threshold: Float
  private var entries: [Entry]
  /// Rows that have met no similar key.
  private var isLooking: [Bool]
  /// `[rows, columns]` of the last comparison.
  private var products: [Float]
  /// Rows that do not follow each other, put together.
  private var gathered: [Float]

  /// One entry for each row; `unit` holds keys of length 1.
  static func search(_ unit: HeadKeys, threshold: Float) -> [Entry] {
    var search = LastSimilar(unit, threshold: threshold)
    for start in stride(from: (unit.count - 1) / width * width, through: 0, by: -width) {
      search.visit(start..<min(start + width, unit.count))
    }
    return search.entries
  }

  private init(_ unit: HeadKeys, threshold: Float) {
    self.unit = unit
    self.threshold = threshold
    entries = [Entry](repeating: Entry(), count: unit.count)
    isLooking = [Bool](repeating: true, count: unit.count)
    products = [Float](repeating: 0, count: Self.height * Self.width)
    gathered = [Float](repeating: 0, count: Self.height * unit.dimension)
  }

  /// Compares the keys of `block` with themselves and with all keys before them.
  private mutating func visit(_ block: Range<Int>) {
    compare(Array(block), with: block, isEarlier: false)
    // Keys of the block without a similar one after them look among the earlier keys, which they all have to meet.
    let isBlockLooking = block.contains { isLooking[$0] }
    var rows = (0..<block.lowerBound).filter { isBlockLooking || isLooking[$0] }
    while !rows.isEmpty {
      compare(Array(rows.suffix(Self.height)), with: block, isEarlier: true)
      rows.removeLast(min(Self.height, rows.count))
    }
  }

  /// Compares the keys `rows`, ascending, with those of `block`, which come after all of them if `isEarlier`.
  private mutating func compare(_ rows: [Int], with block: Range<Int>, isEarlier: Bool) {
    let width = block.count
    multiply(rows, with: block)
    for index in hits(rows: rows.count, width: width) {
      let row = rows[index]
      for column in (0..<width).reversed() where products[index * width + column] > threshold {
        let key = block.lowerBound + column
        let cosine = products[index * width + column]
        if key != row, isLooking[row] { resolve(row, Entry(column: key, cosine: cosine)) }
        if isEarlier, isLooking[key] { resolve(key, Entry(column: row, cosine: cosine)) }
      }
    }
    // Whoever finds nothing loses its product with the first key.
    if rows.first == 0 {
      for (column, key) in block.enumerated() where isLooking[key] && key != 0 {
        entries[key].cosine = products[column]
      }
    }
  }

  private mutating func resolve(_ row: Int, _ entry: Entry) {
    entries[row] = entry
    isLooking[row] = false
  }

  /// Fills `products` with those of the keys `rows` and the keys of `block`.
  private mutating func multiply(_ rows: [Int], with block: Range<Int>) {
    guard let first = rows.first, let last = rows.last else { return }
    let dimension = unit.dimension
    let isGathered = last - first + 1 > rows.count
    if isGathered {
      for (index, row) in rows.enumerated() {
        for offset in 0..<dimension {
          gathered[index * dimension + offset] = unit.rows[row * dimension + offset]
        }
      }
    }
    let source = isGathered ? gathered[...] : unit.rows[(first * dimension)...]
    source.withUnsafeBufferPointer { vectors in
      products.withUnsafeMutableBufferPointer { products in
        guard let vectors = vectors.baseAddress, let products = products.baseAddress else { return }
        unit.multiply(vectors, count: rows.count, keys: block, into: products)
      }
    }
  }

  /// The rows of `products` in which anything is above the threshold, from the last.
  private func hits(rows: Int, width: Int) -> [Int] {
    let limit = SIMD16<Float>(repeating: threshold)
    var hits: [Int] = []
    products.withUnsafeBytes { bytes in
      for row in (0..<rows).reversed() {
        var column = row * width
        let end = column + width
        var isHit = false
        while column + 16 <= end {
          let next = bytes.loadUnaligned(fromByteOffset: column * 4, as: SIMD16<Float>.self)
          isHit = isHit || any(next .> limit)
          column += 16
        }
        while column < end {
          isHit = isHit || bytes.load(fromByteOffset: column * 4, as: Float.self) > threshold
          column += 1
        }
        if isHit { hits.append(row) }
      }
    }
    return hits
  }
}
