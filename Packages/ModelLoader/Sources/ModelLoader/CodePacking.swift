import Tensors

/// Codes of 2, 3, 4 or 8 bits in a row of 32-bit words: one dense stream, lowest bits first.
///
/// GPTQ and compressed-tensors share this stream and differ only in the axis along which it runs.
/// Widths that do not divide 32 straddle words: 32 codes of 3 bits take 3 words.
struct CodePacking {
  /// Bits of one code.
  let bits: Int

  /// The widths that can be packed.
  static let widths = QuantizedMatrix.codeBits

  /// Words that `count` codes take, or nil when that overflows.
  func words(for count: Int) -> Int? {
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    return overflow || total > Int.max - 31 ? nil : (total + 31) / 32
  }

  /// Reads `codes.count` codes from `words`, which has to hold as many.
  func unpack(_ words: UnsafeBufferPointer<UInt32>, into codes: UnsafeMutableBufferPointer<UInt8>) {
    // The widths that matter most need no stream: words hold bytes, the first of them lowest.
    let bytes = UnsafeRawBufferPointer(words)
    switch bits {
    case 8:
      UnsafeMutableRawBufferPointer(codes).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[..<codes.count]))
    case 4:
      for pair in 0..<codes.count / 2 {
        codes[2 &* pair] = bytes[pair] & 15
        codes[2 &* pair &+ 1] = bytes[pair] &>> 4
      }
      if codes.count % 2 == 1 { codes[codes.count - 1] = bytes[codes.count / 2] & 15 }
    default:
      unpackStream(words, into: codes)
    }
  }

  private func unpackStream(
    _ words: UnsafeBufferPointer<UInt32>, into codes: UnsafeMutableBufferPointer<UInt8>
  ) {
    let mask = UInt64(1) << bits - 1
    var stream: UInt64 = 0
    var available = 0
    var next = 0
    for position in codes.indices {
      if available < bits {
        stream |= UInt64(words[next]) << available
        available += 32
        next += 1
      }
      codes[position] = UInt8(truncatingIfNeeded: stream & mask)
      stream >>= bits
      available -= bits
    }
  }

  /// Writes `codes`, each below `2^bits`, into `words`, which has to have room; unused bits become
  /// zero.
  func pack(_ codes: UnsafeBufferPointer<UInt8>, into words: UnsafeMutableBufferPointer<UInt32>) {
    let bytes = UnsafeMutableRawBufferPointer(words)
    switch bits {
    case 8:
      bytes.copyMemory(from: UnsafeRawBufferPointer(codes))
      for index in codes.count..<bytes.count { bytes[index] = 0 }
    case 4:
      for pair in 0..<codes.count / 2 {
        bytes[pair] = codes[2 &* pair] | codes[2 &* pair &+ 1] &<< 4
      }
      for index in codes.count / 2..<bytes.count { bytes[index] = 0 }
      if codes.count % 2 == 1 { bytes[codes.count / 2] = codes[codes.count - 1] }
    default:
      packStream(codes, into: words)
    }
  }

  private func packStream(
    _ codes: UnsafeBufferPointer<UInt8>, into words: UnsafeMutableBufferPointer<UInt32>
  ) {
    var stream: UInt64 = 0
    var filled = 0
    var next = 0
    for code in codes {
      stream |= UInt64(code) << filled
      filled += bits
      if filled >= 32 {
        words[next] = UInt32(truncatingIfNeeded: stream)
        next += 1
        stream >>= 32
        filled -= 32
      }
    }
    if filled > 0 { words[next] = UInt32(truncatingIfNeeded: stream) }
  }
}

// MARK: Whole matrices

extension CodePacking {
  /// Rows packed or unpacked at a time: one cache line of each row of words.
  private static let blockSize = 16

  /// Unpacks `[rows, columns]` codes from words `[rows, words(for: columns)]`: a stream per row.
  func unpackRows(
    _ words: AlignedBytes, rows: Int, columns: Int, workers: Int
  ) throws(CheckpointError) -> [UInt8] {
    let width = self.words(for: columns) ?? 0
    return try filled(rows * columns, blocks: rows, workers: workers) { (row, codes) in
      words.withBytes { bytes in
        let source = UnsafeBufferPointer(
          rebasing: bytes.bindMemory(to: UInt32.self)[row * width..<(row + 1) * width])
        unpack(source, into: .init(rebasing: codes[row * columns..<(row + 1) * columns]))
      }
    }
  }

  /// Unpacks `[rows, columns]` codes from words `[words(for: columns), rows]`: the streams run down
  /// the stored matrix.
  func unpackColumns(
    _ words: AlignedBytes, rows: Int, columns: Int, workers: Int
  ) throws(CheckpointError) -> [UInt8] {
    var codes = [UInt8](repeating: 0, count: rows * columns)
    try codes.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      let shared = SharedTarget(UnsafeMutableRawBufferPointer(target))
      try forEachBlock(ofColumns: words, rows: rows, columns: columns, workers: workers) {
        shared.part($0.lowerBound * columns..<$0.upperBound * columns)
          .copyMemory(from: UnsafeRawBufferPointer($1))
      }
    }
    return codes
  }

  /// Unpacks 16 rows at a time from words `[words(for: columns), rows]` and hands out which they
  /// are and their codes, on several threads.
  func forEachBlock(
    ofColumns words: AlignedBytes, rows: Int, columns: Int, workers: Int,
    _ body: @Sendable (Range<Int>, UnsafeMutableBufferPointer<UInt8>) -> Void
  ) throws(CheckpointError) {
    let width = self.words(for: columns) ?? 0
    let blocks = (rows + Self.blockSize - 1) / Self.blockSize
    try forEachInParallel(blocks, workers: workers) { (block) throws(CheckpointError) in
      let block = block * Self.blockSize..<min((block + 1) * Self.blockSize, rows)
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: width * block.count) { streams in
        words.withBytes { bytes in
          let source = bytes.bindMemory(to: UInt32.self)
          for word in 0..<width {
            for (stream, row) in block.enumerated() {
              streams[stream * width + word] = source[word * rows + row]
            }
          }
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: block.count * columns) { codes in
          for stream in 0..<block.count {
            unpack(
              .init(rebasing: streams[stream * width..<(stream + 1) * width]),
              into: .init(rebasing: codes[stream * columns..<(stream + 1) * columns]))
          }
          body(block, codes)
        }
      }
    }
  }

  /// Unpacks 16 rows at a time from the words of some rows, `[rows.count, words(for: columns)]`,
  /// and hands out which they are and their codes.
  func forEachBlock(
    ofRows rows: Range<Int>, columns: Int, _ words: UnsafeRawBufferPointer,
    _ body: (Range<Int>, UnsafeBufferPointer<UInt8>) -> Void
  ) {
    let (width, source) = (self.words(for: columns) ?? 0, words.bindMemory(to: UInt32.self))
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.blockSize * columns) { codes in
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.blockSize) {
        let block = first..<min(first + Self.blockSize, rows.upperBound)
        for (place, row) in block.enumerated() {
          let start = (row - rows.lowerBound) * width
          unpack(
            .init(rebasing: source[start..<start + width]),
            into: .init(rebasing: codes[place * columns..<(place + 1) * columns]))
        }
        body(block, .init(rebasing: codes[..<(block.count * columns)]))
      }
    }
  }

  /// Packs `[rows, columns]` codes into words `[rows, words(for: columns)]`.
  func packRows(
    _ codes: [UInt8], rows: Int, columns: Int, workers: Int
  ) throws(CheckpointError) -> [UInt32] {
    let width = words(for: columns) ?? 0
    return try filled(rows * width, blocks: rows, workers: workers) { (row, words) in
      codes.withUnsafeBufferPointer { codes in
        pack(
          .init(rebasing: codes[row * columns..<(row + 1) * columns]),
          into: .init(rebasing: words[row * width..<(row + 1) * width]))
      }
    }
  }

  /// Packs `[rows, columns]` codes into words `[words(for: columns), rows]`.
  func packColumns(
    _ codes: [UInt8], rows: Int, columns: Int, workers: Int
  ) throws(CheckpointError) -> [UInt32] {
    let width = words(for: columns) ?? 0
    let byRows = try packRows(codes, rows: rows, columns: columns, workers: workers)
    return transposed(byRows, rows: rows, columns: width)
  }

  /// An array that `body` fills block by block on several threads, each block in its own place.
  private func filled<Element: FixedWidthInteger & Sendable>(
    _ count: Int, blocks: Int, workers: Int,
    _ body: @Sendable (Int, UnsafeMutableBufferPointer<Element>) -> Void
  ) throws(CheckpointError) -> [Element] {
    var elements = [Element](repeating: 0, count: count)
    try elements.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      let shared = SharedTarget(UnsafeMutableRawBufferPointer(target))
      try forEachInParallel(blocks, workers: workers) { (block) throws(CheckpointError) in
        body(block, shared.bytes.bindMemory(to: Element.self))
      }
    }
    return elements
  }
}

/// `[rows, columns]` as `[columns, rows]`.
func transposed<Element>(_ values: [Element], rows: Int, columns: Int) -> [Element] {
  [Element](unsafeUninitializedCapacity: values.count) { target, filled in
    // In tiles, so that both sides are walked along cache lines.
    let tile = 32
    for top in stride(from: 0, to: rows, by: tile) {
      for left in stride(from: 0, to: columns, by: tile) {
        for row in top..<min(top + tile, rows) {
          for column in left..<min(left + tile, columns) {
            target.initializeElement(
              at: column * rows + row, to: values[row * columns + column])
          }
        }
      }
    }
    filled = values.count
  }
}
