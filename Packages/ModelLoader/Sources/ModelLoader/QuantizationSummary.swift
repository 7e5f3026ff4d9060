import Tensors

/// How the linear layers of a checkpoint are quantized.
public struct QuantizationSummary: Sendable, Hashable, Codable {
  /// The stored format.
  public enum Method: String, Sendable, Hashable, Codable {
    /// GPTQ files whose zero points are stored minus one.
    case gptq
    /// GPTQ files with true zero points.
    case gptqV2 = "gptq_v2"
    /// compressed-tensors, integer weights packed along the inputs.
    case packQuantized = "pack-quantized"
    /// compressed-tensors, 8-bit integer weights, one a byte.
    case intQuantized = "int-quantized"
    /// compressed-tensors, 8-bit float weights.
    case floatQuantized = "float-quantized"
    /// 8-bit float weights with a scale for each block of rows and columns.
    case float8Blocks = "fp8"
    /// AWQ files.
    case awq
    /// Layers of 4 and 8 bits on both sides, with outliers, which run here alone.
    case bitbudget
    /// Blocks of a GGUF file.
    case gguf
  }

  /// Width and grouping of one set of layers.
  public struct Scheme: Sendable, Hashable, Codable {
    /// Bits of one weight.
    public let bits: Int
    /// Inputs that share a scale; nil for one scale per output.
    public let groupSize: Int?
    /// What becomes of the activations, where the model says it.
    public let activations: TokenRounding?

    /// A scheme.
    public init(bits: Int, groupSize: Int?, activations: TokenRounding? = nil) {
      self.bits = bits
      self.groupSize = groupSize
      self.activations = activations
    }

    /// Scales of one row of `inputs` weights.
    func groups(inputs: Int) -> Int {
      groupSize.map { inputs / $0 + (inputs % $0 == 0 ? 0 : 1) } ?? 1
    }
  }

  /// The stored format.
  public let method: Method
  /// The schemes the configuration names, in its order; more than one for mixed precision.
  public let schemes: [Scheme]
}
