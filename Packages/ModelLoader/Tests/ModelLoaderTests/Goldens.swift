import Foundation
import Testing

/// The folder of reference data: `BITBUDGET_GOLDENS`, or `shared/goldens` beside the repository.
enum Goldens {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"] {
      return URL(fileURLWithPath: path)
    }
    // Tests/ModelLoaderTests/Goldens.swift, in Packages/ModelLoader, in the repository.
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appendingPathComponent("shared/goldens")
  }()

  /// The folders of `kind` whose name begins with one of the prefixes; none when the data is
  /// absent.
  static func cases(_ kind: String, _ prefixes: String...) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appendingPathComponent(kind).path)
    return (names ?? []).filter { name in prefixes.contains { name.hasPrefix($0) } }.sorted()
  }

  static func url(_ kind: String, _ name: String) -> URL {
    folder.appendingPathComponent(kind).appendingPathComponent(name)
  }

  /// The layers of a reference checkpoint with the values that its maker reads; at least one.
  static func dequantizedLayers(
    of checkpoint: String
  ) throws -> [(layer: String, expected: NumPyArray)] {
    let golden = url("checkpoints", checkpoint).appendingPathComponent("golden")
    let files = try FileManager.default.contentsOfDirectory(atPath: golden.path)
      .filter { $0.hasPrefix("dequant.") }.sorted()
    try #require(!files.isEmpty)
    return try files.map { file in
      (
        String(file.dropFirst("dequant.".count).dropLast(".npy".count)),
        try NumPyArray(golden.appendingPathComponent(file))
      )
    }
  }
}

/// An F32 array from a NumPy file (format 1.0, C order).
struct NumPyArray {
  let shape: [Int]
  let values: [Float]

  struct Unreadable: Error { let file: String }

  init(_ url: URL) throws {
    let data = [UInt8](try Data(contentsOf: url))
    guard data.count > 10, data.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0]) else {
      throw Unreadable(file: url.path)
    }
    let start = 10 + Int(data[8]) + Int(data[9]) << 8
    let header = String(decoding: data[10..<start], as: UTF8.self)
    guard header.contains("'<f4'"), header.contains("'fortran_order': False"),
      let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
    else { throw Unreadable(file: url.path) }
    shape = header[header.index(after: open)..<close].split(separator: ",")
      .compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    values = stride(from: start, to: data.count, by: 4).map { offset in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[offset + $1]) << (8 * $1) })
    }
    guard values.count == shape.reduce(1, *) else { throw Unreadable(file: url.path) }
  }
}
