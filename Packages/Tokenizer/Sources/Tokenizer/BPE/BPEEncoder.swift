import JSON

/// Turns pieces of text into ids.
///
/// The result is defined by: of all adjacent pairs that merge, the one of lowest rank is merged
/// first, the leftmost among equals, until none is left (Sennrich et al. 2016, arXiv:1508.07909).
struct BPEEncoder {
  let model: BPEModel
  let merges: MergeTable.View
  let scratch: BPEScratch

  /// Appends the ids of `text[start..<end]`, which is not empty.
  @inline(__always)
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, into ids: inout [Int32]
  ) {
    guard let key = PieceCache.Key(text, start, end) else {
      return encodeUncached(text, start, end, into: &ids)
    }
    if scratch.cache.append(key, to: &ids) { return }
    let mark = ids.count
    encodeUncached(text, start, end, into: &ids)
    scratch.cache.store(key, ids[mark...])
  }

  @inline(never)
  private func encodeUncached(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, into ids: inout [Int32]
  ) {
    let piece = UnsafeBufferPointer(rebasing: text[start..<end])
    if model.ignoresMerges, let id = model.wholePieceID(piece) {
      ids.append(id)
      return
    }
    scratch.symbols.removeAll(keepingCapacity: true)
    model.appendSymbols(of: piece, to: &scratch.symbols)
    if scratch.symbols.count > ShortMerger.maximumCount {
      scratch.queue.merge(&scratch.symbols, with: merges)
    } else if scratch.symbols.count > 1 {
      scratch.shortMerger.merge(&scratch.symbols, with: merges)
    }
    ids.append(contentsOf: scratch.symbols)
  }
}

extension BPEModel {
  /// The id of text that is a piece as a whole.
  func wholePieceID(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard case .bytes = symbols else { return pieces.id(of: text) }
    var written: [UInt8] = []
    written.reserveCapacity(2 * text.count)
    ByteAlphabet.write(text, to: &written)
    return written.withUnsafeBufferPointer { pieces.id(of: $0) }
  }

  /// Appends the symbols of `text` before any merge.
  func appendSymbols(of text: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    var unknown = UnknownRun(id: unknownID, fuses: fusesUnknown)
    switch symbols {
    case .bytes(let byteIDs):
      for byte in text {
        let id = byteIDs[Int(byte)]
        if id >= 0 {
          unknown.flush(to: &ids)
          ids.append(id)
        } else {
          unknown.add(to: &ids)
        }
      }
    case .scalars(let byteFallback):
      var position = 0
      while position < text.count {
        let length = UTF8Text.scalar(text, at: position).length
        let scalar = UnsafeBufferPointer(rebasing: text[position..<position + length])
        position += length
        if let id = pieces.id(of: scalar) {
          unknown.flush(to: &ids)
          ids.append(id)
        } else if let byteFallback, scalar.allSatisfy({ byteFallback[Int($0)] >= 0 }) {
          ids.append(contentsOf: scalar.lazy.map { byteFallback[Int($0)] })
        } else {
          unknown.add(to: &ids)
        }
      }
    }
    unknown.flush(to: &ids)
  }

  /// Unknown symbols not yet written. As in the reference implementation, bytes from the byte
  /// fallback do not end a run.
  private struct UnknownRun {
    let id: Int32?
    let fuses: Bool
    private var isPending = false

    init(id: Int32?, fuses: Bool) {
      self.id = id
      self.fuses = fuses
    }

    mutating func add(to ids: inout [Int32]) {
      if !fuses { flush(to: &ids) }
      isPending = true
    }

    mutating func flush(to ids: inout [Int32]) {
      if isPending, let id { ids.append(id) }
      isPending = false
    }
  }
}
