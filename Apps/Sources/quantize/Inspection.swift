import AppSupport
import Foundation
import ModelLoader

/// `quantize --inspect PATH`: what a checkpoint holds.
enum Inspection {
  /// Prints one line for every tensor or quantized layer, and their sums; as JSON, all fields.
  static func show(_ folder: URL, json: Bool) throws {
    let items = try Checkpoint(directory: folder).inventory()
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(items), as: UTF8.self))
      return
    }
    let rows = items.map { item in
      [
        item.name, item.shape.map(String.init).joined(separator: " x "), item.storage,
        String(format: "%.3f", item.bitsPerWeight), "\(item.bytes)", String(item.digest.prefix(16)),
      ]
    }
    print(Text.table([["tensor", "shape", "storage", "bits/weight", "bytes", "SHA-256"]] + rows))
    let bytes = items.reduce(0) { $0 + $1.bytes }
    let count = items.reduce(0) { $0 + $1.shape.reduce(1, *) }
    let mean = String(format: "%.3f", count > 0 ? Double(bytes) * 8 / Double(count) : 0)
    print(
      "\(items.count) tensors, \(count) weights, \(mean) bits a weight, \(bytes) bytes (\(Text.bytes(bytes)))"
    )
  }
}
