import Foundation

@testable import ModelLoader

/// The bytes of a safetensors file around any header text, right or wrong.
func safetensors(header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  let text = Array(header.utf8)
  let count = length ?? UInt64(text.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + text + data
}

/// A small valid file: `a` is U8 [4], `b` is F32 [2], `c` is an F16 scalar; 14 bytes of data.
let smallFile = safetensors(
  header: """
    {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},\
    "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},\
    "c":{"dtype":"F16","shape":[],"data_offsets":[12,14]},"__metadata__":{"format":"pt"}}
    """,
  data: [1, 2, 3, 4] + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0] + [0, 0x3C])

extension TemporaryFolder {
  /// Makes the folder a model with one weight file and opens it.
  func checkpoint(
    _ weights: [UInt8], config: String = "{}"
  ) throws -> Checkpoint {
    try write(config, to: "config.json")
    try write(weights, to: "model.safetensors")
    return try Checkpoint(directory: url)
  }
}

/// What `body` throws, as text; nil when it throws nothing.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}
