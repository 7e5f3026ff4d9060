import Quantizers
import Tensors

/// Which block type each matrix of a GGUF file gets, by the names under which these mixes are known:
/// `Q4_K_M` is mostly Q4_K, with more bits where they help most.
///
/// Matrices are rounded to nearest by search. Rows that are no whole super-blocks of 256 become Q8_0,
/// those that are no whole blocks of 32 stay as they are.
///
/// Source: ggml-org/llama.cpp, src/llama-quant.cpp (which tensors get more bits).
public enum GGUFMix: String, Sendable, CaseIterable {
  case q4KS = "Q4_K_S"
  case q4KM = "Q4_K_M"
  case q5KS = "Q5_K_S"
  case q5KM = "Q5_K_M"
  case q6K = "Q6_K"

  /// The mix of a name, in any case.
  public init?(named name: String) { self.init(rawValue: name.uppercased()) }

  /// Bits of a weight, over all matrices, as an upper bound for forecasts.
  public var mostBits: Double {
    switch self {
    case .q4KS, .q4KM: 5.5
    case .q5KS, .q5KM: 6.1
    case .q6K: 6.6
    }
  }

  /// As llama.cpp numbers it in `general.file_type`.
  var fileType: Int {
    switch self {
    case .q4KS: 14
    case .q4KM: 15
    case .q5KS: 16
    case .q5KM: 17
    case .q6K: 18
    }
  }

  private enum Kind: UInt32 { case q4 = 12, q5 = 13, q6 = 14, q8 = 8 }

  /// How a matrix is written.
  ///
  /// - Parameters:
  ///   - name: of the tensor in the file, such as `blk.3.ffn_down.weight`.
  ///   - columns: inputs of the matrix.
  ///   - layers: decoder blocks of the model.
  ///   - isHead: whether the embedding is the head too.
  /// - Returns: nil for a matrix that stays as it is.
  func quantizer(
    for name: String, columns: Int, layers: Int, isHead: Bool
  ) -> KBlockQuantizer? {
    let parts = name.split(separator: ".").map(String.init)
    guard parts.last == "weight", columns % 32 == 0 else { return nil }
    var kind: Kind
    if parts[0] == "output" || (parts[0] == "token_embd" && isHead) {
      kind = .q6
    } else if parts.count == 4, let layer = Int(parts[1]) {
      kind = self.kind(of: parts[2], layer: layer, of: layers)
    } else {
      kind = usual
    }
    if columns % 256 != 0 { kind = .q8 }
    return BlockType(id: kind.rawValue).flatMap(KBlockQuantizer.init)
  }

  private var usual: Kind {
    switch self {
    case .q4KS, .q4KM: .q4
    case .q5KS, .q5KM: .q5
    case .q6K: .q6
    }
  }

  /// Values and what leads out of a feed-forward layer lose most by few bits, most of all in the
  /// first and last eighth of the blocks.
  private func kind(of part: String, layer: Int, of layers: Int) -> Kind {
    let eighth = layers / 8
    let isOuter =
      layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
    switch (self, part) {
    case (.q4KM, "attn_v"), (.q4KM, "ffn_down"), (.q5KM, "attn_v"), (.q5KM, "ffn_down"):
      return isOuter ? .q6 : usual
    case (.q4KM, "attn_qkv"): return .q5
    case (.q5KM, "attn_qkv"): return .q6
    case (.q4KS, "attn_v"): return layer < 4 ? .q5 : .q4
    case (.q4KS, "ffn_down"): return layer < eighth ? .q5 : .q4
    default: return usual
    }
  }
}
