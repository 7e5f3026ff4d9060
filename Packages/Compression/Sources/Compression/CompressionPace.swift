import DecoderModels
import Foundation
import ModelLoader
import Quantizers

extension Compressor {
  /// Multiplications below which a run is over before its forecast would be worth waiting for.
  private static let shortWork = 2e11

  /// How long a run will take on this machine: the block in the middle is quantized and stored, with
  /// one sequence of made-up activations, and what that took is counted up. Costs a block's time,
  /// and leaves nothing behind.
  ///
  /// - Parameters:
  ///   - sequences: tokens of each calibration sequence; empty for methods that do without.
  ///   - folder: where blocks will wait, or one on the same disk.
  /// - Returns: seconds; nil where so little is to be done that nobody need know.
  /// - Throws: as `run`.
  public func secondsForecast(
    sequences: [Int], beside folder: URL
  ) throws(CompressionError) -> Double? {
    try secondsForecast(sequences: sequences, beside: folder, unlessBelow: Self.shortWork)
  }

  func secondsForecast(
    sequences: [Int], beside folder: URL, unlessBelow least: Double
  ) throws(CompressionError) -> Double? {
    let tokens = sequences.reduce(0, +)
    let weights = sites.joined().reduce(0) { $0 + Int(Double($1.products) * $1.share) }
    guard !settings.isEmpty, Double(weights) * Double(2 * tokens + 200) > least else {
      return nil
    }
    let layer = sites.count / 2
    // The mean length, weighted by tokens: attention takes longer for each token of a long text.
    let length = sequences.reduce(0) { $0 + $1 * $1 } / max(tokens, 1)
    var (times, wholes) = (PhaseTimes(), PhaseTimes())
    var activations = try CompressionError.wrapping(
      model: { () throws(ModelError) in
        length == 0
          ? try CalibrationActivations([], source: source, numerics: numerics, pool: pool)
          : try CalibrationActivations(
            tokens: length, source: source, numerics: numerics, pool: pool)
      })
    activations.watchesLargest = watchesLargest
    activations.startBlock(sites[layer], groups: groups(of: layer)) { _ in true }
    var block = try self.block(layer, times: &wholes)
    let finished = try quantize(&block, layer: layer, activations: &activations, times: &times)
    if !activations.isEmpty {
      try advance(&activations, through: block.stepCount - 1, of: block, times: &times)
    }
    let own = folder.appendingPathExtension("pace")
    // A killed run may have left one.
    try? FileManager.default.removeItem(at: own)
    let store = try BlockStore(
      own, source: source.checkpoint,
      identity: .init(source: "", quantizer: "", calibration: ""), scaleType: scaleType)
    defer { store.remove() }
    try wholes.measure(.storing) { () throws(CompressionError) in try store.save(layer, finished) }

    // What is stored is written once more, and so are the tensors outside of the blocks.
    let stored = try CompressionError.wrapping { () throws(CheckpointError) in
      try blockForecast(layer, calibrated: false).quantized
    }
    let outside = (outerTensors.first + outerTensors.last).reduce(0) {
      $0 + (source.checkpoint.tensors[$1]?.byteCount ?? 0)
    }
    let layers = Double(sites.count)
    let perToken = times[.forward] + times[.hessian]
    let texts = length == 0 ? 0 : perToken * Double(tokens) / Double(length)
    return layers * (texts + times.total - perToken + wholes[.reading])
      + wholes[.storing] * (2 * layers + Double(outside) / Double(max(stored, 1)))
  }
}
