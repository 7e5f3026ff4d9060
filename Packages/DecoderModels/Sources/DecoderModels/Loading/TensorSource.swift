import ModelLoader
import Tensors

/// Where a family finds the tensors that it names: a checkpoint that reads them, one that only
/// looks at their shapes, or random numbers.
public protocol TensorSource {
  /// Whether there is a tensor of this name.
  func contains(_ name: String) -> Bool

  /// A matrix `[rows, columns]` stored as the linear layer `name`, dense or quantized.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  func matrix(
    _ name: String, rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights

  /// The matrix of an embedding or a head, a row for each token, stored under the first of `names`
  /// that exists. Unless a source says otherwise it is a matrix like others.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  func tokenMatrix(
    firstOf names: [String], rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights

  /// The same source, which rounds the floats of matrices of tokens to `bits` as it reads them if it
  /// can.
  func roundingTokens(to bits: Int) -> any TensorSource

  /// A matrix that is part of a tensor of several.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  func matrix(_ part: StackedMatrix) throws(CheckpointError) -> any LinearWeights

  /// A tensor `[count]` as floats.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  func vector(_ name: String, count: Int) throws(CheckpointError) -> [Float]

  /// A tensor of any shape as floats, row after row. Unless a source says otherwise it is a vector
  /// of as many numbers.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float]
}

extension TensorSource {
  /// See the protocol.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func tokenMatrix(
    firstOf names: [String], rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    try matrix(firstOf: names, rows: rows, columns: columns)
  }

  /// See the protocol.
  public func roundingTokens(to bits: Int) -> any TensorSource { self }

  /// See the protocol.
  public func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
    try vector(name, count: shape.reduce(1, *))
  }

  /// A matrix of the part's size under the tensor's name: enough for sources that make tensors up.
  ///
  /// - Throws: as `matrix(_:rows:columns:)`.
  public func matrix(_ part: StackedMatrix) throws(CheckpointError) -> any LinearWeights {
    try matrix(part.tensor, rows: part.rows.count, columns: part.columns)
  }

  /// The linear layer `name`, `[rows, columns]`, with its bias where it has one.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func linear(
    _ name: String, rows: Int, columns: Int, bias: Bool = false
  ) throws(CheckpointError) -> Linear {
    Linear(
      name: name, weights: try matrix(name, rows: rows, columns: columns),
      bias: bias ? try vector(name + ".bias", count: rows) : nil)
  }

  /// The linear layer `name`, without bias, whose weights are part of a tensor of several.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func linear(_ name: String, part: StackedMatrix) throws(CheckpointError) -> Linear {
    Linear(name: name, weights: try matrix(part), part: part)
  }

  /// The root-mean-square norm `name`.
  ///
  /// - Parameters:
  ///   - name: its name in the checkpoint.
  ///   - count: its width.
  ///   - epsilon: see `Norm`.
  ///   - offset: what is added to the weights: 1 where files hold how far they are from 1.
  /// - Returns: the norm.
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func rmsNorm(
    _ name: String, _ count: Int, epsilon: Float, offset: Float = 0
  ) throws(CheckpointError) -> Norm {
    let weight = try vector(name + ".weight", count: count)
    return Norm(
      rootMeanSquare: offset == 0 ? weight : weight.map { $0 + offset }, epsilon: epsilon,
      name: name, offset: offset)
  }

  /// The layer norm `name`, with weights and bias.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func layerNorm(
    _ name: String, _ count: Int, epsilon: Float
  ) throws(CheckpointError) -> Norm {
    Norm(
      layer: try vector(name + ".weight", count: count),
      bias: try vector(name + ".bias", count: count), epsilon: epsilon, name: name)
  }

  /// A matrix that is stored under the first of `names` that exists; of several names for one
  /// thing.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func matrix(
    firstOf names: [String], rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    try matrix(first(of: names), rows: rows, columns: columns)
  }

  /// The first of some names of one layer that exists, or else the first.
  func first(of names: [String]) -> String {
    names.first { contains($0 + ".weight") } ?? names[0]
  }
}

/// Reads from a checkpoint. A source of one's own can pass on what this one reads, in a weight
/// format of its own.
public struct CheckpointTensors: TensorSource {
  /// Where the tensors are.
  public let checkpoint: Checkpoint
  /// What floats of matrices of tokens are rounded to; nil where they stay.
  private var tokenBits: Int?

  /// The tensors of a checkpoint.
  public init(checkpoint: Checkpoint) { self.checkpoint = checkpoint }

  /// See `TensorSource`.
  public func roundingTokens(to bits: Int) -> any TensorSource {
    var rounding = self
    rounding.tokenBits = bits
    return rounding
  }

  /// See `TensorSource`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func tokenMatrix(
    firstOf names: [String], rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    try checkpoint.weights(
      named: first(of: names), shape: [rows, columns], roundedTo: tokenBits)
  }

  /// See `TensorSource`.
  public func contains(_ name: String) -> Bool { checkpoint.contains(name) }

  /// See `TensorSource`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func matrix(
    _ name: String, rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    try checkpoint.weights(named: name, shape: [rows, columns])
  }

  /// See `TensorSource`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func matrix(_ part: StackedMatrix) throws(CheckpointError) -> any LinearWeights {
    let tensor = try checkpoint.tensor(part)
    do {
      return try WeightPacking.pack(tensor, name: part.tensor)
    } catch {
      throw .tensors("tensor \(part.tensor): \(error)")
    }
  }

  /// See `TensorSource`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func vector(_ name: String, count: Int) throws(CheckpointError) -> [Float] {
    try floats(name, shape: [count])
  }

  /// See `TensorSource`.
  ///
  /// - Throws: `CheckpointError` naming the tensor that is missing or of another shape.
  public func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
    try expect(name, checkpoint.info(of: name).shape, shape)
    return try checkpoint.floats(named: name)
  }
}

private func expect(
  _ tensor: String, _ found: [Int], _ expected: [Int]
) throws(CheckpointError) {
  guard found == expected else {
    throw .shape(tensor: tensor, expected: expected, found: found)
  }
}

/// Reads nothing: parts come with their sizes alone. Of a checkpoint it checks that each tensor is
/// there with its shape.
final class TensorDescriptions: TensorSource {
  private let checkpoint: Checkpoint?
  /// The tensors that were asked for, in order; a matrix by its layer's name.
  private(set) var asked: [String] = []

  init(of checkpoint: Checkpoint?) { self.checkpoint = checkpoint }

  func contains(_ name: String) -> Bool { checkpoint?.contains(name) ?? false }

  func matrix(
    _ name: String, rows: Int, columns: Int
  ) throws(CheckpointError) -> any LinearWeights {
    asked.append(name + ".weight")
    // The parts of a quantized matrix are checked when it is read.
    if let checkpoint, let info = try checkpoint.denseLinear(named: name) {
      try expect(info.name, info.shape, [rows, columns])
    }
    return DescribedWeights(outFeatures: rows, inFeatures: columns)
  }

  func matrix(_ part: StackedMatrix) throws(CheckpointError) -> any LinearWeights {
    _ = try checkpoint?.info(of: part)
    return DescribedWeights(outFeatures: part.rows.count, inFeatures: part.columns)
  }

  func vector(_ name: String, count: Int) throws(CheckpointError) -> [Float] {
    try floats(name, shape: [count])
  }

  func floats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
    asked.append(name)
    if let checkpoint { try expect(name, checkpoint.info(of: name).shape, shape) }
    return [Float](repeating: 0, count: shape.reduce(1, *))
  }
}

/// A matrix of which only the sizes are known; every product with it is NaN.
struct DescribedWeights: LinearWeights {
  let outFeatures: Int
  let inFeatures: Int
  var byteCount: Int { 0 }
  var formatName: String { "not read" }
  var bits: Int { 0 }

  func activations(for numerics: Numerics) -> ActivationScheme { .float }

  func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    let y = DisjointMemory(y)
    return LinearProduct(
      features: outFeatures, tokens: input.tokens, cost: input.tokens * outFeatures
    ) { [outFeatures, tokens = input.tokens] part in
      for row in 0..<tokens {
        (y + row * outFeatures + part.lowerBound).update(repeating: .nan, count: part.count)
      }
    }
  }

  func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    body(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    target.update(repeating: .nan, count: inFeatures)
  }
}
