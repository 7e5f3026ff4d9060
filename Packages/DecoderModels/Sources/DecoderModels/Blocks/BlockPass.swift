import Kernels
import Tensors

/// What the parts of a block share while they run: the residual stream, the input of the next
/// linear layers, threads and working memory. One thread drives it; it is meant to be used for
/// block after block.
public final class BlockPass {
  /// Sees the input of a site, `[count, width]`, before it is multiplied; false ends the block
  /// there, with its rows undefined. A site is named by its index in `DecoderBlock.sites`.
  public typealias Observer = (_ site: Int, _ rows: UnsafePointer<Float>, _ count: Int) -> Bool

  /// Threads.
  public let pool: ThreadPool
  /// The kernels of this machine.
  public let kernels = bb_kernels().pointee
  /// What the next linear layers multiply.
  public let input: LinearInput
  /// For rows that a part chooses among those of the input.
  public let selection: LinearInput
  /// Width of the residual stream.
  public let width: Int
  /// The residual stream, `[rows, width]`.
  public private(set) var residual: UnsafeMutablePointer<Float>
  /// Its rows.
  public private(set) var count = 0
  /// Whether an observer ended the block.
  public private(set) var isStopped = false

  private let spaces = Scratch()
  private let held = GrowingBuffer<Float>()
  private let nothing = GrowingBuffer<Float>()
  /// What the input is made of, so that it can be made again of fewer rows.
  private var inputNorm: Norm?
  private var isHolding = false
  private var observe: Observer?
  private var firstSite = 0

  /// Working memory for blocks whose residual stream is this wide.
  public init(width: Int, pool: ThreadPool, numerics: Numerics) {
    self.width = width
    self.pool = pool
    input = LinearInput(numerics: numerics)
    selection = LinearInput(numerics: numerics)
    residual = nothing.reserve(0)
  }

  /// Space for `count` floats, which the part that runs has for itself under this number, 0 to 5,
  /// until it ends.
  public func scratch(_ slot: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
    spaces.reserve(slot, count)
  }

  /// Working memory of one purpose that is kept while nothing is run: what one text needs, not many.
  static let keptBytes = 1 << 20

  /// Gives back what many rows took, for when nothing is run for a while.
  func rest() {
    spaces.rest(above: Self.keptBytes)
    held.release(above: Self.keptBytes)
  }

  // MARK: The residual stream

  /// Takes up a residual stream `[count, width]`.
  func start(_ x: UnsafeMutablePointer<Float>, count: Int, observe: Observer?) {
    (residual, self.count, self.observe, isStopped, isHolding) = (x, count, observe, false, false)
  }

  /// Keeps a copy of the residual stream, for a part that runs beside the one which changes it.
  func hold() {
    held.reserve(count * width).update(from: residual, count: count * width)
    isHolding = true
  }

  /// Makes the residual stream, or the copy of it that is held, the input of a part: its norm where
  /// there is one.
  ///
  /// - Parameters:
  ///   - norm: the norm.
  ///   - floats: floats of working memory that the part takes for each row.
  ///   - isHeld: whether the copy is meant.
  ///   - firstSite: the index of the part's first site.
  func take(_ norm: Norm?, scratch floats: Int = 0, isHeld: Bool = false, firstSite: Int = 0) {
    spaces.restart(count * floats)
    self.firstSite = firstSite
    inputNorm = norm
    take(isHeld ? held.reserve(count * width) : residual)
  }

  private func take(_ x: UnsafeMutablePointer<Float>) {
    guard let norm = inputNorm else { return input.reset(x, tokens: count, width: width) }
    let x = ReadOnlyMemory(UnsafePointer(x))
    input.reset(tokens: count, width: width) { [kernels, width] row, target in
      norm.apply(kernels, x + row * width, into: target)
    }
  }

  /// Keeps these rows alone, in ascending order: they come to stand at the front of the residual
  /// stream, and the input is theirs.
  public func select(_ rows: [Int]) {
    moveToFront(rows, of: residual, width: width)
    if isHolding { moveToFront(rows, of: held.reserve(count * width), width: width) }
    count = rows.count
    take(residual)
  }

  /// Replaces the rows of the residual stream by their norms.
  func normalize(by norm: Norm) {
    let residual = DisjointMemory(residual)
    pool.split(count, cost: count * width * 12) { [kernels, width] part in
      for row in part {
        norm.apply(kernels, residual + row * width, into: residual + row * width)
      }
    }
  }

  // MARK: Products

  /// Whether an observer sees the inputs.
  public var isObserved: Bool { observe != nil }

  /// Shows the input to the observer; false where the block ends here. `site` counts from the
  /// part's first.
  public func shows(_ site: Int) -> Bool { shows(site, of: input) }

  /// Shows another input to the observer; see `shows(_:)`.
  public func shows(_ site: Int, of input: LinearInput) -> Bool {
    guard let observe else { return true }
    isStopped = !observe(firstSite + site, input.rows(on: pool), input.tokens)
    return !isStopped
  }

  /// The product of the input with a linear layer, its bias added, into `y` `[rows, out]`.
  public func product(_ linear: Linear, into y: UnsafeMutablePointer<Float>) -> LinearProduct {
    product(linear, of: input, into: y)
  }

  /// The product of another input with a linear layer; see `product(_:into:)`.
  public func product(
    _ linear: Linear, of input: LinearInput, into y: UnsafeMutablePointer<Float>
  ) -> LinearProduct {
    let product = linear.weights.product(of: input, into: y, on: pool)
    guard let bias = linear.bias else { return product }
    let (rows, y) = (input.tokens, DisjointMemory(y))
    return product.epilogue { [kernels] part in
      bias[part].withUnsafeBufferPointer { some in
        guard let some = some.baseAddress else { return }
        for at in stride(from: part.lowerBound, to: rows * bias.count, by: bias.count) {
          kernels.add(y + at, some, part.count)
        }
      }
    }
  }

  /// Adds the product of the input with a linear layer to the residual stream; the scratch space
  /// `slot`, whose contents nobody needs any more, holds it until then.
  public func addProduct(_ linear: Linear, through slot: Int) {
    addProduct(linear, of: input, to: residual, through: slot)
  }

  /// Adds the product of another input with a linear layer to its rows of a residual stream, `x`
  /// `[rows, width]`; see `addProduct(_:through:)`.
  public func addProduct(
    _ linear: Linear, of input: LinearInput, to x: UnsafeMutablePointer<Float>, through slot: Int
  ) {
    let (rows, width, x) = (input.tokens, width, DisjointMemory(x))
    let delta = DisjointMemory(scratch(slot, rows * width))
    pool.run([
      product(linear, of: input, into: delta.base).epilogue { [kernels] part in
        for at in stride(from: part.lowerBound, to: rows * width, by: width) {
          kernels.add(x + at, delta + at, part.count)
        }
      }
    ])
  }
}
