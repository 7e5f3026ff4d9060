import Quantizers
import Synchronization
import Tensors

/// Matrices on their way into a GGUF file, rounded to the block types of a mix.
public struct GGUFRounding: Sendable {
  /// The matrices that became one type.
  public struct Matrices: Sendable {
    /// The type's name.
    public let type: String
    /// How many there are.
    public fileprivate(set) var count = 0
    fileprivate var error = 0.0
    fileprivate var squares = 0.0

    /// The root of the squared error, as a part of that of the squares.
    public var relativeError: Double { squares > 0 ? (error / squares).squareRoot() : 0 }
  }

  let mix: GGUFMix
  /// In the order in which the types first came.
  private(set) var matrices: [Matrices] = []
  private let layers: Int
  private let isTied: Bool
  private let workers: Int

  /// Weights that a thread rounds at a time, at least.
  private static let piece = 8192

  /// Rounds by a mix what comes from `source`.
  ///
  /// - Throws: `.value` where the configuration does not say how many layers there are.
  init(_ mix: GGUFMix, of source: Checkpoint, isTied: Bool) throws(CheckpointError) {
    self.mix = mix
    self.isTied = isTied
    layers = try source.config.integer("num_hidden_layers", in: 1...100_000)
    workers = source.workers
  }

  /// Rounds a matrix.
  ///
  /// - Parameters:
  ///   - tensor: `[rows, columns]` of F32, F16 or BF16.
  ///   - name: what it is called in the file.
  /// - Returns: the blocks, row after row, and the id of their type; nil where the mix leaves the matrix
  ///   as it is.
  /// - Throws: `.tensors` for a weight beyond what scales of F16 hold.
  mutating func blocks(
    of tensor: Tensor, named name: String
  ) throws(CheckpointError) -> (bytes: [UInt8], type: UInt32)? {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    guard
      let quantizer = mix.quantizer(for: name, columns: columns, layers: layers, isHead: isTied)
    else { return nil }
    let rowBytes = columns / quantizer.type.elements * quantizer.type.bytes
    let together = max(1, Self.piece / columns)
    let tasks = (rows + together - 1) / together
    var bytes = [UInt8](repeating: 0, count: rows * rowBytes)
    let sums = Mutex([(error: Double, squares: Double)](repeating: (0, 0), count: tasks))
    try bytes.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      let shared = SharedTarget(UnsafeMutableRawBufferPointer(target))
      try forEachInParallel(tasks, workers: workers) { (task) throws(CheckpointError) in
        let part = task * together..<min((task + 1) * together, rows)
        let values = try Self.values(of: tensor, rows: part, name: name)
        let place = shared.part(part.lowerBound * rowBytes..<part.upperBound * rowBytes)
        let found = values.withUnsafeBufferPointer { quantizer.quantize($0, into: place) }
        guard let found else {
          throw .tensors(
            "tensor \(name), row \(part.lowerBound) or just behind it: a weight is beyond what scales of "
              + "F16 hold")
        }
        sums.withLock { $0[task] = found }
      }
    }
    let type = quantizer.type.name
    if !matrices.contains(where: { $0.type == type }) { matrices.append(Matrices(type: type)) }
    for index in matrices.indices where matrices[index].type == type {
      matrices[index].count += 1
      for (error, squares) in sums.withLock({ $0 }) {
        matrices[index].error += error
        matrices[index].squares += squares
      }
    }
    return (bytes, quantizer.type.id)
  }

  private static func values(
    of tensor: Tensor, rows: Range<Int>, name: String
  ) throws(CheckpointError) -> [Float] {
    let columns = tensor.shape[1]
    var values = [Float](repeating: 0, count: rows.count * columns)
    do throws(TensorError) {
      try values.withUnsafeMutableBufferPointer { (values) throws(TensorError) in
        guard let start = values.baseAddress else { return }
        for row in rows {
          try tensor.copyRow(row, into: start + (row - rows.lowerBound) * columns)
        }
      }
    } catch {
      throw .tensors("tensor \(name): \(error)")
    }
    return values
  }
}
