import Foundation
import SystemCalls
import Tensors

/// A trained model as it lies on disk: its configuration and its tensors, read on demand.
///
/// Opening reads the JSON files and the headers of all shards and checks them against the sizes of
/// the files; tensors are read one at a time, so memory never holds more than what was asked for.
/// All readers may be called from several threads. Files that change after they were opened are
/// errors.
///
/// The folder is laid out as on the Hugging Face hub: `config.json`, optional
/// `generation_config.json`, and `model.safetensors` or shards with `model.safetensors.index.json`.
/// Shards may also be in the compressed form, `*.safetensors.zst` (see `SeekTable`). A GGUF file is
/// opened as the folder that it stands for (see `GGUFModel`).
public struct Checkpoint: Sendable {
  /// The folder, or the GGUF file.
  public let directory: URL
  /// `config.json`.
  public let config: JSONObject
  /// `generation_config.json`, where the folder has one.
  public let generationConfig: JSONObject?
  /// All tensors by name.
  public private(set) var tensors: [String: TensorInfo]
  /// Threads used to read and decode.
  public let workers: Int

  private let shards: [String: TensorFile]
  private let gguf: GGUFModel?
  private var dequantized: DequantizedLayers?
  private var format: Result<(any LinearFormat)?, CheckpointError>

  /// JSON files beside the weights are read up to this size, in bytes.
  private static let jsonLimit = 64 << 20
  /// Tokenizers are the largest of the other files.
  private static let companionLimit = 1 << 30

  /// Opens a model folder or a GGUF file; large tensors are read by up to `workers` threads.
  ///
  /// - Throws: `CheckpointError` naming the file that is missing or wrong.
  public init(
    directory: URL, workers: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(CheckpointError) {
    let path = directory.path
    if GGUFModel.isModel(path) {
      self.init(
        directory: directory, workers: workers,
        gguf: try GGUFModel(path: path, workers: max(workers, 1)))
    } else {
      try self.init(folder: directory, workers: max(workers, 1))
    }
  }

  private init(folder directory: URL, workers: Int) throws(CheckpointError) {
    let path = directory.path
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .missing(path: path, what: path.hasSuffix(".gguf") ? "GGUF model" : "model folder")
    }
    guard isDirectory.boolValue else {
      throw .malformed(file: path, reason: "not a folder, nor a GGUF file")
    }
    self.directory = directory
    self.workers = workers
    if !FileCalls.isNamed(path + "/config.json"),
      let reason = ForeignWeights.explanation(in: path)
    {
      throw .malformed(file: path, reason: "has no config.json and " + reason)
    }
    let config = try Self.json("config.json", in: path)
    self.config = config
    generationConfig = try Self.jsonIfPresent("generation_config.json", in: path)
    // How a model was made decides nothing here, but a damaged record is a damaged folder.
    _ = try Self.jsonIfPresent(CheckpointWriter.recordFile, in: path)
    // Older GPTQ files describe themselves in a file of their own.
    let quantizeConfig = try Self.jsonIfPresent("quantize_config.json", in: path)
    let files = try WeightFiles(in: path, workers: self.workers)
    shards = files.shards
    tensors = files.tensors
    format = Result { () throws(CheckpointError) in
      let format = try linearFormat(config: config, quantizeConfig: quantizeConfig)
      // Weights of another kind than the configuration's would be read as what they are not.
      if let format, !files.tensors.keys.contains(where: { $0.hasSuffix("." + format.marker) }) {
        throw .value(
          file: path + "/config.json", key: "quantization_config",
          expected:
            "layers with a tensor NAME.\(format.marker), as \(format.summary.method.rawValue) has",
          found: "none")
      }
      return format
    }
    gguf = nil
  }

  private init(directory: URL, workers: Int, gguf: GGUFModel) {
    self.directory = directory
    self.workers = max(workers, 1)
    config = gguf.config
    generationConfig = gguf.generationConfig
    format = .success(gguf.format)
    shards = gguf.shards
    tensors = gguf.tensors
    self.gguf = gguf
  }

  // MARK: Files

  /// Whether this is a GGUF file.
  var isGGUF: Bool { gguf != nil }

  /// Whether a folder holds weights of any kind, be they read here or not: one with `config.json`
  /// alone says what a model is without being one.
  public static func holdsWeights(_ folder: URL) -> Bool { WeightFiles.arePresent(in: folder.path) }

  /// Whether there is a file of this name beside the weights, or in a GGUF file what it would say.
  public func hasCompanionFile(_ name: String) -> Bool {
    gguf?.hasFile(name) ?? FileCalls.isNamed(directory.path + "/" + name)
  }

  /// The contents of a file beside the weights, such as `tokenizer.json`; nil where there is none.
  /// Of a GGUF file, what its metadata says in the form of that file.
  ///
  /// - Throws: `.unsupported` or `.value` for metadata that cannot be read; `.system`.
  public func companionFile(_ name: String) throws(CheckpointError) -> [UInt8]? {
    if let gguf { return try gguf.file(name) }
    let path = directory.path + "/" + name
    guard FileCalls.isNamed(path) else { return nil }
    return try FileSource.contents(of: path, what: name, limit: Self.companionLimit)
  }

  private static func json(
    _ name: String, in directory: String
  ) throws(CheckpointError) -> JSONObject {
    let path = directory + "/" + name
    let bytes = try FileSource.contents(of: path, what: name, limit: jsonLimit)
    try LFSPointer.refuse(bytes, file: path)
    return try JSONObject(parsing: bytes, file: path)
  }

  private static func jsonIfPresent(
    _ name: String, in directory: String
  ) throws(CheckpointError) -> JSONObject? {
    guard FileCalls.isNamed(directory + "/" + name) else { return nil }
    return try json(name, in: directory)
  }

  // MARK: Tensors

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { tensors[name] != nil }

  /// Bytes of all tensors as stored, before compression of the files.
  public var storedBytes: Int { tensors.values.reduce(0) { $0 + $1.byteCount } }

  /// What is known of a tensor without reading it.
  ///
  /// - Throws: `.noTensor`.
  public func info(of name: String) throws(CheckpointError) -> TensorInfo {
    guard let info = tensors[name] else {
      throw .noTensor(directory: directory.path, tensor: name)
    }
    return info
  }

  /// Reads a tensor.
  ///
  /// - Throws: `.noTensor`, `.changed`, `.truncated`, `.damaged`, or `.tensors` when memory is
  ///   short.
  public func tensor(named name: String) throws(CheckpointError) -> Tensor {
    let info = try info(of: name)
    let bytes: AlignedBytes
    if let dequantized, info.quantizedLayer != nil {
      bytes = try dequantized.bytes(of: info)
    } else {
      bytes = try shard(of: info).bytes(of: info, workers: workers)
    }
    do {
      return try Tensor(dtype: info.dtype, shape: info.shape, bytes: bytes)
    } catch {
      throw .tensors("tensor \(name): \(error)")
    }
  }

  /// Reads a tensor of F32, F16 or BF16 elements as F32.
  ///
  /// - Throws: as `tensor(named:)`, or `.unsupported` for another element type.
  public func floats(named name: String) throws(CheckpointError) -> [Float] {
    let info = try info(of: name)
    guard info.dtype.isPlainFloat else {
      throw unsupported("tensor \(name) of type \(info.dtype.rawValue) as floating point")
    }
    let tensor = try tensor(named: name)
    do {
      return try tensor.floats()
    } catch {
      throw .tensors("tensor \(name): \(error)")
    }
  }

  /// Reads a tensor in pieces of whole rows (first dimension), several at once on up to `workers`
  /// threads, so that no copy of it is held.
  ///
  /// - Parameters:
  ///   - info: a tensor of this checkpoint.
  ///   - granularity: every piece starts at a multiple of this many rows.
  ///   - body: is handed the rows of a piece and their bytes, row-major; called from several
  ///     threads.
  /// - Throws: as `tensor(named:)`; some pieces may have been handed out by then.
  public func readRows(
    of info: TensorInfo, granularity: Int = 1,
    _ body: @Sendable (Range<Int>, UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    let granularity = max(granularity, 1)
    if let dequantized, info.quantizedLayer != nil {
      return try dequantized.readRows(of: info, granularity: granularity, body)
    }
    try shard(of: info).readRows(of: info, granularity: granularity, workers: workers, body)
  }

  /// Bytes `range` of a tensor of this checkpoint as they are stored, counted from its first byte.
  func storedBytes(
    of info: TensorInfo, _ range: Range<Int>
  ) throws(CheckpointError) -> AlignedBytes {
    try shard(of: info).storedBytes(of: info, range)
  }

  /// Hands out bytes `range` of a tensor of this checkpoint as they are stored; see
  /// `storedBytes(of:_:)`.
  func withStoredBytes(
    of info: TensorInfo, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    try shard(of: info).withStoredBytes(of: info, range, body)
  }

  private func shard(of info: TensorInfo) throws(CheckpointError) -> TensorFile {
    guard let shard = shards[info.shard] else {
      throw .noTensor(directory: directory.path, tensor: info.name)
    }
    return shard
  }

  /// Makes sure that no shard has changed since the checkpoint was opened.
  ///
  /// - Throws: `.changed` naming the file.
  public func verifyUnchanged() throws(CheckpointError) {
    for (_, shard) in shards.sorted(by: { $0.key < $1.key }) { try shard.verifyUnchanged() }
  }

  // MARK: Linear layers

  /// How the linear layers are quantized, or nil when they are not.
  ///
  /// - Throws: `.unsupported` or `.value` when the configuration says something that cannot be read
  ///   here.
  public func quantization() throws(CheckpointError) -> QuantizationSummary? {
    try format.get()?.summary
  }

  /// The same model with its quantized layers as matrices of F16, which they become as they are
  /// read: for those who work on weights.
  ///
  /// - Throws: as `quantization()`; what is wrong with the parts of a layer.
  public func dequantizing() throws(CheckpointError) -> Checkpoint {
    guard let stored = try format.get() else { return self }
    let layers = try DequantizedLayers(of: self, in: stored)
    var model = self
    for name in layers.parts { model.tensors[name] = nil }
    for matrix in layers.matrices { model.tensors[matrix.name] = matrix }
    (model.dequantized, model.format) = (layers, .success(nil))
    return model
  }

  /// What the name of one tensor of every quantized layer ends in, or nil where none is quantized.
  func quantizationMarker() throws(CheckpointError) -> String? { try format.get()?.marker }

  /// The weight of the linear layer `prefix`, dense or quantized as the checkpoint has it; a bias
  /// is a tensor by itself.
  ///
  /// - Throws: `.noTensor`, `.unsupported` naming the element type, `.shape`, or what is wrong with
  ///   its parts.
  public func linear(named prefix: String) throws(CheckpointError) -> StoredLinear {
    if let info = try denseLinear(named: prefix) { return .dense(try tensor(named: info.name)) }
    return try storedFormat(of: prefix).stored(named: prefix, in: self)
  }

  /// The codes and scales of the linear layer `prefix`.
  ///
  /// - Throws: as `linear(named:)`, `.noTensor` also where the layer is not quantized.
  public func quantizedLinear(named prefix: String) throws(CheckpointError) -> QuantizedMatrix {
    try storedFormat(of: prefix).matrix(named: prefix, in: self)
  }

  private func storedFormat(of prefix: String) throws(CheckpointError) -> any LinearFormat {
    guard let format = try format.get() else {
      throw .noTensor(directory: directory.path, tensor: prefix + ".weight")
    }
    return format
  }

  /// The weight of the linear layer `prefix` in the form in which it is multiplied, read by
  /// `workers` threads in pieces.
  ///
  /// - Parameters:
  ///   - prefix: the layer's name.
  ///   - shape: the size that it has to have, `[out, in]`.
  ///   - bits: what floats are rounded to as they are read, 8 or 12; nil where they stay.
  /// - Returns: the weights in memory.
  /// - Throws: as `linear(named:)`, `.shape` for another size, or `.tensors` when memory is short.
  public func weights(
    named prefix: String, shape: [Int], roundedTo bits: Int? = nil
  ) throws(CheckpointError) -> any LinearWeights {
    func check(_ found: [Int]) throws(CheckpointError) {
      guard found == shape else {
        throw .shape(tensor: prefix + ".weight", expected: shape, found: found)
      }
    }
    if let info = try denseLinear(named: prefix) {
      try check(info.shape)
      if let bits {
        let packer = try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
          try RoundingPacker(dtype: info.dtype, shape: info.shape, name: info.name, bits: bits)
        }
        try readRows(of: info, granularity: RoundingPacker.blockRows) { packer.put($0, $1) }
        return packer.weights
      }
      let packer = try CheckpointError.wrapping(layer: prefix) { () throws(TensorError) in
        try DensePacker(dtype: info.dtype, shape: info.shape, name: info.name)
      }
      try readRows(of: info, granularity: DensePacker.blockRows) { packer.put($0, $1) }
      return packer.weights
    }
    let format = try storedFormat(of: prefix)
    try check(format.shape(of: prefix, in: self))
    return try format.weights(named: prefix, in: self)
  }

  /// The size `[out, in]` of a quantized layer and its form in words; nil where it is not
  /// quantized.
  func storage(
    ofLayer prefix: String
  ) throws(CheckpointError) -> (shape: [Int], name: String)? {
    guard try denseLinear(named: prefix) == nil, let format = try format.get() else { return nil }
    return (
      try format.shape(of: prefix, in: self), try format.storageName(of: prefix, in: self)
    )
  }

  /// The tensor that is the weight of the linear layer `prefix`, or nil where it is quantized.
  ///
  /// - Throws: as `linear(named:)`.
  public func denseLinear(named prefix: String) throws(CheckpointError) -> TensorInfo? {
    let name = prefix + ".weight"
    if let format = try format.get(), contains(prefix + "." + format.marker) {
      guard format.standsBesideWeight || !contains(name) else {
        throw unsupported("layer \(prefix) stored both dense and quantized")
      }
      return nil
    }
    let info = try info(of: name)
    guard info.dtype.isPlainFloat else {
      throw unsupported("tensor \(name) of type \(info.dtype.rawValue) as weight of a linear layer")
    }
    guard info.shape.count == 2 else {
      throw wrong(name, "shape \(info.shape); a matrix is expected")
    }
    return info
  }

  private func unsupported(_ feature: String) -> CheckpointError {
    .unsupported(file: directory.path, feature: feature)
  }
}
