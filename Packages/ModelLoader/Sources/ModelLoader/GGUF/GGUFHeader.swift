import Tensors

/// The start of a GGUF file: its metadata and the entries of its tensors, checked against the size
/// of the file before any tensor is read.
///
/// Layout: magic "GGUF", u32 version, u64 tensors, u64 keys, the keys with their values, the
/// tensors' entries, padding to the alignment, the tensors' bytes. Source: ggml-org/ggml,
/// docs/gguf.md and src/gguf.cpp (checks); PyPI gguf.
struct GGUFHeader {
  /// One tensor as the file has it.
  struct Entry {
    let name: String
    /// Dimensions, outermost first: the reverse of the file's order.
    let shape: [Int]
    let type: GGUFType
    /// Where its bytes stand in the file.
    let range: Range<Int>
  }

  let metadata: GGUFMetadata
  /// In the order of their bytes.
  let tensors: [Entry]

  /// Version 1 had other lengths.
  private static let versions: ClosedRange<UInt32> = 2...3
  private static let rankLimit = 4
  /// A name, its length, a rank, a dimension, a type and an offset.
  private static let smallestEntry = 8 + 4 + 8 + 4 + 8
  private static let nameLimit = 1024

  /// - Throws: `.truncated`, `.malformed`, `.tensor` or `.unsupported` naming the key or tensor.
  init(of source: any ByteSource) throws(CheckpointError) {
    let file = source.file
    var reader = GGUFReader(source)
    guard try reader.uint32("magic") == 0x4655_4747 else {
      throw .malformed(file: file, reason: "does not begin with GGUF")
    }
    let version = try reader.uint32("version")
    guard Self.versions.contains(version) else {
      throw .unsupported(
        file: file,
        feature: version & 0xFFFF == 0
          ? "GGUF with the bytes of numbers in reverse order (big-endian)"
          : "GGUF version \(version)")
    }
    let count = try reader.count("number of tensors", size: Self.smallestEntry)
    let keys = try reader.count("number of metadata keys", size: 8 + 4 + 1)
    var values: [String: GGUFValue] = [:]
    for _ in 0..<keys {
      let key = try reader.string("a metadata key")
      let value = try reader.value(of: key)
      guard values.updateValue(value, forKey: key) == nil else {
        throw .malformed(file: file, reason: "holds the metadata key \(key) twice")
      }
    }
    metadata = GGUFMetadata(file: file, values: values)
    let alignment = try metadata.integerIfPresent("general.alignment", in: 0...Int(Int32.max)) ?? 32
    guard alignment > 0, alignment & (alignment - 1) == 0 else {
      throw metadata.wrong("general.alignment", expected: "a power of two")
    }
    var found: [(name: String, shape: [Int], type: GGUFType, offset: UInt64)] = []
    var names: Set<String> = []
    for _ in 0..<count {
      let entry = try Self.entry(&reader, file: file)
      guard names.insert(entry.name).inserted else {
        throw .tensor(file: file, tensor: entry.name, reason: "is in the file twice")
      }
      found.append(entry)
    }
    let start = (reader.offset + alignment - 1) / alignment * alignment
    var tensors: [Entry] = []
    for entry in found {
      tensors.append(
        Entry(
          name: entry.name, shape: entry.shape, type: entry.type,
          range: try Self.range(of: entry, start: start, alignment: alignment, source)))
    }
    tensors.sort { ($0.range.lowerBound, $0.name) < ($1.range.lowerBound, $1.name) }
    self.tensors = tensors
    for (first, second) in zip(tensors, tensors.dropFirst())
    where first.range.upperBound > second.range.lowerBound {
      throw .tensor(
        file: file, tensor: second.name,
        reason: "begins at byte \(second.range.lowerBound), inside \(first.name), which ends at "
          + "\(first.range.upperBound)")
    }
  }

  private static func entry(
    _ reader: inout GGUFReader, file: String
  ) throws(CheckpointError) -> (name: String, shape: [Int], type: GGUFType, offset: UInt64) {
    let name = try reader.string("name of a tensor")
    guard !name.isEmpty, name.utf8.count <= nameLimit else {
      throw .malformed(
        file: file,
        reason: "a tensor's name has \(name.utf8.count) bytes; 1...\(nameLimit) expected")
    }
    func wrong(_ reason: String) -> CheckpointError {
      .tensor(file: file, tensor: name, reason: reason)
    }
    let rank = try reader.uint32("rank of \(name)")
    guard (1...UInt32(rankLimit)).contains(rank) else {
      throw wrong("\(rank) dimensions; 1...\(rankLimit) expected")
    }
    var shape: [Int] = []
    for _ in 0..<rank {
      let size = try reader.uint64("dimension of \(name)")
      guard let size = Int(exactly: size), size > 0 else { throw wrong("a dimension of \(size)") }
      shape.append(size)
    }
    shape.reverse()
    let id = try reader.uint32("type of \(name)")
    let offset = try reader.uint64("offset of \(name)")
    return (name, shape, try GGUFType(id: id, tensor: name, file: file), offset)
  }

  /// Where a tensor's bytes stand in the file.
  private static func range(
    of entry: (name: String, shape: [Int], type: GGUFType, offset: UInt64), start: Int,
    alignment: Int, _ source: any ByteSource
  ) throws(CheckpointError) -> Range<Int> {
    func wrong(_ reason: String) -> CheckpointError {
      .tensor(file: source.file, tensor: entry.name, reason: reason)
    }
    guard let inputs = entry.shape.last, inputs % entry.type.elements == 0 else {
      throw wrong(
        "rows of \(entry.shape.last ?? 0) are no whole blocks of \(entry.type.elements) "
          + "(\(entry.type.name))")
    }
    guard let size = entry.type.byteCount(shape: entry.shape) else {
      throw wrong("shape \(entry.shape) takes more bytes than 63 bits count")
    }
    guard entry.offset % UInt64(alignment) == 0 else {
      throw wrong("offset \(entry.offset) is no multiple of the alignment \(alignment)")
    }
    let (begin, overflow) = UInt64(start).addingReportingOverflow(entry.offset)
    let (end, endOverflow) = begin.addingReportingOverflow(UInt64(size))
    guard !overflow, !endOverflow, end <= Int.max else {
      throw wrong("offset \(entry.offset) lies past any file")
    }
    guard end <= source.count else {
      throw .truncated(file: source.file, expected: Int(end), found: source.count)
    }
    return Int(begin)..<Int(end)
  }
}
