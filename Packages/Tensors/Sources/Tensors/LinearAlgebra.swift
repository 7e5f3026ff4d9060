import Foundation
import Kernels

/// Dense linear algebra on row-major F32 matrices; the one place that knows BLAS and LAPACK.
///
/// Results do not depend on the number of threads: the work is cut into tiles of a fixed size, every tile is one
/// call of the library on one thread, and the pool only decides who computes which tile. (The library's own
/// threading is switched off; its Cholesky factor changes with the number of threads.)
///
/// Matrices are given as pointers to their first element and, where they may be part of a larger one, a row stride
/// in elements. The caller vouches for the sizes.
public struct LinearAlgebra: Sendable {
  /// The threads that share the tiles.
  public let pool: ThreadPool
  private let blas: BLAS

  /// Rows and columns of a tile of the symmetric routines: its operands stay in the second-level cache.
  static let tile = 256
  /// Columns of a tile of a general product.
  static let wideTile = 1024

  /// Opens the library.
  ///
  /// - Throws: `TensorError.linearAlgebra` when no OpenBLAS is installed or it lacks a routine.
  public init(pool: ThreadPool) throws(TensorError) {
    self.pool = pool
    self.blas = try BLAS()
  }

  /// `c = alpha * op(a) * b + beta * c`, with c `[m, n]`, b `[k, n]` and op(a) `[m, k]`.
  ///
  /// `a` is stored as `[m, k]`, or as `[k, m]` when `transposed`. The strides are the elements from one row of
  /// a matrix to the next.
  public func multiply(
    m: Int, n: Int, k: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, aStride: Int,
    transposed: Bool = false, _ b: UnsafePointer<Float>, bStride: Int, beta: Float = 0,
    into c: UnsafeMutablePointer<Float>, cStride: Int
  ) {
    let rowTiles = (m + Self.tile - 1) / Self.tile
    let columnTiles = (n + Self.wideTile - 1) / Self.wideTile
    forEach(rowTiles * columnTiles) { index in
      let row = index / columnTiles * Self.tile
      let column = index % columnTiles * Self.wideTile
      blas.gemm(
        BLAS.rowMajor, transposed ? BLAS.transpose : BLAS.asIs, BLAS.asIs,
        Int32(min(Self.tile, m - row)), Int32(min(Self.wideTile, n - column)), Int32(k), alpha,
        a + (transposed ? row : row * aStride), Int32(aStride), b + column, Int32(bStride), beta,
        c + row * cStride + column, Int32(cStride))
    }
  }

  /// Adds `x^T x`, x `[rows, order]`, to the lower triangle of h `[order, order]`; nothing above the diagonal is
  /// read or written.
  public func addGram(
    of x: UnsafePointer<Float>, rows: Int, order: Int, to h: UnsafeMutablePointer<Float>
  ) {
    let tiles = Self.tiles(order)
    forEach(tiles.count * (tiles.count + 1) / 2) { index in
      let (i, j) = Self.trianglePosition(index)
      let target = h + tiles[i].lowerBound * order + tiles[j].lowerBound
      if i == j {
        blas.syrk(
          BLAS.rowMajor, BLAS.lower, BLAS.transpose, Int32(tiles[i].count), Int32(rows), 1,
          x + tiles[i].lowerBound, Int32(order), 1, target, Int32(order))
      } else {
        blas.gemm(
          BLAS.rowMajor, BLAS.transpose, BLAS.asIs, Int32(tiles[i].count), Int32(tiles[j].count),
          Int32(rows), 1, x + tiles[i].lowerBound, Int32(order), x + tiles[j].lowerBound,
          Int32(order), 1, target, Int32(order))
      }
    }
  }

  /// Replaces a symmetric matrix a `[order, order]`, given by its lower triangle, by its Cholesky factor:
  /// `a = L L^T`, L lower triangular. Zeros are written above the diagonal. Left half done when this throws.
  ///
  /// - Throws: `TensorError.linearAlgebra` naming the order at which the matrix is not positive definite.
  public func factorCholesky(_ a: UnsafeMutablePointer<Float>, order: Int) throws(TensorError) {
    let tiles = Self.tiles(order)
    let stride = Int32(order)
    func block(_ i: Int, _ j: Int) -> UnsafeMutablePointer<Float> {
      a + tiles[i].lowerBound * order + tiles[j].lowerBound
    }
    for k in tiles.indices {
      let size = Int32(tiles[k].count)
      // A row-major lower triangle is a column-major upper one.
      let info = blas.potrf("U", block(k, k), size, stride)
      guard info == 0 else {
        throw .linearAlgebra(
          "not positive definite at order \(tiles[k].lowerBound + Int(info)) of \(order)")
      }
      let below = tiles.count - k - 1
      forEach(below) { index in
        let i = k + 1 + index
        blas.trsm(
          BLAS.rowMajor, BLAS.right, BLAS.lower, BLAS.transpose, BLAS.nonUnit,
          Int32(tiles[i].count), size, 1, block(k, k), stride, block(i, k), stride)
      }
      forEach(below * (below + 1) / 2) { index in
        let position = Self.trianglePosition(index)
        let (i, j) = (k + 1 + position.row, k + 1 + position.column)
        if i == j {
          blas.syrk(
            BLAS.rowMajor, BLAS.lower, BLAS.asIs, Int32(tiles[i].count), size, -1, block(i, k),
            stride, 1, block(i, i), stride)
        } else {
          blas.gemm(
            BLAS.rowMajor, BLAS.asIs, BLAS.transpose, Int32(tiles[i].count), Int32(tiles[j].count),
            size, -1, block(i, k), stride, block(j, k), stride, 1, block(i, j), stride)
        }
      }
    }
    pool.split(order, grain: 16) { rows in
      for row in rows { (a + row * order + row + 1).update(repeating: 0, count: order - row - 1) }
    }
  }

  /// Replaces a lower triangular matrix, with zeros above its diagonal, by its inverse.
  ///
  /// Goes down the rows of tiles: `X[i, j] = -L[i, i]^-1 * (sum over j <= k < i of L[i, k] X[k, j])`.
  /// l is `[order, order]`, with no zero on its diagonal.
  public func invertLowerTriangle(_ l: UnsafeMutablePointer<Float>, order: Int) {
    let tiles = Self.tiles(order)
    let stride = Int32(order)
    var rowOfTiles = [Float](repeating: 0, count: Self.tile * order)
    rowOfTiles.withUnsafeMutableBufferPointer { scratch in
      guard let original = scratch.baseAddress else { return }
      for i in tiles.indices {
        let first = tiles[i].lowerBound
        let rows = Int32(tiles[i].count)
        let panel = l + first * order
        original.update(from: panel, count: tiles[i].count * order)
        forEach(i) { j in
          let left = tiles[j].lowerBound
          blas.gemm(
            BLAS.rowMajor, BLAS.asIs, BLAS.asIs, rows, Int32(tiles[j].count), Int32(first - left),
            -1, original + left, stride, l + left * order + left, stride, 0, panel + left, stride)
          blas.trsm(
            BLAS.rowMajor, BLAS.left, BLAS.lower, BLAS.asIs, BLAS.nonUnit, rows,
            Int32(tiles[j].count), 1, original + first, stride, panel + left, stride)
        }
        _ = blas.trtri("U", panel + first, rows, stride)
      }
    }
  }

  /// `trace(d h d^T)` for d `[rows, order]` and a symmetric h `[order, order]`, at half the work of two
  /// products.
  public func quadraticTrace(
    of d: UnsafePointer<Float>, rows: Int, order: Int, in h: UnsafePointer<Float>
  ) -> Double {
    let rowTiles = Self.tiles(rows)
    let tiles = Self.tiles(order)
    let stride = Int32(order)
    var parts = [Double](repeating: 0, count: rowTiles.count * tiles.count)
    parts.withUnsafeMutableBufferPointer { parts in
      forEach(parts.count) { index in
        let (left, height) = (tiles[index % tiles.count], rowTiles[index / tiles.count])
        let product = UnsafeMutablePointer<Float>.allocate(capacity: height.count * left.count)
        defer { product.deallocate() }
        // What is below a tile of the diagonal counts twice, for what is above it.
        let dRows = d + height.lowerBound * order
        let below = order - left.upperBound
        for (first, count, weight, keep) in [
          (left.lowerBound, left.count, Float(1), Float(0)), (left.upperBound, below, 2, 1),
        ] where count > 0 {
          blas.gemm(
            BLAS.rowMajor, BLAS.asIs, BLAS.asIs, Int32(height.count), Int32(left.count),
            Int32(count), weight, dRows + first, stride, h + first * order + left.lowerBound,
            stride, keep, product, Int32(left.count))
        }
        for row in 0..<height.count {
          parts[index] += Self.dot(
            dRows + row * order + left.lowerBound, product + row * left.count, left.count)
        }
      }
    }
    return parts.reduce(0, +)
  }

  /// `sum of a[i] * b[i]` in F64.
  private static func dot(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
  ) -> Double {
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

  /// Runs `body` for 0..<count; worker w takes w, w + workers, ..., which spreads a triangle evenly.
  private func forEach(_ count: Int, _ body: (Int) -> Void) {
    guard count > 1, pool.workers > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    pool.run { worker in
      for index in stride(from: worker, to: count, by: pool.workers) { body(index) }
    }
  }

  private static func tiles(_ order: Int) -> [Range<Int>] {
    stride(from: 0, to: order, by: tile).map { $0..<min($0 + tile, order) }
  }

  /// Row and column of the `index`-th entry of a lower triangle that is counted row by row.
  static func trianglePosition(_ index: Int) -> (row: Int, column: Int) {
    var row = Int((Double(8 * index + 1).squareRoot() - 1) / 2)
    while row * (row + 1) / 2 > index { row -= 1 }
    while (row + 1) * (row + 2) / 2 <= index { row += 1 }
    return (row, index - row * (row + 1) / 2)
  }
}

/// The routines of OpenBLAS in use, found in the shared library when first needed.
///
/// Interfaces: cblas.h, and LAPACK's `spotrf` and `strtri`.
private struct BLAS: Sendable {
  typealias Gemm =
    @Sendable @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void
  typealias Syrk =
    @Sendable @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, Float,
      UnsafeMutablePointer<Float>, Int32
    ) -> Void
  typealias Trsm =
    @Sendable @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafeMutablePointer<Float>, Int32
    ) -> Void
  typealias Potrf =
    @Sendable @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<Int32>, UnsafeMutablePointer<Float>,
      UnsafePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Void
  typealias Trtri =
    @Sendable @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<Int32>,
      UnsafeMutablePointer<Float>, UnsafePointer<Int32>, UnsafeMutablePointer<Int32>
    ) -> Void
  typealias SetThreads = @convention(c) (Int32) -> Void

  static let rowMajor: Int32 = 101
  static let asIs: Int32 = 111
  static let transpose: Int32 = 112
  static let lower: Int32 = 122
  static let nonUnit: Int32 = 131
  static let left: Int32 = 141
  static let right: Int32 = 142

  let gemm: Gemm
  let syrk: Syrk
  let trsm: Trsm
  private let spotrf: Potrf
  private let strtri: Trtri

  /// Opens the library, or takes it again when it is open: the system keeps one copy.
  init() throws(TensorError) {
    let names = ["libopenblas.so.0", "libopenblas.so", "libopenblasp.so.0", "libopenblas.dylib"]
    // OpenBLAS reads the variable when it is loaded. Without it, versions that do not know a CPU fall back to
    // kernels for half its vector width.
    if bb_kernels_for(BB_ISA_AVX512) != nil { setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0) }
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
      throw .linearAlgebra("OpenBLAS was not found; install libopenblas-dev (make setup)")
    }
    func find<Routine>(_ name: String, as type: Routine.Type) throws(TensorError) -> Routine {
      guard let symbol = dlsym(library, name) else {
        throw .linearAlgebra("OpenBLAS has no \(name); install libopenblas-dev (make setup)")
      }
      return unsafeBitCast(symbol, to: type)
    }
    gemm = try find("cblas_sgemm", as: Gemm.self)
    syrk = try find("cblas_ssyrk", as: Syrk.self)
    trsm = try find("cblas_strsm", as: Trsm.self)
    spotrf = try find("spotrf_", as: Potrf.self)
    strtri = try find("strtri_", as: Trtri.self)
    try find("openblas_set_num_threads", as: SetThreads.self)(1)
  }

  func potrf(_ triangle: String, _ a: UnsafeMutablePointer<Float>, _ n: Int32, _ stride: Int32)
    -> Int32
  {
    var info: Int32 = 0
    withUnsafePointer(to: n) { n in
      withUnsafePointer(to: stride) { spotrf(triangle, n, a, $0, &info) }
    }
    return info
  }

  func trtri(_ triangle: String, _ a: UnsafeMutablePointer<Float>, _ n: Int32, _ stride: Int32)
    -> Int32
  {
    var info: Int32 = 0
    withUnsafePointer(to: n) { n in
      withUnsafePointer(to: stride) { strtri(triangle, "N", n, a, $0, &info) }
    }
    return info
  }
}
