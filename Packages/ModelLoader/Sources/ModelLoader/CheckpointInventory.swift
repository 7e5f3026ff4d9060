import Crypto
import JSON
import Tensors

/// One line of what a checkpoint holds: a tensor, or the parts of a quantized layer together.
public struct InventoryItem: Sendable, Hashable, Codable {
  /// Name of the tensor, or of the layer's weight.
  public let name: String
  /// Dimensions, outermost first; of a quantized layer `[out, in]`.
  public let shape: [Int]
  /// How it is stored, such as "BF16" or "4 bits, groups of 128, symmetric".
  public let storage: String
  /// Bytes of all its parts.
  public let bytes: Int
  /// Bits that one element takes, scales and all else included.
  public let bitsPerWeight: Double
  /// SHA-256 of its parts' bytes, one after the other in the order of their names; hexadecimal.
  public let digest: String
}

extension Checkpoint {
  /// Everything the checkpoint holds, in the order of names. Reads the whole checkpoint, layer by
  /// layer.
  ///
  /// - Throws: as `tensor(named:)` and `linear(named:)`.
  public func inventory() throws(CheckpointError) -> [InventoryItem] {
    let layers = try quantizedLayers()
    let parts = Set(layers.values.joined().map(\.name))
    var items: [InventoryItem] = []
    for info in tensors.values where !parts.contains(info.name) {
      items.append(try item(info.name, info.shape, "\(info.dtype.rawValue)", parts: [info]))
    }
    for (layer, infos) in layers {
      guard let (shape, storage) = try storage(ofLayer: layer) else { continue }
      items.append(try item(layer + ".weight", shape, storage, parts: infos))
    }
    return items.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The tensors of every quantized layer by its name; a bias is a tensor by itself.
  ///
  /// - Throws: as `quantization()`.
  func quantizedLayers() throws(CheckpointError) -> [String: [TensorInfo]] {
    guard let marker = try quantizationMarker() else { return [:] }
    var layers: [String: [TensorInfo]] = [:]
    for info in tensors.values where !info.name.hasSuffix(".bias") {
      guard let dot = info.name.lastIndex(of: ".") else { continue }
      layers[String(info.name[..<dot]), default: []].append(info)
    }
    return layers.filter { contains($0.key + "." + marker) }
  }

  private func item(
    _ name: String, _ shape: [Int], _ storage: String, parts: [TensorInfo]
  ) throws(CheckpointError) -> InventoryItem {
    var hash = SHA256()
    for part in parts.sorted(by: { $0.name < $1.name }) {
      let tensor = try tensor(named: part.name)
      tensor.bytes.withBytes { hash.update(bufferPointer: $0) }
    }
    let bytes = parts.reduce(0) { $0 + $1.byteCount }
    let count = shape.reduce(1, *)
    return InventoryItem(
      name: name, shape: shape, storage: storage, bytes: bytes,
      bitsPerWeight: count > 0 ? Double(bytes) * 8 / Double(count) : 0,
      digest: hash.finalize().hexadecimal)
  }
}

extension QuantizedMatrix {
  /// The form in words, such as "4 bits, groups of 128, symmetric".
  var storageName: String {
    let grouping = groupSize < inFeatures ? "groups of \(groupSize)" : "one scale a row"
    let order = groupIndex == nil ? "" : ", activation order"
    return "\(bits) bits, \(grouping), \(zeros == nil ? "symmetric" : "asymmetric")\(order)"
  }
}

extension [UInt8] {
  /// The bytes as hexadecimal digits, two each.
  var hexadecimal: String {
    map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }
}
