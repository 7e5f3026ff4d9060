/// Dense linear algebra on row-major F32 matrices, on the kernels' `multiply`.
///
/// Results depend neither on the number of threads nor on the processor: the work is cut into tiles
/// of a fixed size, every tile is summed in one order, and the pool only decides who computes which
/// tile.
///
/// Matrices are given as pointers to their first element and, where they may be part of a larger
/// one, a row stride in elements. The caller vouches for the sizes.
public struct LinearAlgebra: Sendable {
  typealias Operand = TileProduct.Operand

  /// The threads that share the tiles.
  public let pool: ThreadPool
  /// The working memory of each thread.
  private let products: [TileProduct]
  let workspace = Workspace()

  /// Rows and columns of a tile of products.
  static let tile = TileProduct.side
  /// Rows and columns of a tile of the triangular routines, whose diagonal is factored by one
  /// thread.
  static let triangleTile = 128

  /// Takes the working memory: 1 MiB a thread. Operands that are stored the other way round are
  /// copied besides.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(pool: ThreadPool) throws(TensorError) {
    self.pool = pool
    var products: [TileProduct] = []
    for _ in 0..<pool.workers { products.append(try TileProduct()) }
    self.products = products
  }

  /// `c = scale * op(a) * b`, or `c += scale * op(a) * b`, with c `[m, n]`, b `[k, n]` and op(a)
  /// `[m, k]`.
  ///
  /// `a` is stored as `[m, k]`, or as `[k, m]` when `transposed`. The strides are the elements from
  /// one row of a matrix to the next; `scale` is a power of two with a sign.
  public func multiply(
    m: Int, n: Int, k: Int, scale: Float = 1, _ a: UnsafePointer<Float>, aStride: Int,
    transposed: Bool = false, _ b: UnsafePointer<Float>, bStride: Int, adding: Bool = false,
    into c: UnsafeMutablePointer<Float>, cStride: Int
  ) {
    let (rows, columns) = (Self.tiles(m), Self.tiles(n))
    let (b, c) = (ReadOnlyMemory(b), DisjointMemory(c))
    let (left, leftStride) =
      transposed
      ? (exchanged(a, aStride, rows: k, columns: m), k) : (ReadOnlyMemory(a), aStride)
    forEach(rows.count * columns.count) { index, product in
      let (row, column) = (rows[index / columns.count], columns[index % columns.count])
      product.run(
        rows: row.count, columns: column.count, inner: k, scale: scale,
        Operand(values: left + row.lowerBound * leftStride, stride: leftStride),
        Operand(values: b + column.lowerBound, stride: bStride), adds: adding,
        into: c + row.lowerBound * cStride + column.lowerBound, stride: cStride)
    }
  }

  /// Adds `x^T x`, x `[rows, order]`, to the lower triangle of h `[order, order]`; of what is above
  /// the diagonal, only tiles on it are written.
  public func addGram(
    of x: UnsafePointer<Float>, rows: Int, order: Int, to h: UnsafeMutablePointer<Float>
  ) {
    let left = exchanged(x, order, rows: rows, columns: order)
    let (x, h) = (ReadOnlyMemory(x), DisjointMemory(h))
    forEachTileBelowDiagonal(order) { part, columns, product in
      product.run(
        rows: part.count, columns: columns.count, inner: rows, scale: 1,
        Operand(values: left + part.lowerBound * rows, stride: rows),
        Operand(values: x + columns.lowerBound, stride: order), adds: true,
        into: h + part.lowerBound * order + columns.lowerBound, stride: order)
    }
  }

  /// Runs `body` for rows and columns of tiles that cover the lower triangle of a matrix, each by
  /// whichever thread is free and with its working memory.
  func forEachTileBelowDiagonal(
    _ order: Int, _ body: @Sendable (Range<Int>, Range<Int>, TileProduct) -> Void
  ) {
    let tiles = Self.tiles(order)
    forEach(tiles.count * (tiles.count + 1) / 2) { index, product in
      let position = Self.trianglePosition(index)
      let (i, j) = (tiles[position.row], tiles[position.column])
      // Of a tile on the diagonal a quarter is not asked for.
      let isDiagonal = position.row == position.column
      let middle = isDiagonal ? i.lowerBound + min(Self.tile / 2, i.count) : i.lowerBound
      for (part, columns) in [
        (i.lowerBound..<middle, j.lowerBound..<middle), (middle..<i.upperBound, j),
      ]
      where !part.isEmpty { body(part, columns, product) }
    }
  }

  /// Replaces a symmetric matrix a `[order, order]`, given by its lower triangle, by its Cholesky
  /// factor: `a = L L^T`, L lower triangular. Zeros are written above the diagonal. Left half done
  /// when this throws.
  ///
  /// Goes from tile to tile of the diagonal: factors it, multiplies what is below by the factor's
  /// inverse, and takes the products of that from the rest.
  ///
  /// - Throws: `TensorError.linearAlgebra` naming the order at which the matrix is not positive
  ///   definite.
  public func factorCholesky(_ a: UnsafeMutablePointer<Float>, order: Int) throws(TensorError) {
    let tiles = Self.tiles(order, of: Self.triangleTile)
    var inverse = [Float](repeating: 0, count: Self.triangleTile * Self.triangleTile)
    var below = [Float](repeating: 0, count: order * Self.triangleTile)
    for (k, diagonal) in tiles.enumerated() {
      let (first, size) = (diagonal.lowerBound, diagonal.count)
      if let failed = Triangle.factor(a + first * order + first, stride: order, size: size) {
        throw .linearAlgebra("not positive definite at order \(first + failed + 1) of \(order)")
      }
      Triangle.invert(a + first * order + first, stride: order, size: size, into: &inverse)
      let rest = Array(tiles[(k + 1)...])
      below.withUnsafeMutableBufferPointer { below in
        inverse.withUnsafeBufferPointer { inverse in
          guard let start = below.baseAddress, let factor = inverse.baseAddress else { return }
          let (panel, inverse) = (DisjointMemory(start), ReadOnlyMemory(factor))
          // Both regions write tiles of their own: the first the panel, from what is left of the
          // diagonal; the second what is below and right of it.
          let a = DisjointMemory(a)
          forEach(rest.count) { index, product in
            let start = rest[index].lowerBound
            product.run(
              rows: rest[index].count, columns: size, inner: size, scale: 1,
              Operand(values: a + start * order + first, stride: order),
              Operand(values: inverse.base, stride: size, isTransposed: true), adds: false,
              into: panel + start * size, stride: size)
          }
          forEach(rest.count * (rest.count + 1) / 2) { index, product in
            let position = Self.trianglePosition(index)
            let (i, j) = (rest[position.row], rest[position.column])
            product.run(
              rows: i.count, columns: j.count, inner: size, scale: -1,
              Operand(values: panel + i.lowerBound * size, stride: size),
              Operand(values: panel + j.lowerBound * size, stride: size, isTransposed: true),
              adds: true, into: a + i.lowerBound * order + j.lowerBound, stride: order)
          }
          for row in rest.flatMap(\.self) {
            (a + row * order + first).update(from: panel + row * size, count: size)
          }
        }
      }
    }
    let a = DisjointMemory(a)
    pool.split(order, granularity: 16) { rows in
      for row in rows { (a + row * order + row + 1).update(repeating: 0, count: order - row - 1) }
    }
  }

  /// Replaces a lower triangular matrix, with zeros above its diagonal, by its inverse.
  ///
  /// Goes down the rows of tiles: `X[i, j] = -L[i, i]^-1 * (sum over j <= k < i of L[i, k] X[k,
  /// j])`. l is `[order, order]`, with no zero on its diagonal.
  public func invertLowerTriangle(_ l: UnsafeMutablePointer<Float>, order: Int) {
    let side = Self.triangleTile
    let tiles = Self.tiles(order, of: side)
    var (original, sums) = (
      [Float](repeating: 0, count: side * order), [Float](repeating: 0, count: side * order)
    )
    var inverse = [Float](repeating: 0, count: side * side)
    for (i, rows) in tiles.enumerated() {
      let (first, size) = (rows.lowerBound, rows.count)
      let panel = l + first * order
      Triangle.invert(panel + first, stride: order, size: size, into: &inverse)
      for row in 0..<size {
        for column in 0..<size {
          panel[row * order + first + column] = inverse[row * size + column]
        }
      }
      original.withUnsafeMutableBufferPointer { original in
        sums.withUnsafeMutableBufferPointer { sums in
          guard let copy = original.baseAddress, let products = sums.baseAddress else { return }
          copy.update(from: panel, count: size * order)
          // A worker writes its columns of the rows; what it reads of `l` is above them.
          let (original, sums) = (ReadOnlyMemory(UnsafePointer(copy)), DisjointMemory(products))
          let (l, panel) = (ReadOnlyMemory(l), DisjointMemory(panel))
          forEach(i) { j, product in
            let columns = tiles[j]
            let left = columns.lowerBound
            product.run(
              rows: size, columns: columns.count, inner: first - left, scale: 1,
              Operand(values: original + left, stride: order),
              Operand(values: l + left * order + left, stride: order), adds: false,
              into: sums + left, stride: order)
            product.run(
              rows: size, columns: columns.count, inner: size, scale: -1,
              Operand(values: original + first, stride: order),
              Operand(values: sums + left, stride: order), adds: false, into: panel + left,
              stride: order)
          }
        }
      }
    }
  }

  /// `trace(d h d^T)` for d `[rows, order]` and a symmetric h `[order, order]`, at half the work of
  /// two products.
  public func quadraticTrace(
    of d: UnsafePointer<Float>, rows: Int, order: Int, in h: UnsafePointer<Float>
  ) -> Double {
    let rowTiles = Self.tiles(rows)
    let tiles = Self.tiles(order)
    var parts = [Double](repeating: 0, count: rowTiles.count * tiles.count)
    let (d, h) = (ReadOnlyMemory(d), ReadOnlyMemory(h))
    parts.withUnsafeMutableBufferPointer { all in
      guard let base = all.baseAddress else { return }
      let parts = DisjointMemory(base)
      forEach(all.count) { index, product in
        let (left, height) = (tiles[index % tiles.count], rowTiles[index / tiles.count])
        let target = UnsafeMutablePointer(mutating: product.spare.start(of: Float.self))
        // What is below a tile of the diagonal counts twice, for what is above it.
        let dRows = d + height.lowerBound * order
        let below = order - left.upperBound
        for (first, count, weight, adds) in [
          (left.lowerBound, left.count, Float(1), false), (left.upperBound, below, 2, true),
        ] where count > 0 {
          product.run(
            rows: height.count, columns: left.count, inner: count, scale: weight,
            Operand(values: dRows + first, stride: order),
            Operand(values: h + first * order + left.lowerBound, stride: order), adds: adds,
            into: target, stride: left.count)
        }
        for row in 0..<height.count {
          parts[index] += Triangle.dot(
            dRows + row * order + left.lowerBound, target + row * left.count, left.count)
        }
      }
    }
    return parts.reduce(0, +)
  }

  /// A copy of a matrix `[rows, columns]` with rows and columns exchanged; valid until the next
  /// one.
  func exchanged(
    _ a: UnsafePointer<Float>, _ stride: Int, rows: Int, columns: Int
  ) -> ReadOnlyMemory<Float> {
    let target = DisjointMemory(workspace.exchanged.reserve(rows * columns))
    let a = ReadOnlyMemory(a)
    pool.split(columns, granularity: 16) { part in
      for column in Swift.stride(from: part.lowerBound, to: part.upperBound, by: 16) {
        let width = min(16, part.upperBound - column)
        for row in Swift.stride(from: 0, to: rows, by: 16) {
          let height = min(16, rows - row)
          for i in 0..<width {
            let (to, from) = (target + (column + i) * rows + row, a + row * stride + column + i)
            for k in 0..<height { to[k] = from[k * stride] }
          }
        }
      }
    }
    return ReadOnlyMemory(target.base)
  }

  /// Runs `body` for 0..<count, each by whichever thread is free and with its working memory.
  private func forEach(_ count: Int, _ body: @Sendable (Int, TileProduct) -> Void) {
    guard count > 1, pool.workers > 1 else {
      for index in 0..<count { body(index, products[0]) }
      return
    }
    pool.run { worker in
      var index = pool.claim()
      while index < count {
        body(index, products[worker])
        index = pool.claim()
      }
    }
  }

  private static func tiles(_ order: Int, of side: Int = tile) -> [Range<Int>] {
    stride(from: 0, to: order, by: side).map { $0..<min($0 + side, order) }
  }

  /// Row and column of the `index`-th entry of a lower triangle that is counted row by row.
  static func trianglePosition(_ index: Int) -> (row: Int, column: Int) {
    var row = Int((Double(8 * index + 1).squareRoot() - 1) / 2)
    while row * (row + 1) / 2 > index { row -= 1 }
    while (row + 1) * (row + 2) / 2 <= index { row += 1 }
    return (row, index - row * (row + 1) / 2)
  }
}

/// Memory that is kept from one product to the next.
///
/// Sendable by rule: one routine runs at a time.
final class Workspace: @unchecked Sendable {
  let exchanged = GrowingBuffer<Float>()
  /// Both operands of a product in BF16.
  let halves = (rows: GrowingBuffer<UInt16>(), lines: GrowingBuffer<UInt8>())
}

/// Small triangular matrices, by one thread and with sums in F64.
enum Triangle {
  /// Replaces the lower triangle of a symmetric matrix by its Cholesky factor.
  ///
  /// - Returns: the row at which it is not positive definite, where it is not.
  static func factor(_ a: UnsafeMutablePointer<Float>, stride: Int, size: Int) -> Int? {
    for i in 0..<size {
      let row = a + i * stride
      for j in 0..<i {
        let other = a + j * stride
        row[j] = Float((Double(row[j]) - dot(row, other, j)) / Double(other[j]))
      }
      let rest = Double(row[i]) - dot(row, row, i)
      guard rest > 0, rest.isFinite else { return i }
      row[i] = Float(rest.squareRoot())
      guard row[i] > 0 else { return i }
    }
    return nil
  }

  /// The inverse `[size, size]` of a lower triangular matrix, zeros above its diagonal included.
  static func invert(
    _ l: UnsafePointer<Float>, stride: Int, size: Int, into inverse: inout [Float]
  ) {
    var rows = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      let row = l + i * stride
      for k in 0..<i {
        let factor = Double(row[k])
        for j in 0...k { rows[i * size + j] += factor * rows[k * size + j] }
      }
      let scale = 1 / Double(row[i])
      for j in 0..<i { rows[i * size + j] *= -scale }
      rows[i * size + i] = scale
    }
    for index in rows.indices { inverse[index] = Float(rows[index]) }
  }

  /// `sum of a[i] * b[i]` in F64.
  static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = count / 8 * 8
    for i in stride(from: 0, to: whole, by: 8) {
      let left = UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
      let right = UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Float>.self)
      sums += SIMD8<Double>(left) * SIMD8<Double>(right)
    }
    var total = sums.sum()
    for i in whole..<count { total += Double(a[i]) * Double(b[i]) }
    return total
  }
}
