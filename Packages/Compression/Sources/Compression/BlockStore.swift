import Foundation
import ModelLoader
import Quantizers
import SystemCalls
import Tensors

/// The blocks that are finished, on disk, so that a run that was killed goes on with the first one
/// that is not.
///
/// Every block is a little checkpoint in a folder of its own, which appears whole or not at all.
/// The folder of all blocks holds the identity of the run; blocks of another run are never used.
public struct BlockStore {
  /// What has to be equal for a block to be used again.
  public struct Identity: Hashable, Codable, Sendable {
    /// Digest of the source's tensors.
    public let source: String
    /// The method and its settings.
    public let quantizer: String
    /// Digest of the calibration tokens.
    public let calibration: String

    /// The identity of a run.
    public init(source: String, quantizer: String, calibration: String) {
      self.source = source
      self.quantizer = quantizer
      self.calibration = calibration
    }

    func differences(from other: Identity) -> [String] {
      var names: [String] = []
      if source != other.source { names.append("source model") }
      if quantizer != other.quantizer { names.append("method or settings") }
      if calibration != other.calibration { names.append("calibration") }
      return names
    }
  }

  /// A finished block.
  struct Block {
    var matrices: [String: StoredLinear]
    /// Norms that were changed, by the names of their tensors.
    var norms: [String: Tensor] = [:]
    var reports: [CompressionRecord.Layer]
  }

  private struct BlockRecord: Codable {
    let layers: [CompressionRecord.Layer]
    /// Layers that were changed but not quantized.
    var dense: [String]?
    /// Tensors of norms that were changed.
    var norms: [String]?
  }

  private static let identityFile = "identity.json"
  /// Larger files are no records.
  private static let recordLimit = 64 << 20

  private let folder: URL
  private let source: Checkpoint
  private let layout: CheckpointLayout
  private let scaleType: DType?

  /// Opens or makes the store in `folder`.
  ///
  /// - Parameters:
  ///   - folder: where the blocks lie.
  ///   - source: the model that is compressed.
  ///   - identity: what the blocks have to belong to.
  ///   - storage: how their quantized layers are stored.
  ///   - scaleType: the type that scales were rounded to, in which they are stored too, so that
  ///     codes and scales stay what was found; nil for that of the model.
  ///   - replacing: whether the blocks of another run may be thrown away.
  /// - Throws: `CompressionError.otherRun` when it holds blocks of another run, `.store` when it
  ///   cannot be made or read.
  public init(
    _ folder: URL, source: Checkpoint, identity: Identity,
    storage: QuantizationSummary.Method = .packQuantized, scaleType: DType? = nil,
    replacing: Bool = false
  ) throws(CompressionError) {
    self.folder = folder
    self.source = source
    self.scaleType = scaleType
    layout = try CompressionError.wrapping { () throws(CheckpointError) in
      try CheckpointLayout(container: .zstd, method: storage)
    }
    do {
      if FileCalls.isNamed(Self.retired(folder).path) {
        // Whoever put them aside was killed before the result was there.
        if !FileCalls.isNamed(folder.path) {
          try FileCalls.rename(Self.retired(folder).path, to: folder.path)
        } else {
          Self.removeRetired(folder)
        }
      }
      let found = Result { try Self.identity(of: folder) }
      if let other = replacing ? nil : try found.get() {
        let differences = identity.differences(from: other)
        guard differences.isEmpty else {
          throw CompressionError.otherRun(folder: folder.path, differences: differences)
        }
      } else if (try? found.get()) != identity {
        // Without an identity blocks may be of any run: whoever was removing them was killed.
        if FileCalls.isNamed(folder.path) { try Self.remove(folder) }
        try FileCalls.makeFolder(folder.path)
        try AtomicFile.write(
          JSONEncoder().encode(identity),
          to: folder.appendingPathComponent(Self.identityFile).path)
      }
    } catch let error as CompressionError {
      throw error
    } catch {
      throw .store(
        folder: folder.path,
        reason: (error as? FileError)?.description ?? error.localizedDescription)
    }
  }

  /// What the blocks in a folder belong to; nil where nothing says so.
  private static func identity(of folder: URL) throws -> Identity? {
    let file = folder.appendingPathComponent(identityFile).path
    guard FileCalls.isNamed(file) else { return nil }
    let bytes = try RegularFile.contents(of: file, atMost: recordLimit)
    return try JSONDecoder().decode(Identity.self, from: bytes)
  }

  /// Removes the store from disk.
  public func remove() {
    try? Self.remove(folder)
    Self.removeRetired(folder)
  }

  /// The identity goes first: what a killed run leaves of the rest is nobody's, and never used.
  private static func remove(_ folder: URL) throws {
    unlink(folder.appendingPathComponent(identityFile).path)
    try FileManager.default.removeItem(at: folder)
  }

  // MARK: The last step

  private static func retired(_ folder: URL) -> URL { folder.appendingPathExtension("done") }

  /// Puts the blocks aside before the result that they are all in gets its name: beside a result
  /// they are of no use, whenever the run ends.
  ///
  /// - Throws: `CompressionError.store`.
  public func retire() throws(CompressionError) {
    do throws(FileError) {
      try FileCalls.rename(folder.path, to: Self.retired(folder).path)
    } catch {
      throw .store(folder: folder.path, reason: error.description)
    }
  }

  /// Brings the blocks back, where there came no result.
  public func restore() { _ = rename(Self.retired(folder).path, folder.path) }

  /// Removes blocks that a killed run put aside, where its result is there.
  public static func removeRetired(_ folder: URL) { try? remove(retired(folder)) }

  /// Removes the store unless it holds a finished block; tells whether it holds one.
  public func keepIfUseful() -> Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let isUseful = names.contains { $0.hasPrefix("block-") }
    if !isUseful { remove() }
    return isUseful
  }

  private func folder(of layer: Int) -> URL { folder.appendingPathComponent("block-\(layer)") }

  /// Whether block `layer` is finished.
  func isFinished(_ layer: Int) -> Bool {
    FileManager.default.fileExists(atPath: folder(of: layer).path)
  }

  /// Reads a finished block; `names` are those of its quantized layers. A block without any, and
  /// without a change, is never stored.
  ///
  /// - Throws: `CompressionError.store` for a damaged one, `.checkpoint` where the system refuses to
  ///   read it.
  func block(_ layer: Int, names: [String]) throws(CompressionError) -> Block {
    if !isFinished(layer), names.isEmpty { return Block(matrices: [:], reports: []) }
    let file = folder(of: layer).appendingPathComponent("bitbudget.json")
    let record: BlockRecord
    do {
      let bytes = try RegularFile.contents(of: file.path, atMost: Self.recordLimit)
      record = try JSONDecoder().decode(BlockRecord.self, from: bytes)
    } catch {
      throw .store(folder: file.path, reason: "cannot be read")
    }
    var block = Block(matrices: [:], reports: record.layers)
    let dense = Set(record.dense ?? [])
    do throws(CheckpointError) {
      let checkpoint = try Checkpoint(directory: folder(of: layer), workers: source.workers)
      for name in names + dense.sorted() {
        block.matrices[name] = try checkpoint.linear(named: name)
      }
      for name in record.norms ?? [] { block.norms[name] = try checkpoint.tensor(named: name) }
    } catch {
      switch error {
      case .system, .tensors: throw .checkpoint(error)
      default: throw .store(folder: folder(of: layer).path, reason: "\(error)")
      }
    }
    for name in names where !dense.contains(name) {
      if case .dense? = block.matrices[name] {
        throw .store(folder: folder(of: layer).path, reason: "layer \(name) is not quantized")
      }
    }
    return block
  }

  /// Stores a finished block.
  ///
  /// - Throws: `CompressionError.checkpoint` when the disk is full.
  func save(_ layer: Int, _ block: Block) throws(CompressionError) {
    if block.matrices.isEmpty, block.norms.isEmpty { return }
    let quantized = Set(block.reports.map(\.name))
    let dense = block.matrices.keys.filter { !quantized.contains($0) }.sorted()
    let norms = block.norms.keys.sorted()
    try CompressionError.wrapping { () throws(CheckpointError) in
      let writer = try CheckpointWriter(
        target: folder(of: layer), source: source, layout: layout, companions: [],
        scaleType: scaleType)
      for report in block.reports {
        guard let matrix = block.matrices[report.name] else { continue }
        try writer.append(matrix, named: report.name)
      }
      for name in dense {
        if let matrix = block.matrices[name] { try writer.append(matrix, named: name) }
      }
      for name in norms {
        if let tensor = block.norms[name] { try writer.append(tensor, named: name) }
      }
      try writer.finish(
        record: BlockRecord(
          layers: block.reports, dense: dense.isEmpty ? nil : dense,
          norms: norms.isEmpty ? nil : norms))
    }
  }
}
