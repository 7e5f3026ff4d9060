import KVCaches
import ModelLoader
import Tensors

/// How the output head is held in memory.
public enum HeadBits: String, Sendable, Hashable, Codable, CaseIterable {
  /// As it is stored, usually in 16 bits, which is what the paper does.
  case stored = "16"
  /// Rounded to 12 bits, in two parts, where it is stored as floats.
  case twelve = "12"
  /// Rounded to 8 bits where it is stored as floats.
  case eight = "8"

  /// Bits of a weight, scales aside.
  public var bits: Int {
    switch self {
    case .stored: 16
    case .twelve: 12
    case .eight: 8
    }
  }

  /// A head held like this; `workers` threads round it.
  func hold(
    _ weights: any LinearWeights, workers: Int
  ) throws(TensorError) -> any LinearWeights {
    self == .stored
      ? weights : try WeightPacking.quantized(weights, bits: bits, workers: workers)
  }
}

/// A whole model in memory: embedding, blocks and output head.
public struct Decoder: Sendable {
  /// What the configuration says.
  public let family: any ModelFamily
  /// What tokens become.
  public let embedding: TokenEmbedding
  /// The blocks, first to last.
  public let blocks: [DecoderBlock]
  /// What makes logits.
  public let outputHead: OutputHead

  /// The sizes that hold for all blocks.
  public var shape: DecoderShape { family.shape }

  /// The weights of the output head, `[vocabulary, width]`.
  public var head: any LinearWeights { outputHead.weights ?? embedding.tokens }

  /// Reads a model, tensor by tensor, into its packed form.
  ///
  /// - Parameters:
  ///   - checkpoint: where the weights are.
  ///   - families: those that may answer for it.
  ///   - headBits: how the head is held: as it is stored, or rounded to 8 bits; an embedding that
  ///     serves as the head is rounded with it.
  ///   - progress: is told the blocks read so far, and of how many.
  /// - Throws: `ModelError` naming the file, tensor or key.
  public init(
    _ checkpoint: Checkpoint, families: ModelFamilies = .standard, headBits: HeadBits = .stored,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(ModelError) {
    let source = try DecoderSource(checkpoint, families: families)
    try self.init(
      source.family, from: CheckpointTensors(checkpoint: checkpoint), headBits: headBits,
      workers: checkpoint.workers, progress: progress)
    do {
      try checkpoint.verifyUnchanged()
    } catch {
      throw .checkpoint(error)
    }
    progress(shape.layers, shape.layers)
  }

  /// A model of a family whose tensors come from anywhere.
  ///
  /// - Parameters:
  ///   - family: assembles the parts.
  ///   - source: has the tensors that the family names.
  ///   - headBits: as above.
  ///   - workers: threads that round the head.
  ///   - progress: as above.
  /// - Throws: `ModelError.checkpoint` for what `source` throws, `.tensors` when memory is short.
  public init(
    _ family: any ModelFamily, from source: any TensorSource, headBits: HeadBits = .stored,
    workers: Int = 1, progress: (Int, Int) -> Void = { _, _ in }
  ) throws(ModelError) {
    do {
      self.family = family
      let shape = family.shape
      // What is rounded is rounded as it is read, where the source can do that.
      let rounding = headBits == .stored ? source : source.roundingTokens(to: headBits.bits)
      var embedding = try family.embedding(from: shape.tiesEmbeddings ? rounding : source)
      if shape.tiesEmbeddings {
        embedding.tokens = try headBits.hold(embedding.tokens, workers: workers)
      }
      self.embedding = embedding
      var blocks: [DecoderBlock] = []
      for layer in 0..<shape.layers {
        progress(layer, shape.layers)
        blocks.append(try family.block(layer, from: source))
      }
      self.blocks = blocks
      var head = try family.head(from: rounding)
      if let weights = head.weights { head.weights = try headBits.hold(weights, workers: workers) }
      outputHead = head
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch let error as TensorError {
      throw .tensors(error)
    } catch {
      throw .checkpoint(.tensors("\(error)"))
    }
  }

  /// Bytes of all weights in memory.
  public var weightBytes: Int {
    blocks.reduce(embedding.byteCount + outputHead.byteCount) { $0 + $1.byteCount }
  }

  /// An empty cache for one sequence.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` where the model's heads cannot be kept as `policy`
  ///   says, `.invalidEviction` where nothing can be evicted, either where thoughts cannot be told
  ///   apart.
  public func makeCache(
    _ policy: KVPolicy = .full, meter: KVMeter
  ) throws(KVPolicyError) -> KVCache {
    if policy.watchesAttention, blocks.contains(where: \.mixer.needsAllKeys) {
      let reason = "this model scores keys by their place among all tokens (ALiBi), which "
      if let eviction = policy.eviction {
        throw .invalidEviction(text: eviction.description, reason: reason + "an eviction forgets")
      }
      throw .invalidFormat(
        text: policy.description, reason: reason + "kinds of thought are told apart without")
    }
    return try KVCache(shape: shape.cacheShape, policy: policy, meter: meter)
  }

  /// The format most weights of the blocks are in.
  public var formatName: String { blocks.first?.formatName ?? head.formatName }
}
