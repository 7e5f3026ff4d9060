import Foundation
import Testing

@testable import Quantizers
@testable import Tensors

/// Reference data of other implementations, `../shared/goldens/quantizers` beside the repository,
/// or the folder that BITBUDGET_GOLDENS names.
enum Goldens {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"] {
      return URL(fileURLWithPath: path).appendingPathComponent("quantizers")
    }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appendingPathComponent("shared/goldens/quantizers")
  }()

  /// Cases whose name begins with `prefix`; none where the data is absent.
  static func cases(_ prefix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasPrefix(prefix) }.sorted()
  }

  static let absent: Comment = "no reference data beside the repository (shared/goldens)"
}

/// One case: its parameters and arrays.
struct Golden {
  let name: String
  let manifest: [String: Any]

  init(_ name: String) throws {
    self.name = name
    let data = try Data(contentsOf: Goldens.folder.appendingPathComponent("\(name)/manifest.json"))
    manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  func value<T>(_ key: String) throws -> T { try #require(manifest[key] as? T, "\(name): \(key)") }

  func tolerance(_ key: String) throws -> Double {
    let tolerances: [String: Any] = try value("tolerances")
    return try #require(tolerances[key] as? Double, "\(name): \(key)")
  }

  var has: (String) -> Bool {
    let arrays = manifest["arrays"] as? [String: Any] ?? [:]
    return { arrays[$0] != nil }
  }

  func array(_ key: String) throws -> NumPyArray {
    try NumPyArray(Goldens.folder.appendingPathComponent("\(name)/\(key).npy"))
  }

  /// The scheme that the manifest of an `rtn` or `gptq` case describes.
  func scheme() throws -> QuantizationScheme {
    let group: Int = try value("group")
    let convention: String = try value("convention")
    let grid: QuantizationScheme.Grid =
      try value("symmetric") ? (convention == "absmax" ? .absmax : .symmetric) : .asymmetric
    return try QuantizationScheme(
      bits: value("bits"), groupSize: group < 0 ? nil : group, grid: grid, scaleType: .f32)
  }

  /// The weights, and the Hessian of the activations where there are any.
  func inputs(on pool: ThreadPool) throws -> (weights: WeightMatrix, hessian: Hessian?) {
    let inputs = try Golden(value("inputs"))
    let w = try inputs.array("W")
    let weights = try WeightMatrix(w.floats, outFeatures: w.shape[0], inFeatures: w.shape[1])
    guard inputs.has("X") else { return (weights, nil) }
    var accumulator = try HessianAccumulator(order: w.shape[1], on: pool)
    try inputs.array("X").floats.withUnsafeBufferPointer { try accumulator.add($0) }
    return (weights, try accumulator.finish())
  }
}

/// An array from a NumPy file (format 1.0, C order, little-endian).
struct NumPyArray {
  let shape: [Int]
  let floats: [Float]

  init(_ file: URL) throws {
    let bytes = try Data(contentsOf: file)
    let length = Int(bytes[8]) | Int(bytes[9]) << 8
    let header = String(decoding: bytes[10..<(10 + length)], as: UTF8.self)
    let inner = try #require(header.firstMatch(of: /'shape': \(([^)]*)\)/)).1
    shape = inner.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let data = bytes.dropFirst(10 + length)
    func read<T: BitwiseCopyable>(_ type: T.Type) -> [T] {
      data.withUnsafeBytes { raw in
        (0..<(raw.count / MemoryLayout<T>.size)).map {
          raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: type)
        }
      }
    }
    switch try #require(header.firstMatch(of: /'descr': '([^']*)'/)).1 {
    case "<f4": floats = read(Float.self)
    case "<i4": floats = read(Int32.self).map(Float.init)
    case "|u1": floats = read(UInt8.self).map(Float.init)
    default: floats = read(Int8.self).map(Float.init)
    }
  }
}

/// Fraction of elements that differ.
func mismatch(_ found: [Float], _ expected: [Float]) -> Double {
  guard found.count == expected.count else { return 1 }
  return Double(zip(found, expected).count { $0 != $1 }) / Double(max(expected.count, 1))
}
