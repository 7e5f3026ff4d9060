import DecoderModels
import MemoryPlanner
import ModelLoader
import Quantizers

/// How much memory and disk a run will take at most, known before it starts.
///
/// Memory is the largest of three stages. While sequences are embedded, the embedding and the
/// activations of all sequences are held. Then a block as stored with the codes made of it, the
/// float copies of the layers under work and their Hessian, beside the activations and what is kept
/// of a layer's inputs. Before and in the end the largest tensor that is copied, beside what the C
/// library keeps of the arrays of the layers.
public struct CompressionForecast: Sendable, Hashable {
  /// Bytes of memory at the highest point.
  public let memoryBytes: Int
  /// Bytes of disk at the highest point: the result, before any compression, finished blocks, and
  /// the shard under work.
  public let diskBytes: Int
}

extension Compressor {
  /// What a process holds before any model: code, libraries, buffers of readers and writers.
  private static let processBytes = 32 << 20
  /// What each thread works in: tiles of matrix products, buffers of readers.
  private static let workerBytes = 2 << 20

  /// Forecasts a run.
  ///
  /// - Parameters:
  ///   - sequences: tokens of each calibration sequence; empty for methods that do without.
  ///   - layout: form of the result.
  ///   - writtenBits: bits of a weight that the writer rounds to, whatever the plan; nil for none.
  /// - Returns: the most memory and disk.
  /// - Throws: `CheckpointError` naming a missing tensor.
  public func forecast(
    sequences: [Int], layout: CheckpointLayout, writtenBits: Double? = nil
  ) throws(CheckpointError) -> CompressionForecast {
    let width = source.shape.hiddenSize
    var (largestBlock, kept) = (0, 0)
    var quantizedBytes = 0
    var denseBytes = source.checkpoint.storedBytes
    var projected = 0
    let tokens = sequences.reduce(0, +)
    for layer in sites.indices {
      let block = try blockForecast(layer, calibrated: !sequences.isEmpty)
      let inputs = groups(of: layer).compactMap {
        self.kept(of: $0, layer: layer, tokens: tokens)?.bytes
      }
      largestBlock = max(largestBlock, block.memory + (inputs.max() ?? 0))
      kept = max(kept, block.arrays)
      quantizedBytes += block.quantized
      denseBytes -= block.replaced
      let outputs = sites[layer].reduce(0.0) { sum, site in
        sum + site.share * Double(site.linears.reduce(0) { $0 + $1.weights.outFeatures })
      }
      projected = max(projected, Int(outputs))
    }
    var (embedding, largest) = (0, 0)
    for name in outerTensors.first { embedding += try bytes(name) }
    for name in outerTensors.first + outerTensors.last {
      largest = max(largest, try source.checkpoint.info(of: name).readingBytes)
    }
    if rotation != nil {
      // Rotated as floats, beside the copy that is written; a head that was the embedding is
      // written too.
      largest *= 5
      if source.shape.tiesEmbeddings { denseBytes += embedding }
    }
    // Of one sequence on its way through a block: residual stream, norms, projections, keys and
    // values.
    let rowFloats = 3 * width + 2 * projected
    let scratch = (sequences.max() ?? 0) * rowFloats * 4
    let activations = tokens * width * 4
    var result =
      layout.method == nil ? source.checkpoint.storedBytes : quantizedBytes + denseBytes
    if let writtenBits {
      let weights = source.checkpoint.tensors.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
      result = Int(Double(weights) * writtenBits / 8)
      // The blocks beside the tensor that they are made of.
      largest += largest / 2
    }
    return CompressionForecast(
      memoryBytes: Self.processBytes + source.checkpoint.workers * Self.workerBytes
        + max(
          activations + max(sequences.isEmpty ? 0 : embedding, largestBlock + scratch),
          largest + kept),
      diskBytes: result + quantizedBytes + min(result, layout.shardLimit))
  }

  /// Bytes of memory while a block is under work, of the arrays of its largest layer, of its
  /// quantized layers as written, and of what those replace.
  func blockForecast(
    _ layer: Int, calibrated: Bool
  ) throws(CheckpointError) -> (memory: Int, arrays: Int, quantized: Int, replaced: Int) {
    var (stored, codes, work, arrays, quantized, replaced) = (0, 0, 0, 0, 0, 0)
    var hessianBytes = 0
    for group in groups(of: layer) {
      var hessians = 0
      for site in sites[layer][group] {
        var (together, largest) = (0, 0)
        for linear in site.linears {
          let size = try bytes(of: linear)
          stored += size
          let (rows, columns) = (linear.weights.outFeatures, linear.weights.inFeatures)
          // A changed layer is floats until it is quantized; one that is not is stored with the
          // block.
          if hasTransforms { codes += 4 * rows * columns }
          guard let own = settings[linear.name] else {
            if hasTransforms { (quantized, replaced) = (quantized + size, replaced + size) }
            continue
          }
          let outliers =
            rows
            * WeightScheme.outliers(
              inputs: columns, width: source.shape.hiddenSize, usual: own.outliers ?? 0)
          let groups = own.groupSize.map { (columns + $0 - 1) / $0 } ?? 1
          quantized +=
            (rows * columns * own.bits + 7) / 8 + rows * groups * 4 + 16
            + 4 * outliers
          replaced += size
          // One byte a code until the block is stored, and the packed form that the next layers'
          // inputs come from.
          codes +=
            rows * columns + rows * columns * (own.bits == 8 ? 8 : 4) / 8 + rows * groups * 8
            + 8 * outliers
          together += rows * columns
          largest = max(largest, rows * columns)
        }
        // Floats of all layers that share the input; of the one under work also its columns in
        // their order, codes and differences; the Hessian, its damped copy and the factor, and rows
        // of activations both ways round. Of sites observed together all Hessians are held.
        arrays = max(arrays, 10 * largest)
        let columns = site.inFeatures
        if calibrated { hessians += 8 * columns * columns + 4096 * columns }
        work = max(work, 4 * together + 10 * largest + (calibrated ? 8 * columns * columns : 0))
      }
      hessianBytes = max(hessianBytes, hessians)
    }
    return (stored + codes + work + hessianBytes, arrays, quantized, replaced)
  }

  private func bytes(of linear: Linear) throws(CheckpointError) -> Int {
    guard let part = linear.part else { return try bytes(linear.storedName) }
    return part.rows.count * part.columns * (try source.checkpoint.info(of: part).dtype.bits) / 8
  }

  func bytes(_ tensor: String) throws(CheckpointError) -> Int {
    try source.checkpoint.info(of: tensor).byteCount
  }
}
