/// A matrix whose columns are stored in another order than the inputs have: the inputs are put in
/// its order. For formats whose blocks are larger than what has to move.
public struct ReorderedWeights: LinearWeights {
  private let base: any LinearWeights
  /// Of each input, the column that holds its weights.
  private let columns: [Int32]
  /// Of each column, the input that it multiplies.
  private let inputs: [Int32]

  /// A matrix and for each input the column that holds its weights: each column once.
  public init(_ base: any LinearWeights, columns: [Int]) {
    precondition(
      columns.count == base.inFeatures && Set(columns) == Set(0..<base.inFeatures),
      "columns of \(base.inFeatures) inputs")
    self.base = base
    self.columns = columns.map(Int32.init)
    var inputs = [Int32](repeating: 0, count: columns.count)
    for (input, column) in columns.enumerated() { inputs[column] = Int32(input) }
    self.inputs = inputs
  }

  /// Rows: output features.
  public var outFeatures: Int { base.outFeatures }
  /// Columns: input features.
  public var inFeatures: Int { base.inFeatures }
  /// Bytes this matrix holds in memory.
  public var byteCount: Int { base.byteCount + 4 * (columns.count + inputs.count) }
  /// The format in words.
  public var formatName: String { base.formatName }
  /// Bits of a weight as it is stored.
  public var bits: Int { base.bits }

  /// See `LinearWeights.activations`.
  public func activations(for numerics: Numerics) -> ActivationScheme {
    base.activations(for: numerics)
  }

  /// See `LinearWeights.product`.
  public func product(
    of input: LinearInput, into y: UnsafeMutablePointer<Float>, on pool: ThreadPool
  ) -> LinearProduct {
    base.product(of: input.taking(inputs, on: pool), into: y, on: pool)
  }

  /// See `LinearWeights.withPackedRows`.
  public func withPackedRows(_ body: (UnsafeRawBufferPointer) -> Void) {
    base.withPackedRows(body)
  }

  /// See `LinearWeights.copyRow`.
  public func copyRow(_ index: Int, into target: UnsafeMutablePointer<Float>) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inFeatures) { row in
      guard let row = row.baseAddress else { return }
      base.copyRow(index, into: row)
      for (input, column) in columns.enumerated() { target[input] = row[Int(column)] }
    }
  }
}
