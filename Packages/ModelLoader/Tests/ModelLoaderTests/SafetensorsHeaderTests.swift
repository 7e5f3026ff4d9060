import Tensors
import Testing

@testable import ModelLoader

@Suite("safetensors files")
struct SafetensorsHeaderTests {
  private func open(_ bytes: [UInt8]) throws -> [TensorInfo] {
    let folder = try TemporaryFolder()
    return Array(try folder.checkpoint(bytes).tensors.values).sorted { $0.name < $1.name }
  }

  /// The message for a file with one entry `t` over eight bytes.
  private func fault(entry: String, data: Int = 8) -> String? {
    message {
      _ = try open(
        safetensors(header: "{\"t\":\(entry)}", data: [UInt8](repeating: 0, count: data)))
    }
  }

  // MARK: What works

  @Test func smallFileIsRead() throws {
    let tensors = try open(smallFile)
    #expect(tensors.map(\.name) == ["a", "b", "c"])
    #expect(tensors.map(\.dtype) == [.u8, .f32, .f16])
    #expect(tensors.map(\.shape) == [[4], [2], []])
    let folder = try TemporaryFolder()
    let checkpoint = try folder.checkpoint(smallFile)
    #expect(try checkpoint.tensor(named: "a").bytes.withBytes { [UInt8]($0) } == [1, 2, 3, 4])
    #expect(try checkpoint.floats(named: "b") == [1, -2])
    #expect(try checkpoint.floats(named: "c") == [1])
    #expect(checkpoint.storedBytes == 14)
  }

  @Test(
    "padding, order, odd offsets, empty tensors and free metadata are allowed",
    arguments: [
      #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      "#,
      #"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} "#,
      #"{"t":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"},"__metadata__":{"a":"b","c":""}}"#,
      #"{"z":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"F4","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#,
      #"{"u":{"dtype":"F4","shape":[4],"data_offsets":[2,4]},"t":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#,
    ])
  func allowed(header: String) throws {
    let bytes: [UInt8] = [0, 0, 0x80, 0x3F]
    #expect(try open(safetensors(header: header, data: bytes)).contains { $0.name == "t" })
  }

  // MARK: The file as a whole

  @Test("files too short for a header", arguments: [0, 1, 7])
  func short(count: Int) {
    let text = message { _ = try open([UInt8](repeating: 0, count: count)) }
    #expect(text?.contains("8 bytes expected, \(count) found, \(8 - count) missing") == true)
  }

  @Test(
    "a header length that lies is refused without taking memory",
    arguments: [
      UInt64.max, 1 << 63, 1 << 40, 100_000_001, UInt64(smallFile.count) - 7, 40,
      UInt64(smallFile.count - 22).byteSwapped, 0,
    ])
  func headerLength(length: UInt64) {
    let lie = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + smallFile.dropFirst(8)
    #expect(message { _ = try open(lie) }?.contains("model.safetensors") == true)
  }

  @Test(
    "headers that hold something else",
    arguments: [
      "", "[]", "null", "{}", "{\"t\"", "\u{FEFF}{}", " {}", String(repeating: "[", count: 100_000),
      #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":[]}"#,
      "{\"a\":" + String(repeating: "[", count: 100_000),
    ])
  func headerContent(header: String) {
    #expect(
      message { _ = try open(safetensors(header: header)) }?.contains("model.safetensors") == true)
  }

  @Test func headerIsNotUTF8() {
    let bytes = safetensors(header: "{\"..\":{}}").map { $0 == UInt8(ascii: ".") ? 0xFF : $0 }
    #expect(message { _ = try open(bytes) }?.contains("invalid UTF-8") == true)
  }

  @Test("cut files tell how many bytes are missing", arguments: [1, 7, 14])
  func truncated(missing: Int) {
    let bytes = Array(smallFile.dropLast(missing))
    #expect(
      message { _ = try open(bytes) }?.contains(
        "\(smallFile.count) bytes expected, \(bytes.count) found, \(missing) missing") == true)
  }

  @Test func cutInsideTheHeader() {
    #expect(message { _ = try open(Array(smallFile.prefix(50))) }?.contains("truncated") == true)
  }

  @Test func bytesAfterTheLastTensor() {
    #expect(message { _ = try open(smallFile + [0]) }?.contains("1 bytes after the last") == true)
  }

  // MARK: Entries

  @Test func duplicateNames() {
    let entry = #""t":{"dtype":"U8","shape":[4],"data_offsets":"#
    let header = "{\(entry)[0,4]},\(entry)[4,8]}}"
    let data = [UInt8](repeating: 0, count: 8)
    #expect(
      message { _ = try open(safetensors(header: header, data: data)) }?
        .contains("\"t\" stands twice") == true)
  }

  @Test(
    "parts of an entry that are missing or no entry",
    arguments: [
      ("null", "the entry is not an object"), ("\"x\"", "the entry is not an object"),
      (#"{"shape":[8],"data_offsets":[0,8]}"#, "dtype is missing"),
      (#"{"dtype":"U8","data_offsets":[0,8]}"#, "shape is missing"),
      (#"{"dtype":"U8","shape":[8]}"#, "data_offsets are missing"),
      (#"{"dtype":"F128","shape":[8],"data_offsets":[0,8]}"#, "unknown dtype \"F128\""),
      (#"{"dtype":"bf16","shape":[4],"data_offsets":[0,8]}"#, "unknown dtype \"bf16\""),
      (#"{"dtype":3,"shape":[8],"data_offsets":[0,8]}"#, "dtype is not a string"),
    ])
  func entries(entry: String, reason: String) {
    #expect(fault(entry: entry)?.hasSuffix("tensor t: \(reason)") == true)
  }

  @Test(
    "shapes",
    arguments: [
      "[-1]", "-1", "[2.5]", "\"8\"", "[\"8\"]", "8", "[1180591620717411303424]", "[1e400]",
      "[true]",
      "[4294967296,4294967296]", "[4611686018427387904,4]", "[4194305,4194305,211106198978564]",
      "[7]", "[9]", "[null]", "{}", "[[8]]",
      "[\(Array(repeating: "1", count: 40).joined(separator: ","))]",
    ])
  func shapes(shape: String) {
    let text = fault(entry: "{\"dtype\":\"U8\",\"shape\":\(shape),\"data_offsets\":[0,8]}")
    #expect(text?.contains("model.safetensors") == true)
  }

  @Test(
    "offsets",
    arguments: [
      "[8,0]", "[-8,0]", "[0,16]", "[18446744073709551608,18446744073709551616]", "[0]", "[0,8,8]",
      "[0,8.0]", "[false,true]", "8", "null", "[9223372036854775799,9223372036854775807]", "[1,9]",
    ])
  func offsets(offsets: String) {
    let text = fault(entry: "{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":\(offsets)}")
    #expect(text?.contains("model.safetensors") == true)
  }

  @Test("sub-byte types have to end on a byte")
  func subByte() {
    #expect(
      fault(entry: #"{"dtype":"F4","shape":[15],"data_offsets":[0,8]}"#)?
        .contains("no whole number of bytes") == true)
  }

  // MARK: Layout

  @Test(
    "overlaps and holes name the tensors",
    arguments: [
      ("[0,4]", "[0,4]", "inside a"), ("[0,4]", "[2,6]", "inside a"),
      ("[0,4]", "[68,72]", "64 bytes between a and this tensor"),
      ("[4,8]", "[8,12]", "4 bytes between the header and this tensor"),
    ])
  func layout(first: String, second: String, reason: String) {
    let entry = #"{"dtype":"U8","shape":[4],"data_offsets":"#
    let header = "{\"a\":\(entry)\(first)},\"b\":\(entry)\(second)}}"
    let data = [UInt8](repeating: 0, count: 72)
    let text = message { _ = try open(safetensors(header: header, data: data)) }
    #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
  }
}
