import DecoderModels
import Foundation
import KVCaches
import ModelLoader
import Quantizers
import Tensors
import Testing

@testable import Compression

/// Quantizing a model with experts, end to end: the committed one, whose second layer has six of
/// them.
@Suite struct ExpertQuantizationTests {
  let folder: URL
  let source: Checkpoint
  let pool: ThreadPool

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    source = try Checkpoint(
      directory: Goldens.committed.appendingPathComponent("models/qwen3_moe_bf16"))
    pool = try ThreadPool(workers: 2)
  }

  /// Sequences of ids, so many that all experts are reached, or few.
  static func sequences(_ count: Int, length: Int) -> [[Int32]] {
    (0..<count).map { sample -> [Int32] in
      (0..<length).map { place -> Int32 in
        let id = place * 37 + sample * 101 + place * place
        return Int32(id % 96)
      }
    }
  }

  func compress(
    to name: String, _ method: QuantizerSettings.Method, bits: Int, _ sequences: [[Int32]],
    from source: Checkpoint? = nil, rules: String? = nil
  ) throws -> (record: CompressionRecord, model: URL) {
    let source = source ?? self.source
    var settings = QuantizerSettings()
    (settings.method, settings.bits, settings.groupSize) = (method, bits, 16)
    let plan = try rules.map {
      try CompressionPlan(settings, rulesFile: Array($0.utf8), file: "rules.json")
    }
    let target = folder.appendingPathComponent(name)
    let writer = try CheckpointWriter(
      target: target, source: source, layout: CheckpointLayout(container: .zstd))
    let store = try BlockStore(
      folder.appendingPathComponent(name + ".blocks"), source: source,
      identity: .init(source: "s", quantizer: name, calibration: "c"))
    var record = CompressionRecord(
      plan: plan ?? CompressionPlan(settings), source: "moe", sourceDigest: "s", calibration: nil)
    try Compressor(
      source, plan: plan ?? CompressionPlan(settings), scaleType: writer.scaleType, pool: pool
    ).run(sequences: sequences, store: store, writer: writer, record: &record) { _, _, _ in true }
    try writer.finish(record: record)
    store.remove()
    return (record, target)
  }

  func logits(_ model: URL) throws -> [Float] {
    let pass = ForwardPass(try Decoder(Checkpoint(directory: model)), pool: pool)
    var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
    var found: [Float] = []
    let tokens = (0..<40).map { place -> Int32 in Int32(place * 7 % 96) }
    try pass.run([TokenRun(cache: 0, tokens: tokens)], caches: &caches, rows: .all) {
      _, _, logits in found += logits
    }
    return found
  }

  /// The norm of the difference, as a part of the norm of what is expected.
  func error(_ found: [Float], of expected: [Float]) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (a, b) in zip(found, expected) {
      let distance = Double(a) - Double(b)
      difference += distance * distance
      norm += Double(b) * Double(b)
    }
    return (difference / norm).squareRoot()
  }

  @Test(arguments: [8, 4])
  func everyExpertIsQuantized(bits: Int) throws {
    let (record, model) = try compress(
      to: "gptq", .gptq, bits: bits, Self.sequences(24, length: 40))
    let experts = record.layers.filter { $0.name.contains("experts") }
    #expect(record.layers.count == 7 + 4 + 3 * 6 && experts.count == 3 * 6)
    #expect(experts.allSatisfy { ($0.reached ?? 0) > 0 && $0.isRounded == nil })
    #expect(experts.allSatisfy { $0.report.layerError != nil })
    // Every token is sent to two.
    let gates = experts.filter { $0.name.hasSuffix("gate_proj") }
    #expect(gates.reduce(0) { $0 + ($1.reached ?? 0) } == 2 * 24 * 40)
    let checkpoint = try Checkpoint(directory: model)
    #expect(checkpoint.contains("model.layers.1.mlp.gate.weight"))
    #expect(!checkpoint.contains("model.layers.1.mlp.experts.3.up_proj.weight"))
    let rounded = try compress(to: "rtn", .rtn, bits: bits, Self.sequences(24, length: 40))
    #expect(record.meanError < rounded.record.meanError)
    let (found, expected) = (try logits(model), try logits(source.directory))
    #expect(error(found, of: expected) < (bits == 8 ? 0.1 : 0.6))
  }

  @Test func expertsThatFewTokensReachAreRoundedToNearest() throws {
    let few = try compress(to: "few", .gptq, bits: 4, Self.sequences(1, length: 8)).record
    let experts = few.layers.filter { $0.name.contains("experts") }
    let rounded = experts.filter { $0.isRounded == true }
    #expect(!rounded.isEmpty && rounded.allSatisfy { ($0.reached ?? 8) < 8 })
    #expect(rounded.allSatisfy { $0.report.layerError == nil })
    // The other layers see every token, however few.
    #expect(few.layers.allSatisfy { $0.name.contains("experts") || $0.report.layerError != nil })
    #expect(few.meanError > 0)
  }

  /// The same experts in one tensor for gate and up and one for down: the same codes; what is kept
  /// is written one by one.
  @Test func expertsInOneTensorGiveTheSameModel() throws {
    let fused = folder.appendingPathComponent("fused")
    try FusedExperts.write(source, to: fused)
    let checkpoint = try Checkpoint(directory: fused)
    let same = try logits(fused) == logits(source.directory)
    #expect(same)
    let sequences = Self.sequences(24, length: 40)
    let rules = #"{"rules": [{"layers": "experts\\.2\\.", "keep": true}]}"#
    let one = try compress(to: "one", .gptq, bits: 4, sequences, rules: rules).model
    let two = try compress(to: "two", .gptq, bits: 4, sequences, from: checkpoint, rules: rules)
    let alike = try logits(two.model) == logits(one)
    #expect(alike)
    let written = try Checkpoint(directory: two.model)
    #expect(written.contains("model.layers.1.mlp.experts.2.up_proj.weight"))
    #expect(!written.contains("model.layers.1.mlp.experts.gate_up_proj"))
    let names = try Checkpoint(directory: one).tensors.keys
    #expect(Set(written.tensors.keys) == Set(names))
  }

  @Test func missingAndForeignExpertsAreNamed() throws {
    let missing = folder.appendingPathComponent("missing")
    try FusedExperts.copy(source, to: missing) {
      $0 != "model.layers.1.mlp.experts.4.up_proj.weight"
    }
    #expect {
      try Decoder(Checkpoint(directory: missing))
    } throws: { "\($0)".contains("model.layers.1.mlp.experts.4.up_proj.weight") }
    let other = folder.appendingPathComponent("other")
    try FusedExperts.write(source, to: other, width: 15)
    #expect {
      try Decoder(Checkpoint(directory: other))
    } throws: {
      "\($0)".contains("experts.gate_up_proj: expected shape [6, 32, 32], found [6, 30, 32]")
    }
  }
}

/// Writes checkpoints of the committed model in other forms.
enum FusedExperts {
  /// Copies the tensors whose names are kept, and `config.json`.
  static func copy(
    _ source: Checkpoint, to folder: URL, keeping isKept: (String) -> Bool
  ) throws {
    let kept = try source.tensors.keys.filter(isKept).map { ($0, try source.tensor(named: $0)) }
    try write(kept, source, to: folder)
  }

  /// Puts the experts of the last layer into one tensor for gate and up and one for down; of the
  /// rows of gate and up only `width` each.
  static func write(_ source: Checkpoint, to folder: URL, width: Int = 16) throws {
    let experts = "model.layers.1.mlp.experts."
    var tensors: [(String, Tensor)] = []
    for name in source.tensors.keys where !name.hasPrefix(experts) {
      tensors.append((name, try source.tensor(named: name)))
    }
    var (both, down) = ([UInt8](), [UInt8]())
    for expert in 0..<6 {
      for part in ["gate", "up", "down"] {
        let tensor = try source.tensor(named: "\(experts)\(expert).\(part)_proj.weight")
        tensor.bytes.withBytes {
          if part == "down" { down += $0 } else { both += $0.prefix(width * 32 * 2) }
        }
      }
    }
    tensors.append(
      (experts + "gate_up_proj", try Self.tensor(both, shape: [6, 2 * width, 32])))
    tensors.append((experts + "down_proj", try Self.tensor(down, shape: [6, 32, 16])))
    try write(tensors, source, to: folder)
  }

  private static func tensor(_ values: [UInt8], shape: [Int]) throws -> Tensor {
    let bytes = try AlignedBytes(count: values.count)
    bytes.withMutableBytes { target in values.withUnsafeBytes { target.copyMemory(from: $0) } }
    return try Tensor(dtype: .bf16, shape: shape, bytes: bytes)
  }

  private static func write(
    _ tensors: [(String, Tensor)], _ source: Checkpoint, to folder: URL
  ) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: source.directory.appendingPathComponent("config.json"),
      to: folder.appendingPathComponent("config.json"))
    var header: [String: Any] = [:]
    var data = Data()
    for (name, tensor) in tensors {
      let start = data.count
      tensor.bytes.withBytes { data.append(contentsOf: $0) }
      header[name] = [
        "dtype": tensor.dtype.rawValue, "shape": tensor.shape, "data_offsets": [start, data.count],
      ]
    }
    let text = try JSONSerialization.data(withJSONObject: header)
    var file = Data((0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) })
    file += text
    file += data
    try file.write(to: folder.appendingPathComponent("model.safetensors"))
  }
}
