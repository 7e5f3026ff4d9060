import Kernels

/// A norm of rows `[width]`: root-mean-square, or layer norm.
public struct Norm: Sendable {
  /// What is computed.
  public enum Kind: Sendable, Hashable {
    /// `x / sqrt(mean(x^2) + epsilon) * weight` (arXiv:1910.07467).
    case rootMeanSquare
    /// `(x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias` (arXiv:1607.06450).
    case layer
  }

  /// What is computed.
  public let kind: Kind
  /// `[width]`. Families whose files hold w for a factor of 1 + w add the 1 when they read it.
  public var weight: [Float]
  /// `[width]`; of layer norms alone.
  public var bias: [Float]?
  /// Added to the mean square or the variance.
  public let epsilon: Float
  /// Its name in the checkpoint, such as `model.layers.3.input_layernorm`; nil where it was not
  /// read from one.
  public let name: String?
  /// What `weight` is more than the file's.
  public let offset: Float

  /// A root-mean-square norm.
  public init(
    rootMeanSquare weight: [Float], epsilon: Float, name: String? = nil, offset: Float = 0
  ) {
    (kind, self.weight, bias, self.epsilon) = (.rootMeanSquare, weight, nil, epsilon)
    (self.name, self.offset) = (name, offset)
  }

  /// A layer norm.
  public init(layer weight: [Float], bias: [Float]?, epsilon: Float, name: String? = nil) {
    (kind, self.weight, self.bias, self.epsilon) = (.layer, weight, bias, epsilon)
    (self.name, offset) = (name, 0)
  }

  /// Numbers it holds.
  public var parameters: Int { weight.count + (bias?.count ?? 0) }

  /// Writes the norm of a row to `target`, which may be the row itself.
  func apply(
    _ kernels: bb_kernel_table, _ row: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    switch kind {
    case .rootMeanSquare: kernels.rms_norm(row, weight, epsilon, weight.count, target)
    case .layer: kernels.layer_norm(row, weight, bias, epsilon, weight.count, target)
    }
  }
}
