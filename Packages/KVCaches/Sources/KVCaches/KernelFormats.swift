import KVLayout
import Kernels

// The layout's words as the kernels have them.

extension KVFormat {
  var kernelFormat: bb_kv_format {
    switch self {
    case .f32: BB_KV_F32
    case .bf16: BB_KV_BF16
    case .int8: BB_KV_INT8
    case .int4: BB_KV_INT4
    case .int2: BB_KV_INT2
    }
  }
}

extension KVKeyAxis {
  var kernelAxis: bb_kv_axis {
    switch self {
    case .perChannel: BB_KV_ALONG_TOKENS
    case .perToken: BB_KV_ALONG_COMPONENTS
    }
  }
}

extension KVScheme {
  var kernelScheme: bb_kv_scheme {
    switch self {
    case .asymmetric: BB_KV_ASYMMETRIC
    case .symmetric: BB_KV_ABSMAX
    case .symmetricFull: BB_KV_FULL
    case .hqq: BB_KV_HQQ
    }
  }
}

extension KVRotation {
  /// Rotates `rows` vectors of `dimension` values, a power of two.
  static func apply(_ vectors: UnsafeMutablePointer<Float>, rows: Int, dimension: Int) {
    for row in 0..<rows { bb_kernels().pointee.hadamard(vectors + row * dimension, dimension) }
  }
}
