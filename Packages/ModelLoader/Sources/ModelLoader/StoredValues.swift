import Foundation

/// Numbers that a file holds in another form than model folders do; of tensors of F32 alone.
enum StoredValues: Sendable, Hashable {
  /// One more: weights of norms, of which folders hold how far they are from 1.
  case oneMore
  /// The negative of the exponential: rates of decay, of which folders hold the logarithm.
  case negativeExponential

  /// The number that a folder holds.
  func restored(_ stored: Float) -> Float {
    switch self {
    case .oneMore: stored - 1
    case .negativeExponential: Float(Foundation.log(-Double(stored)))
    }
  }

  /// Restores the numbers of a tensor in place.
  func restore(_ bytes: UnsafeMutableRawBufferPointer) {
    for place in stride(from: 0, to: bytes.count, by: MemoryLayout<Float>.size) {
      let stored = bytes.load(fromByteOffset: place, as: Float.self)
      bytes.storeBytes(of: restored(stored), toByteOffset: place, as: Float.self)
    }
  }

  /// Whether all numbers of a tensor are finite.
  static func areFinite(_ bytes: UnsafeRawBufferPointer) -> Bool {
    stride(from: 0, to: bytes.count, by: MemoryLayout<Float>.size).allSatisfy {
      bytes.load(fromByteOffset: $0, as: Float.self).isFinite
    }
  }
}
