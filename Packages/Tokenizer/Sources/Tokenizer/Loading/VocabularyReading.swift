import JSON

extension PieceTable {
  /// Reads an object of pieces and their ids (`model.vocab`, `vocab.json`).
  init(reading reader: inout TokenizerReader, _ origin: Origin) throws(TokenizerError) {
    self.init()
    try reader.readTable(origin.key) { (reader, piece) throws(TokenizerError) in
      let id = try reader.readInteger(
        "\(origin.key)[\"\(String(decoding: piece, as: UTF8.self))\"]")
      try insert(piece, id: id, origin: origin)
    }
    compact()
  }

  /// The symbols of a byte-level model: the id of the one-byte piece of each byte.
  var byteSymbols: BPEModel.Symbols {
    .bytes(
      ByteAlphabet.scalars.map { value in
        Unicode.Scalar(value).flatMap { id(of: String(Character($0))) } ?? -1
      })
  }
}

/// Turns merges written as pieces into merges of ids.
struct MergeBuilder {
  let pieces: PieceTable
  let file: String
  private(set) var table: MergeTable
  private var rank = 0
  private var left: Int32?
  private var right: Int32?
  private var joined: [UInt8] = []

  init(pieces: PieceTable, file: String) {
    self.pieces = pieces
    self.file = file
    table = MergeTable(expectedCount: pieces.count)
  }

  /// Adds a merge written "left right".
  mutating func add(line: UnsafeBufferPointer<UInt8>) throws(TokenizerError) {
    guard let space = line.firstIndex(of: 0x20), !line[(space + 1)...].contains(0x20) else {
      let text = String(decoding: line, as: UTF8.self)
      throw .invalidValue(
        file: file, key: "merge \(rank)", reason: "\"\(text)\" is not two pieces and a space")
    }
    try start()
    try add(part: 0, UnsafeBufferPointer(rebasing: line[..<space]))
    try add(part: 1, UnsafeBufferPointer(rebasing: line[(space + 1)...]))
    try finish()
  }

  /// Begins a merge whose parts come one by one.
  mutating func start() throws(TokenizerError) {
    (left, right) = (nil, nil)
    joined.removeAll(keepingCapacity: true)
  }

  mutating func add(part: Int, _ piece: UnsafeBufferPointer<UInt8>) throws(TokenizerError) {
    let id = try id(of: piece)
    if part == 0 { left = id } else if part == 1 { right = id } else { left = nil }
    joined.append(contentsOf: piece)
  }

  mutating func finish() throws(TokenizerError) {
    guard let left, let right else {
      throw .invalidValue(file: file, key: "merge \(rank)", reason: "expected two pieces")
    }
    let merged = try joined.withUnsafeBufferPointer { (piece) throws(TokenizerError) in
      try id(of: piece)
    }
    table.insert(left: left, right: right, rank: rank, merged: merged)
    rank += 1
  }

  private func id(of piece: UnsafeBufferPointer<UInt8>) throws(TokenizerError) -> Int32 {
    guard let id = pieces.id(of: piece) else {
      throw .unknownMergePiece(
        file: file, merge: rank, piece: String(decoding: piece, as: UTF8.self))
    }
    return id
  }
}
