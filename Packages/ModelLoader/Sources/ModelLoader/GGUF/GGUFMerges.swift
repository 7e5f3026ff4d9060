import JSON

/// The merges that a SentencePiece model's scores stand for: every way to cut a piece into two
/// others, the best score first.
///
/// Source: huggingface/transformers, convert_slow_tokenizer.py, `generate_merges`.
struct GGUFMerges {
  struct Pair {
    let left: ArraySlice<UInt8>
    let right: ArraySlice<UInt8>
  }

  let pairs: [Pair]

  /// - Parameters:
  ///   - tokens: all pieces.
  ///   - ids: those that take part.
  ///   - scores: of all pieces.
  init(of tokens: GGUFStrings, ids: [Int], scores: [Double]) {
    var idOfPiece: [ArraySlice<UInt8>: Int] = [:]
    idOfPiece.reserveCapacity(ids.count)
    for id in ids { idOfPiece[tokens[id]] = id }
    struct Candidate {
      let score: Double
      let lengths: (Int, Int)
      let pair: Pair
    }
    var candidates: [Candidate] = []
    for id in ids {
      let piece = tokens[id]
      var local: [(ids: (Int, Int), pair: Pair)] = []
      for cut in piece.indices.dropFirst() where piece[cut] & 0xC0 != 0x80 {
        let (left, right) = (piece[..<cut], piece[cut...])
        if let first = idOfPiece[left], let second = idOfPiece[right] {
          local.append(((first, second), Pair(left: left, right: right)))
        }
      }
      local.sort { $0.ids < $1.ids }
      candidates += local.map {
        Candidate(
          score: scores[id],
          lengths: (Self.characters($0.pair.left), Self.characters($0.pair.right)),
          pair: $0.pair)
      }
    }
    // Sorting is not stable by promise: what is equal keeps its order by number.
    let order = candidates.indices.sorted { first, second in
      let (a, b) = (candidates[first], candidates[second])
      if a.score != b.score { return a.score > b.score }
      if a.lengths != b.lengths { return a.lengths > b.lengths }
      return first < second
    }
    pairs = order.map { candidates[$0].pair }
  }

  private static func characters(_ piece: ArraySlice<UInt8>) -> Int {
    piece.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }
}

/// JSON text that grows.
struct GGUFText {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// A string with its quotation marks; bytes that are not UTF-8 become U+FFFD.
  mutating func add(quoted string: ArraySlice<UInt8>) {
    if string.allSatisfy({ $0 >= 0x20 && $0 < 0x80 && $0 != 0x22 && $0 != 0x5C }) {
      bytes.append(0x22)
      bytes.append(contentsOf: string)
      bytes.append(0x22)
    } else {
      add(JSONValue.quoted(String(decoding: string, as: UTF8.self)))
    }
  }
}
