import Foundation
import JSON
import Tensors
import Testing

@testable import ModelLoader

/// What the tests write as `bitbudget.json`.
private struct Record: Codable, Equatable { var method = "test" }

/// A matrix whose codes take all values and whose scales and zeros fit 16 bits.
func sampleMatrix(
  bits: Int, rows: Int = 64, columns: Int = 96, groupSize: Int = 32, asymmetric: Bool = false,
  ordered: Bool = false
) throws -> QuantizedMatrix {
  let groups = (columns + groupSize - 1) / groupSize
  return try QuantizedMatrix(
    bits: bits, outFeatures: rows, inFeatures: columns, groupSize: groupSize,
    codes: (0..<rows * columns).map {
      UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 9) & UInt8(1 << bits - 1)
    },
    scales: (0..<rows * groups).map { Float($0 % 7 + 1) / 64 },
    zeros: asymmetric ? (0..<rows * groups).map { Float($0 % (1 << bits - 1) + 1) } : nil,
    groupIndex: ordered ? (0..<columns).map { Int32(($0 * 5) % groups) } : nil)
}

/// A tensor of 16-bit floats around zero, as trained weights are.
func sampleWeights(_ shape: [Int], _ dtype: DType = .bf16, seed: Int = 0) throws -> Tensor {
  let values = (0..<shape.reduce(1, *)).map { index in
    Float(((index &+ seed) &* 2_654_435_761) >> 8 & 0xFFFF) / 0x10000 - 0.5
  }
  return try Tensor(rounding: values, to: dtype, shape: shape, name: "sample")
}

@Suite("Writing checkpoints")
struct CheckpointWriterTests {
  /// A source model with a tokenizer, in `source`.
  private func source(in folder: TemporaryFolder, dtype: String = "bfloat16") throws -> Checkpoint {
    try folder.write(
      "{\"model_type\":\"qwen3\",\"torch_dtype\":\"\(dtype)\",\"quantization_config\":null}",
      to: "source/config.json")
    try folder.write(smallFile, to: "source/model.safetensors")
    try folder.write("tokens", to: "source/tokenizer.json")
    try folder.write("{}", to: "source/generation_config.json")
    return try Checkpoint(directory: folder.url.appendingPathComponent("source"))
  }

  private func write(
    _ folder: TemporaryFolder, _ layout: CheckpointLayout, to name: String = "out",
    _ body: (CheckpointWriter) throws -> Void
  ) throws -> Checkpoint {
    let target = folder.url.appendingPathComponent(name)
    let writer = try CheckpointWriter(target: target, source: source(in: folder), layout: layout)
    try body(writer)
    try writer.finish(record: Record())
    return try Checkpoint(directory: target)
  }

  // MARK: Round trips

  @Test(
    "dense tensors come back bit for bit, in order of alignment",
    arguments: [CheckpointLayout.Container.safetensors, .zstd])
  func dense(container: CheckpointLayout.Container) throws {
    let folder = try TemporaryFolder()
    // Larger than one frame and no multiple of it.
    let weights = try sampleWeights([1031, 1033])
    let odd = try Tensor(elements: [UInt8](1...5), .u8, shape: [5], name: "odd")
    let scalar = try Tensor([3.5], shape: [])
    let empty = try Tensor([], shape: [0, 4])
    let checkpoint = try write(folder, .init(container: container)) { writer in
      try writer.append(odd, named: "odd")
      try writer.append(.dense(weights), named: "head")
      try writer.append(scalar, named: "scalar")
      try writer.append(empty, named: "empty")
    }
    for (name, tensor) in [
      ("odd", odd), ("head.weight", weights), ("scalar", scalar), ("empty", empty),
    ] {
      let read = try checkpoint.tensor(named: name)
      #expect(read.dtype == tensor.dtype && read.shape == tensor.shape)
      #expect(bytes(read) == bytes(tensor), "\(name)")
    }
    // Every tensor begins at a multiple of its element size.
    for info in checkpoint.tensors.values {
      #expect(info.range.lowerBound % max(info.dtype.bits / 8, 1) == 0, "\(info)")
    }
    #expect(checkpoint.config.members["quantization_config"] == nil)
    #expect(
      try folder.names() == ["out", "source"], "nothing is left beside the result")
  }

  @Test("companions, configuration and record are there")
  func folderContents() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try write(folder, .init(container: .safetensors)) {
      try $0.append(sampleWeights([4, 4]), named: "norm")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: checkpoint.directory.path).sorted() == [
        "bitbudget.json", "config.json", "generation_config.json", "model.safetensors",
        "tokenizer.json",
      ])
    #expect(try folder.read("out/tokenizer.json") == Array("tokens".utf8))
    #expect(
      try JSONDecoder().decode(Record.self, from: Data(folder.read("out/bitbudget.json")))
        == Record())
    #expect(try checkpoint.config.string("model_type") == "qwen3")
  }

  @Test(
    "quantized layers come back equal in every layout",
    arguments: [QuantizationSummary.Method.packQuantized, .gptq, .gptqV2],
    [CheckpointLayout.Container.safetensors, .zstd])
  func quantized(
    method: QuantizationSummary.Method, container: CheckpointLayout.Container
  ) throws {
    let folder = try TemporaryFolder()
    for bits in CodePacking.widths {
      for (asymmetric, ordered) in [(false, false), (true, false), (false, true), (true, true)] {
        let matrix = try sampleMatrix(bits: bits, asymmetric: asymmetric, ordered: ordered)
        let name = "\(bits)-\(asymmetric)-\(ordered)"
        let checkpoint = try write(
          folder, .init(container: container, method: method), to: name
        ) {
          try $0.append(.quantized(matrix), named: "m.l")
          try $0.append(.dense(sampleWeights([32, 32])), named: "lm_head")
        }
        guard case .quantized(let read) = try checkpoint.linear(named: "m.l") else {
          Issue.record("\(name) is dense")
          return
        }
        #expect(read == matrix, "\(name)")
        #expect(
          try checkpoint.quantization()
            == .init(method: method, schemes: [.init(bits: bits, groupSize: 32)]))
      }
    }
  }

  @Test("zero points between the codes survive in pack-quantized and are refused by GPTQ")
  func fractionalZeros() throws {
    let folder = try TemporaryFolder()
    var matrix = try sampleMatrix(bits: 4, asymmetric: true)
    matrix.zeros = matrix.zeros?.map { $0 + 0.25 }
    let fractional = matrix
    let checkpoint = try write(folder, .init(container: .safetensors)) {
      try $0.append(.quantized(fractional), named: "l")
    }
    guard case .quantized(let read) = try checkpoint.linear(named: "l") else {
      Issue.record("dense")
      return
    }
    #expect(read == fractional)
    #expect(throws: CheckpointError.self) {
      _ = try write(folder, .init(container: .safetensors, method: .gptq), to: "gptq") {
        try $0.append(.quantized(fractional), named: "l")
      }
    }
    #expect(try !folder.names().contains("gptq"))
  }

  @Test("zero point 0 needs GPTQ version 2")
  func zeroPointZero() throws {
    let folder = try TemporaryFolder()
    var matrix = try sampleMatrix(bits: 4, asymmetric: true)
    matrix.zeros?[3] = 0
    let zero = matrix
    let text = message {
      _ = try write(folder, .init(container: .safetensors, method: .gptq)) {
        try $0.append(.quantized(zero), named: "l")
      }
    }
    #expect(text?.contains("zero point 0 in GPTQ version 1") == true)
    let checkpoint = try write(folder, .init(container: .safetensors, method: .gptqV2)) {
      try $0.append(.quantized(zero), named: "l")
    }
    guard case .quantized(let read) = try checkpoint.linear(named: "l") else {
      Issue.record("dense")
      return
    }
    #expect(read == zero)
  }

  @Test("a GPTQ version-1 zero point of all ones is refused", arguments: [2, 4, 8])
  func ambiguousZero(bits: Int) throws {
    let folder = try TemporaryFolder()
    var matrix = try sampleMatrix(bits: bits, asymmetric: true)
    matrix.zeros?[0] = Float(1 << bits - 1)
    let top = matrix
    let checkpoint = try write(folder, .init(container: .safetensors, method: .gptqV2)) {
      try $0.append(.quantized(top), named: "l")
    }
    // The same bytes, read as version 1.
    var config = checkpoint.config.members
    guard case .object(var inner)? = config["quantization_config"] else {
      Issue.record("no quantization_config")
      return
    }
    inner["checkpoint_format"] = .string("gptq")
    config["quantization_config"] = .object(inner)
    try folder.write(JSONValue.object(config).text, to: "out/config.json")
    let older = try Checkpoint(directory: checkpoint.directory)
    #expect(
      message { _ = try older.linear(named: "l") }?.contains(
        "l.qzeros: holds a version-1 zero point")
        == true)
  }

  @Test(
    "mixed precision is described so that it reads back",
    arguments: [QuantizationSummary.Method.packQuantized, .gptq])
  func mixed(method: QuantizationSummary.Method) throws {
    let folder = try TemporaryFolder()
    let matrices = try [
      ("a", sampleMatrix(bits: 4)), ("b", sampleMatrix(bits: 8)),
      ("c", sampleMatrix(bits: 4, groupSize: 96)),
      ("d", sampleMatrix(bits: 8, columns: 32, groupSize: 32)),
      ("e", sampleMatrix(bits: 4, columns: 32, groupSize: 32)),
    ]
    let checkpoint = try write(folder, .init(container: .safetensors, method: method)) { writer in
      for (name, matrix) in matrices { try writer.append(.quantized(matrix), named: name) }
      try writer.append(.dense(sampleWeights([32, 32])), named: "f")
    }
    for (name, matrix) in matrices {
      guard case .quantized(let read) = try checkpoint.linear(named: name) else {
        Issue.record("\(name) is dense")
        return
      }
      #expect(read == matrix, "\(name)")
    }
    guard case .dense = try checkpoint.linear(named: "f") else {
      Issue.record("f is quantized")
      return
    }
    let description = try checkpoint.config.object("quantization_config")
    if method == .gptq {
      let dynamic = try description.object("dynamic")
      #expect(Set(dynamic.members.keys) == ["+:^b$", "+:^c$", "+:^d$", "-:^f$"])
    } else {
      #expect(try description.stringsIfPresent("ignore") == ["f", "lm_head"])
      let groups = try description.object("config_groups")
      #expect(try groups.object("group_0").stringsIfPresent("targets") == ["a", "e"])
      #expect(try groups.object("group_1").stringsIfPresent("targets") == ["b", "d"])
    }
  }

  @Test(
    "shards are cut at the limit and found through the index",
    arguments: [CheckpointLayout.Container.safetensors, .zstd])
  func shards(container: CheckpointLayout.Container) throws {
    let folder = try TemporaryFolder()
    let tensors = try (0..<5).map { try sampleWeights([10, 10], seed: $0 * 1000) }
    let checkpoint = try write(folder, .init(container: container, shardLimit: 400)) { writer in
      for (number, tensor) in tensors.enumerated() {
        try writer.append(tensor, named: "t\(number)")
      }
    }
    let suffix = container == .zstd ? ".safetensors.zst" : ".safetensors"
    let shards = Set(checkpoint.tensors.values.map(\.shard))
    #expect(shards == Set((1...3).map { "model-0000\($0)-of-00003\(suffix)" }))
    for (number, tensor) in tensors.enumerated() {
      #expect(try bytes(checkpoint.tensor(named: "t\(number)")) == bytes(tensor))
    }
  }

  @Test("one thread and several write the same bytes")
  func deterministic() throws {
    let folder = try TemporaryFolder()
    _ = try source(in: folder)
    let tensor = try sampleWeights([3 << 10, 1 << 10])
    for workers in [1, 2, 3] {
      let source = try Checkpoint(
        directory: folder.url.appendingPathComponent("source"), workers: workers)
      let writer = try CheckpointWriter(
        target: folder.url.appendingPathComponent("w\(workers)"), source: source,
        layout: .init(container: .zstd))
      try writer.append(tensor, named: "t")
      try writer.finish(record: Record())
    }
    let one = try folder.read("w1/model.safetensors.zst")
    #expect(try folder.read("w2/model.safetensors.zst") == one)
    #expect(try folder.read("w3/model.safetensors.zst") == one)
    #expect(one.count < tensor.bytes.count)
  }

  // MARK: Faults

  @Test("an error removes everything, and the writer stays unusable")
  func errorCleansUp() throws {
    let folder = try TemporaryFolder()
    let writer = try CheckpointWriter(
      target: folder.url.appendingPathComponent("out"), source: source(in: folder),
      layout: .init(container: .zstd))
    try writer.append(sampleWeights([4]), named: "t")
    #expect(try folder.names() == [".out.lock", ".out.partial", "source"])
    #expect(throws: CheckpointError.self) { try writer.append(sampleWeights([4]), named: "t") }
    #expect(try folder.names() == ["source"])
    #expect(throws: CheckpointError.self) { try writer.append(sampleWeights([4]), named: "u") }
    #expect(throws: CheckpointError.self) { try writer.finish(record: Record()) }
    #expect(try folder.names() == ["source"])
  }

  @Test("an empty checkpoint and an abandoned one leave nothing")
  func nothingWritten() throws {
    let folder = try TemporaryFolder()
    #expect(throws: CheckpointError.self) {
      _ = try write(folder, .init(container: .zstd)) { _ in }
    }
    #expect(try folder.names() == ["source"])
    _ = try CheckpointWriter(
      target: folder.url.appendingPathComponent("out"), source: source(in: folder),
      layout: .init(container: .zstd))
    #expect(try folder.names() == ["source"])
  }

  @Test("a source that changes before the end")
  func sourceChanges() throws {
    let folder = try TemporaryFolder()
    let writer = try CheckpointWriter(
      target: folder.url.appendingPathComponent("out"), source: source(in: folder),
      layout: .init(container: .safetensors))
    try writer.append(sampleWeights([4]), named: "t")
    try folder.write(smallFile + [0], to: "source/model.safetensors")
    #expect(
      message { try writer.finish(record: Record()) }?.contains("changed while in use") == true)
    #expect(try folder.names() == ["source"])
  }

  @Test("scales that 16 bits cannot hold")
  func scaleOverflow() throws {
    let folder = try TemporaryFolder()
    var matrix = try sampleMatrix(bits: 4)
    matrix.scales[5] = 1e6
    let large = matrix
    let text = message {
      _ = try write(folder, .init(container: .safetensors, method: .gptq)) {
        try $0.append(.quantized(large), named: "l")
      }
    }
    #expect(text?.contains("l.scales: 1000000.0 cannot be stored as F16") == true)
  }

  private func bytes(_ tensor: Tensor) -> [UInt8] { tensor.bytes.withBytes { [UInt8]($0) } }
}
