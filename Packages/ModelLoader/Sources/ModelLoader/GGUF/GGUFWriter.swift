import Foundation
import JSON
import SystemCalls
import Tensors

/// Writes a model made from another one as a GGUF file, tensor by tensor.
///
/// Matrices that are not quantized keep F32, F16 or BF16, all else becomes F32. The tensors wait in
/// a hidden file beside the target, since what stands in front of them tells how many there are:
/// the disk has to hold the result twice. The file appears under its name when `finish` returns and
/// not before.
///
/// Layout: see `GGUFHeader`. Source: ggml-org/ggml, docs/gguf.md.
public final class GGUFWriter: ModelWriter {
  /// Scales of blocks are F16.
  public let scaleType = DType.f16

  private struct Entry {
    let name: String
    /// Outermost first; of a stack of experts that of one matrix until all are there.
    var shape: [Int]
    let type: UInt32
    /// Where its bytes wait; of a stack for each expert.
    var pieces: [Int: Range<Int>]
    /// Whether it is a stack of experts.
    var isStack = false

    var byteCount: Int { pieces.values.reduce(0) { $0 + $1.count } }
  }

  private let target: URL
  private let source: Checkpoint
  private let name: String
  private let replacing: Bool
  private let isTied: Bool
  private var rounding: GGUFRounding?
  /// What the matrices of a mix became.
  public var rounded: [GGUFRounding.Matrices] { rounding?.matrices ?? [] }
  private let keys: GGUFKeys
  private let vocabulary: GGUFVocabulary?
  private let names: GGUFNames
  private let rows: GGUFRows
  private let spoolPath: String
  private var spool: OutputFile?
  private var lock: OutputLock?
  private var entries: [Entry] = []
  /// The places of `entries` by name.
  private var places: [String: Int] = [:]
  private var written: Set<String> = []
  private var vocabularySize: Int?

  private static let alignment = 32
  private static let pieceSize = 8 << 20

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - target: the file to be; the folder it stands in has to exist.
  ///   - source: the checkpoint it is made from, which is only read.
  ///   - name: what the model is called.
  ///   - mix: what matrices are rounded to; nil to write them as they come.
  ///   - replacing: whether a file that is already there may be replaced.
  /// - Throws: `.occupied`, `.missing`, `.system`; `.unsupported` or `.value` for a model or a
  ///   tokenizer that GGUF files do not hold.
  public init(
    target: URL, source: Checkpoint, name: String, mix: GGUFMix? = nil,
    replacing: Bool = false
  ) throws(CheckpointError) {
    self.target = target
    isTied = try source.config.boolIfPresent("tie_word_embeddings") ?? false
    self.name = name
    self.source = source
    self.replacing = replacing
    if let mix { rounding = try GGUFRounding(mix, of: source, isTied: isTied) }
    keys = try GGUFKeys(config: source.config, generation: source.generationConfig)
    vocabulary = try Self.vocabulary(of: source)
    let hasTwoNorms = source.contains("transformer.h.0.ln_attn.weight")
    names = GGUFNames(keys.kind, hasTwoNorms: hasTwoNorms)
    rows = try GGUFRows(source.config)
    let folder = target.deletingLastPathComponent().path
    guard access(folder, F_OK) == 0 else {
      throw .missing(path: folder, what: "the folder to write into")
    }
    spoolPath = folder + "/.\(target.lastPathComponent).tensors"
    try checkTarget()
    lock = try OutputLock(folder + "/.\(target.lastPathComponent).lock")
    // Another run may have ended while this one waited for the lock.
    try checkTarget()
    unlink(spoolPath)
    spool = try OutputFile(creating: spoolPath)
  }

  deinit { cancel() }

  private static func vocabulary(
    of source: Checkpoint
  ) throws(CheckpointError) -> GGUFVocabulary? {
    func json(_ name: String) throws(CheckpointError) -> JSONObject? {
      guard let bytes = try source.companionFile(name) else { return nil }
      return try JSONObject(parsing: bytes, file: source.directory.path + "/" + name)
    }
    guard let tokenizer = try json("tokenizer.json") else { return nil }
    var configuration = try json("tokenizer_config.json")
    // Newer folders keep the template in a file of its own.
    if let template = try source.companionFile("chat_template.jinja"), let old = configuration {
      var members = old.members
      members["chat_template"] = .string(String(decoding: template, as: UTF8.self))
      configuration = JSONObject(file: old.file, members: members)
    }
    return try GGUFVocabulary(tokenizer, configuration: configuration)
  }

  private func checkTarget() throws(CheckpointError) {
    var status = stat()
    guard lstat(target.path, &status) == 0 else { return }
    guard replacing, status.st_mode & S_IFMT == S_IFREG else {
      throw .occupied(path: target.path, reason: replacing ? "is no file" : "exists")
    }
    let own = source.directory.resolvingSymlinksInPath().path
    guard target.resolvingSymlinksInPath().path != own else {
      throw .occupied(path: target.path, reason: "is the model that is read")
    }
    guard GGUFModel.isModel(target.path) else {
      throw .occupied(path: target.path, reason: "is no GGUF file; it will not be replaced")
    }
  }

  // MARK: Tensors

  /// See `ModelWriter.check`.
  public func check(_ layers: [PlannedLayer]) throws(CheckpointError) {
    for layer in layers {
      _ = try GGUFBlocks.type(bits: layer.bits, layer: layer.name)
      guard layer.tokenRounding == nil, !layer.isFloat8 else {
        throw .unsupported(file: layer.name, feature: "\(layer.formName) in GGUF files")
      }
      guard layer.groupSize == GGUFBlocks.elements, layer.isSymmetric else {
        throw .unsupported(
          file: layer.name,
          feature:
            "anything but symmetric groups of \(GGUFBlocks.elements) in GGUF files (--group-size "
            + "\(GGUFBlocks.elements), without --asymmetric)")
      }
      guard layer.inFeatures % GGUFBlocks.elements == 0 else {
        throw .unsupported(
          file: layer.name,
          feature:
            "a layer of \(layer.inFeatures) inputs, no multiple of \(GGUFBlocks.elements), in GGUF files"
        )
      }
    }
  }

  /// See `ModelWriter.append`.
  public func append(_ tensor: Tensor, named name: String) throws(CheckpointError) {
    if name.hasSuffix("embed_tokens.weight") || name.hasSuffix("word_embeddings.weight") {
      vocabularySize = tensor.shape.first
    }
    // A shared head is stored once.
    if isTied, name == "lm_head.weight" { return }
    let values: Tensor
    if tensor.shape.count == 2, tensor.dtype.isPlainFloat {
      if let own = names.name(ofHub: name),
        let (bytes, type) = try rounding?.blocks(of: tensor, named: own)
      {
        return try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
          try store(UnsafeRawBufferPointer(bytes), type: type, shape: tensor.shape, hubName: name)
        }
      }
      values = tensor
    } else {
      do { values = try Tensor(tensor.floats(), shape: tensor.shape) } catch {
        throw .tensors("tensor \(name): \(error)")
      }
    }
    let type: UInt32 =
      switch values.dtype {
      case .f16: 1
      case .bf16: 30
      default: 0
      }
    try values.bytes.withBytes { (bytes) throws(CheckpointError) in
      try store(bytes, type: type, shape: values.shape, hubName: name)
    }
  }

  /// See `ModelWriter`: what is translated from a source's configuration is not changed.
  public func setConfiguration(_ key: String, to value: JSONValue) throws(CheckpointError) {
    throw .unsupported(file: target.path, feature: "another \(key) in a GGUF file")
  }

  /// See `ModelWriter.append`.
  public func append(_ linear: StoredLinear, named prefix: String) throws(CheckpointError) {
    switch linear {
    case .dense(let tensor): try append(tensor, named: prefix + ".weight")
    case .float8, .outliers:
      throw .unsupported(file: prefix, feature: "8-bit floats and outliers in GGUF files")
    case .quantized(let matrix):
      let type = try GGUFBlocks.type(bits: matrix.bits, layer: prefix)
      let blocks = try GGUFBlocks.bytes(of: matrix, layer: prefix, workers: source.workers)
      try blocks.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
        try store(
          UnsafeRawBufferPointer(bytes), type: type.id,
          shape: [matrix.outFeatures, matrix.inFeatures], hubName: prefix + ".weight")
      }
    }
  }

  private func store(
    _ bytes: UnsafeRawBufferPointer, type: UInt32, shape: [Int], hubName: String
  ) throws(CheckpointError) {
    let stack = names.stack(ofHub: hubName)
    guard let spool, let name = stack?.name ?? names.name(ofHub: hubName) else {
      throw .unsupported(
        file: source.directory.path,
        feature: "tensor \(hubName) in a GGUF file of architecture \(keys.architecture)")
    }
    guard written.insert(hubName).inserted else {
      throw .value(
        file: target.path, key: name, expected: "one tensor of this name", found: "another")
    }
    let range = spool.count..<spool.count + bytes.count
    if let order = try rows.order(of: name, count: shape[0], file: source.directory.path) {
      let rowBytes = bytes.count / shape[0]
      var ordered = [UInt8](repeating: 0, count: bytes.count)
      for row in 0..<shape[0] {
        let to = order.storedRow(of: row) * rowBytes
        ordered.replaceSubrange(
          to..<to + rowBytes, with: bytes[row * rowBytes..<(row + 1) * rowBytes])
      }
      try spool.write(ordered)
    } else {
      try spool.write(bytes)
    }
    try add(range, to: name, shape: shape, type: type, expert: stack?.expert)
  }

  /// Notes where the bytes of a tensor wait, or of one expert's matrix in a stack.
  private func add(
    _ range: Range<Int>, to name: String, shape: [Int], type: UInt32, expert: Int?
  ) throws(CheckpointError) {
    guard let expert, let known = places[name] else {
      places[name] = entries.count
      entries.append(
        Entry(
          name: name, shape: shape, type: type, pieces: [expert ?? 0: range],
          isStack: expert != nil))
      return
    }
    guard entries[known].shape == shape, entries[known].type == type else {
      throw .unsupported(
        file: target.path,
        feature: "tensor \(name) whose experts are of several types or shapes in GGUF files")
    }
    entries[known].pieces[expert] = range
  }

  /// Gives the stacks their shapes.
  ///
  /// - Throws: `.noTensor` where one lacks an expert.
  private func completeStacks() throws(CheckpointError) {
    for index in entries.indices where entries[index].isStack {
      let entry = entries[index]
      if let missing = (0..<keys.experts).first(where: { entry.pieces[$0] == nil }) {
        throw .noTensor(
          directory: source.directory.path, tensor: "\(entry.name) of expert \(missing)")
      }
      entries[index].shape.insert(keys.experts, at: 0)
    }
  }

  // MARK: The end

  /// See `ModelWriter.finish`; `record` becomes the key `bitbudget.record`.
  public func finish(record: some Encodable) throws(CheckpointError) {
    guard let spool, !entries.isEmpty else {
      throw .malformed(file: target.path, reason: "no tensor was written")
    }
    try completeStacks()
    if let factors = keys.rotaryFactors {
      entries.append(
        Entry(
          name: GGUFRotaryFactors.tensorName, shape: [factors.count], type: 0,
          pieces: [0: spool.count..<spool.count + 4 * factors.count]))
      try factors.withUnsafeBufferPointer { (values) throws(CheckpointError) in
        try spool.write(UnsafeRawBufferPointer(values))
      }
    }
    let header = try header(record: encoded(record))
    try checkTarget()
    try source.verifyUnchanged()
    try CheckpointError.wrapping { () throws(FileError) in
      let file = try AtomicFile(target.path)
      try file.write(header)
      for entry in entries {
        for (_, range) in entry.pieces.sorted(by: { $0.key < $1.key }) {
          try Self.copy(range, of: spool, to: file)
        }
        try file.write([UInt8](repeating: 0, count: Self.padding(behind: entry.byteCount)))
      }
      try file.finish()
    }
    cancel()
  }

  /// Copies what waits into the file.
  private static func copy(
    _ range: Range<Int>, of spool: OutputFile, to file: AtomicFile
  ) throws(FileError) {
    let buffer = GrowingBuffer<UInt8>()
    for start in stride(from: range.lowerBound, to: range.upperBound, by: pieceSize) {
      let piece = buffer.bytes(min(pieceSize, range.upperBound - start))
      do throws(CheckpointError) { try spool.read(from: start, into: piece) } catch {
        throw FileError(path: spool.path, action: "reading", reason: "\(error)")
      }
      try file.write(UnsafeRawBufferPointer(piece))
    }
  }

  private static func padding(behind count: Int) -> Int {
    count.roundedUp(toMultipleOf: alignment) - count
  }

  /// Everything that stands in front of the tensors.
  private func header(record: String) throws(CheckpointError) -> [UInt8] {
    var metadata = GGUFEntries()
    metadata.set("general.architecture", keys.architecture)
    metadata.set("general.name", name)
    metadata.set("general.alignment", Self.alignment)
    metadata.set("general.quantization_version", 2)
    metadata.set("general.file_type", fileType)
    try keys.add(to: &metadata)
    try keys.addSampling(to: &metadata)
    if let vocabulary {
      guard let vocabularySize else {
        throw .noTensor(directory: target.path, tensor: "token_embd.weight")
      }
      try vocabulary.add(to: &metadata, size: vocabularySize, ends: keys.endTokens())
    }
    metadata.set("bitbudget.record", record)
    var header = Array("GGUF".utf8)
    header.append(3, size: 4)
    header.append(UInt64(entries.count), size: 8)
    header.append(UInt64(metadata.count), size: 8)
    header += metadata.bytes
    var offset = 0
    for entry in entries {
      GGUFEntries.put(entry.name, into: &header)
      header.append(UInt64(entry.shape.count), size: 4)
      for size in entry.shape.reversed() { header.append(UInt64(size), size: 8) }
      header.append(UInt64(entry.type), size: 4)
      header.append(UInt64(offset), size: 8)
      offset += entry.byteCount + Self.padding(behind: entry.byteCount)
    }
    return header + [UInt8](repeating: 0, count: Self.padding(behind: header.count))
  }

  /// What most of the matrices are, as llama.cpp numbers it.
  private var fileType: Int {
    if let rounding { return rounding.mix.fileType }
    var bytes: [UInt32: Int] = [:]
    for entry in entries where entry.shape.count > 1 && entry.name.hasPrefix("blk.") {
      bytes[entry.type, default: 0] += entry.shape.reduce(1, *)
    }
    let most = bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
    return [0: 0, 1: 1, 30: 32, 2: 2, 8: 7][most] ?? 0
  }

  private func encoded(_ record: some Encodable) throws(CheckpointError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(record), as: UTF8.self)
    } catch {
      throw .malformed(file: target.path, reason: "the record cannot be written: \(error)")
    }
  }

  /// See `ModelWriter.cancel`.
  public func cancel() {
    guard spool != nil else { return }
    spool = nil
    unlink(spoolPath)
    lock?.release()
  }
}
