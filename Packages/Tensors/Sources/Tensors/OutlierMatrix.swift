import Kernels

/// One weight matrix some of whose inputs, the outliers, stay floats, beside integer codes with one
/// scale a row for all others; tokens are rounded on those others alone (QUIK, arXiv:2310.09259).
/// Where it says so, inputs are rotated before all of this.
public struct OutlierMatrix: StoredWeights {
  /// `[out, in - outliers]`: the codes, and what becomes of the activations.
  public let rest: QuantizedMatrix
  /// The outliers, rising.
  public let columns: [Int32]
  /// `[out, outliers]`, F32, F16 or BF16; nil without outliers.
  public let outliers: Tensor?
  /// What is done to the inputs first.
  public let rotation: Hadamard?

  /// Rows: output features.
  public var outFeatures: Int { rest.outFeatures }
  /// Columns: input features.
  public var inFeatures: Int { rest.inFeatures + columns.count }

  /// Checks that all parts fit together.
  ///
  /// - Throws: `TensorError.invalidQuantization` naming the part and the sizes.
  public init(
    rest: QuantizedMatrix, columns: [Int32] = [], outliers: Tensor? = nil,
    rotation: Hadamard? = nil
  ) throws(TensorError) {
    self.rest = rest
    self.columns = columns
    self.outliers = outliers
    self.rotation = rotation
    guard rest.groups == 1, rest.groupIndex == nil else {
      throw .invalidQuantization("\(rest.groups) groups a row beside outliers; one is expected")
    }
    guard [4, 8].contains(rest.bits), let rounding = rest.tokenRounding,
      rounding.codeBits != nil
    else {
      throw .invalidQuantization(
        "\(rest.bits) bits with activations as \(rest.tokenRounding?.rawValue ?? "they are") beside outliers"
      )
    }
    let width = Int32(inFeatures)
    let rises = zip(columns, columns.dropFirst()).allSatisfy { $0 < $1 }
    guard rises, columns.allSatisfy({ $0 >= 0 && $0 < width }) else {
      throw .invalidQuantization("outliers that do not rise below \(width)")
    }
    let expected = columns.isEmpty ? nil : [rest.outFeatures, columns.count]
    guard outliers?.shape == expected, outliers?.dtype.isPlainFloat != false else {
      throw .invalidQuantization(
        "outliers of shape \(outliers?.shape ?? []) for \(columns.count) columns of \(rest.outFeatures) rows"
      )
    }
    if let rotation, rotation.width != inFeatures {
      throw .invalidQuantization("a rotation of \(rotation.width) of \(inFeatures) inputs")
    }
  }

  /// The inputs beside the outliers, rising.
  var others: [Int32] {
    let isOutlier = Set(columns)
    return (0..<Int32(inFeatures)).filter { !isOutlier.contains($0) }
  }

  /// The form that multiplies.
  ///
  /// - Throws: `TensorError` when memory is short.
  public func packed() throws(TensorError) -> any LinearWeights { try OutlierWeights(self) }

  /// The matrix as F32, `[out, in]` row-major, for inputs that are not rotated.
  public func dequantized() -> [Float] {
    var values = [Float](repeating: 0, count: outFeatures * inFeatures)
    let (codes, kept) = (rest.dequantized(), (try? outliers?.floats()) ?? [])
    let (others, width, count) = (others, inFeatures, columns.count)
    values.withUnsafeMutableBufferPointer { values in
      guard let base = values.baseAddress else { return }
      for row in 0..<outFeatures {
        let target = base + row * width
        for (place, column) in others.enumerated() {
          target[Int(column)] = codes[row * others.count + place]
        }
        for (place, column) in columns.enumerated() {
          target[Int(column)] = kept[row * count + place]
        }
        rotation?.rotateBack(target)
      }
    }
    return values
  }
}
