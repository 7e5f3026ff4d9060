import Foundation
import NanoModels
import Testing

/// The model that the tests run.
enum Nano {
  /// Small, and good enough to solve easy problems.
  static let model = "nano-0.5m"
  /// A problem that it solves: 24.
  static let problem = "Start with 8. Then (a) multiply by 3. What is the result?"
}

/// A tensor of a safetensors file.
struct StoredTensor {
  let name: String
  let dtype: String
  var shape: [Int]
  var data: Data
}

/// A copy of the model that a test may break.
struct ModelCopy {
  let folder: URL

  init(in parent: TemporaryFolder, named name: String = "model") throws {
    folder = parent.url.appendingPathComponent(name)
    let source = try #require(NanoModels.directory(of: Nano.model))
    try FileManager.default.copyItem(at: source, to: folder)
  }

  /// A copy of a model of `Tests/Goldens/models`.
  init(ofReference name: String, in parent: TemporaryFolder) throws {
    folder = parent.url.appendingPathComponent("model")
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    try FileManager.default.copyItem(
      at: tests.appendingPathComponent("Goldens/models/\(name)"), to: folder)
  }

  var path: String { folder.path }

  func remove(_ file: String) throws {
    try FileManager.default.removeItem(at: folder.appendingPathComponent(file))
  }

  /// Edits the bytes of a file.
  func edit(_ file: String, _ change: (inout Data) throws -> Void) throws {
    let url = folder.appendingPathComponent(file)
    var data = try Data(contentsOf: url)
    try change(&data)
    try data.write(to: url)
  }

  /// Replaces a value of `config.json` by JSON text, or removes it.
  func configure(_ key: String, _ value: String?) throws {
    try edit("config.json") { data in
      let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
      let index = try #require(lines.firstIndex { $0.contains("\"\(key)\":") })
      let end = lines[index].hasSuffix(",") ? "," : ""
      let line = value.map { ["  \"\(key)\": \($0)\(end)"[...]] } ?? []
      data = Data((lines[..<index] + line + lines[(index + 1)...]).joined(separator: "\n").utf8)
    }
  }

  /// Sets keys of `config.json`, the others staying as they are.
  func configure(_ changes: [String: Any]) throws {
    try edit("config.json") { data in
      var config = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      config.merge(changes) { $1 }
      data = try JSONSerialization.data(withJSONObject: config)
    }
  }

  /// Edits one tensor, in a file that is well-formed before and after; nil removes it.
  func editTensor(_ name: String, _ change: (inout StoredTensor?) -> Void) throws {
    try editTensors { tensors in
      let index = try #require(tensors.firstIndex { $0.name == name })
      var tensor: StoredTensor? = tensors[index]
      change(&tensor)
      tensors.replaceSubrange(index...index, with: tensor.map { [$0] } ?? [])
    }
  }

  /// Edits the tensors of the file.
  func editTensors(_ change: (inout [StoredTensor]) throws -> Void) throws {
    try edit("model.safetensors") { data in
      var tensors = try Self.tensors(data)
      try change(&tensors)
      data = try Self.file(tensors)
    }
  }

  private struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private static func tensors(_ file: Data) throws -> [StoredTensor] {
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    var header = try #require(
      try JSONSerialization.jsonObject(with: file[8..<(8 + length)]) as? [String: Any])
    header["__metadata__"] = nil
    let entries = try JSONDecoder().decode(
      [String: Entry].self, from: JSONSerialization.data(withJSONObject: header))
    return entries.sorted { $0.value.offsets[0] < $1.value.offsets[0] }.map { name, entry in
      let offsets = entry.offsets.map { 8 + length + $0 }
      return StoredTensor(
        name: name, dtype: entry.dtype, shape: entry.shape,
        data: Data(file[offsets[0]..<offsets[1]]))
    }
  }

  private static func file(_ tensors: [StoredTensor]) throws -> Data {
    var entries: [String: Entry] = [:]
    var values = Data()
    for tensor in tensors {
      let end = values.count + tensor.data.count
      entries[tensor.name] = Entry(
        dtype: tensor.dtype, shape: tensor.shape, offsets: [values.count, end])
      values += tensor.data
    }
    let header = try JSONEncoder().encode(entries)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return Data(length) + header + values
  }
}

extension TemporaryFolder {
  /// Quantizes with little calibration and returns the path of the result.
  func quantize(
    _ name: String, bits: Int, method: String = "rtn", format: String = "zstd", threads: Int = 2
  ) throws -> String {
    let calibration = method == "gptq" ? ["--samples", "4", "--length", "64"] : []
    let outcome = try run(
      .quantize,
      [
        "--model", Nano.model, "--bits", "\(bits)", "--method", method, "--format", format,
        "--threads", "\(threads)", "--output", path(name),
      ] + calibration)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return path(name)
  }
}
