import Tensors

/// For every key the last key whose cosine with it is above a threshold, without a matrix of keys x
/// keys.
///
/// Columns are taken in blocks from the end. A block is multiplied by the keys before it, and each
/// product serves both of its keys: for the earlier one the later is the last similar if none was
/// found yet; for the later one the earlier is, if no key after it is similar. So at most half of
/// the matrix is looked at, and of that, `CoarseKeys` leaves few pairs to be multiplied in full.
/// Where something is known of the first keys, only blocks with new keys are treated so; of the
/// others, keys whose last similar key is gone go on from there.
struct LastSimilar {
  /// What is set to zero in one row of the matrix of cosines.
  struct Entry: Equatable {
    /// The last similar key, or 0 where there is none.
    var column = 0
    /// Its cosine with the row's key.
    var cosine: Float = 0
    /// Whether the two are similar.
    var isSimilar = false

    /// What it says of later compressions.
    var known: SimilarKey {
      isSimilar ? SimilarKey(bound: Int32(column) + 1, cosine: cosine) : SimilarKey(bound: 0)
    }
  }

  /// Keys of a block of columns: few enough to stay in the first-level cache.
  private static let width = 64
  /// Rows multiplied at once: few enough for the products to stay in the second-level cache.
  private static let height = 256

  private let unit: HeadKeys
  private let threshold: Float
  private let known: [SimilarKey]
  private var coarse: CoarseKeys
  private var entries: [Entry]
  /// For each block that is still to come, the known rows of which no key behind it is similar, and
  /// one in it is or may be.
  private var bounded: [[Int]]
  /// Known rows whose last similar key is gone and that have met no other, ascending.
  private var resumed: [Int] = []
  /// Rows that have met no similar key.
  private var isLooking: [Bool]
  /// `[rows, columns]` of the last comparison.
  private var products: [Float]
  /// Rows that do not follow each other, put together.
  private var gathered: [Float]

  /// One entry for each row; `unit` holds keys of length 1, and `known` says what is known of the
  /// first of them.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  static func search(
    _ unit: HeadKeys, threshold: Float, known: [SimilarKey] = []
  ) throws(TensorError) -> [Entry] {
    var search = try LastSimilar(unit, threshold: threshold, known: known)
    for start in stride(from: (unit.count - 1) / width * width, through: 0, by: -width) {
      let block = start..<min(start + width, unit.count)
      if block.upperBound > known.count {
        search.visit(block)
      } else {
        search.resume(block)
      }
    }
    search.endLooking()
    return search.entries
  }

  private init(_ unit: HeadKeys, threshold: Float, known: [SimilarKey]) throws(TensorError) {
    coarse = try CoarseKeys(unit)
    self.unit = unit
    self.threshold = threshold
    self.known = known
    entries = [Entry](repeating: Entry(), count: unit.count)
    bounded = [[Int]](repeating: [], count: unit.count.pieces(of: Self.width))
    for (row, key) in known.enumerated() where key.bound > 0 {
      bounded[(Int(key.bound) - 1) / Self.width].append(row)
    }
    isLooking = [Bool](repeating: true, count: unit.count)
    products = [Float](repeating: 0, count: Self.height * Self.width)
    gathered = [Float](repeating: 0, count: Self.height * unit.dimension)
  }

  /// Compares the keys of `block` with themselves and with all keys before them.
  private mutating func visit(_ block: Range<Int>) {
    compare(Array(block), with: block, isEarlier: false)
    // Keys of the block without a similar one after them look among the earlier keys, which they
    // all have to meet.
    let isBlockLooking = block.contains { isLooking[$0] }
    var rows = (0..<block.lowerBound).filter { isBlockLooking || isLooking[$0] }
    while !rows.isEmpty {
      compare(Array(rows.suffix(Self.height)), with: block, isEarlier: true)
      rows.removeLast(min(Self.height, rows.count))
    }
  }

  /// Compares the keys of `block` with those whose search was taken up again behind it: theirs is
  /// the next similar key.
  private mutating func resume(_ block: Range<Int>) {
    while bounded.count > block.lowerBound / Self.width {
      for row in bounded.removeLast() where isLooking[row] {
        if known[row].cosine > threshold {
          let column = Int(known[row].bound) - 1
          resolve(row, Entry(column: column, cosine: known[row].cosine, isSimilar: true))
        } else {
          resumed.append(row)
        }
      }
    }
    resumed.removeAll { !isLooking[$0] }
    resumed.sort()
    var rows = resumed
    while !rows.isEmpty {
      compare(Array(rows.suffix(Self.height)), with: block, isEarlier: false)
      rows.removeLast(min(Self.height, rows.count))
    }
  }

  /// Compares the keys `rows`, ascending, with those of `block`, which come after all of them if
  /// `isEarlier`.
  private mutating func compare(_ rows: [Int], with block: Range<Int>, isEarlier: Bool) {
    let width = block.count
    let rows = coarse.rows(of: rows, thatMayMeet: block, threshold: threshold)
    multiply(rows, with: block)
    for (index, row) in rows.enumerated().reversed() {
      for column in (0..<width).reversed() where products[index * width + column] > threshold {
        let key = block.lowerBound + column
        let cosine = products[index * width + column]
        if key != row, isLooking[row] {
          resolve(row, Entry(column: key, cosine: cosine, isSimilar: true))
        }
        if isEarlier, isLooking[key] {
          resolve(key, Entry(column: row, cosine: cosine, isSimilar: true))
        }
      }
    }
  }

  /// Keys without a similar successor drop their similarity to key 0, as the published R-KV code
  /// does.
  private mutating func endLooking() {
    var first = [Float](repeating: 0, count: unit.count)
    first.withUnsafeMutableBufferPointer { first in
      unit.rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress, let first = first.baseAddress else { return }
        unit.multiply(rows, count: 1, keys: 0..<unit.count, into: first)
      }
    }
    for row in entries.indices.dropFirst() where isLooking[row] { entries[row].cosine = first[row] }
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
}
