/// How a stretch of text is cut into the pieces that the model encodes one by one
/// (`pre_tokenizer` in `tokenizer.json`, flattened into a list of steps).
struct PreTokenizer: Sendable {
  /// One step; each works on the pieces that the steps before it left.
  enum Step: Sendable {
    case split(SplitMatcher, SplitBehavior, inverted: Bool)
    /// Puts a space in front of pieces that do not begin with one.
    case prefixSpace
    /// Writes the bytes of each piece in ``ByteAlphabet``.
    case byteAlphabet
    /// Writes spaces as `replacement` and puts one in front.
    case metaspace(replacement: String, prepend: PrependScheme)
  }

  /// Which pieces get the metaspace replacement in front, unless they begin with it.
  enum PrependScheme: String, Sendable {
    case always, never
    /// Only the piece at the very start of the input.
    case first
  }

  /// The whole cutting as one scan where the steps are the well-known ones.
  private enum Plan {
    case whole
    case gpt2(GPT2Scanner)
    case cl100k(CL100KScanner)
    case steps([Step])
  }

  private let plan: Plan
  /// Whether the model sees bytes rather than Unicode scalars.
  let isByteLevel: Bool
  /// Whether a space is put before texts that begin without one.
  let addsPrefixSpace: Bool

  init(_ steps: [Step]) {
    isByteLevel = steps.contains { if case .byteAlphabet = $0 { true } else { false } }
    addsPrefixSpace = steps.contains { if case .prefixSpace = $0 { true } else { false } }
    switch (steps.count, steps.first, steps.last) {
    case (0, _, _): plan = .whole
    case (2, .split(.gpt2(let scanner), .isolated, inverted: false), .byteAlphabet):
      plan = .gpt2(scanner)
    case (2, .split(.cl100k(let scanner), .isolated, inverted: false), .byteAlphabet):
      plan = .cl100k(scanner)
    default: plan = .steps(steps)
    }
  }

  /// Encodes each piece of `text` (valid UTF-8, not empty); `isStart` when it is the start of the
  /// whole input.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, isStart: Bool, with encoder: BPEEncoder,
    into ids: inout [Int32]
  ) {
    switch plan {
    case .whole: encoder.encodeWhole(text, into: &ids)
    case .gpt2(let scanner): Self.scan(text, scanner, encoder, &ids)
    case .cl100k(let scanner): Self.scan(text, scanner, encoder, &ids)
    case .steps(let steps):
      var pieces = Pieces(text)
      for step in steps { pieces.apply(step, isStart: isStart) }
      if isByteLevel { pieces.leaveByteAlphabet() }
      pieces.text.withUnsafeBufferPointer { text in
        for range in pieces.ranges where !range.isEmpty {
          encoder.encode(text, range.lowerBound, range.upperBound, into: &ids)
        }
      }
    }
  }

  /// Finds and encodes one piece after the other, without a list of pieces in between.
  @inline(__always)
  private static func scan(
    _ text: UnsafeBufferPointer<UInt8>, _ scanner: some SplitScanner, _ encoder: BPEEncoder,
    _ ids: inout [Int32]
  ) {
    ScalarClasses.withTable { classes in
      var start = 0
      while start < text.count {
        let end = scanner.pieceEnd(in: text, from: start, to: text.count, classes: classes)
        encoder.encode(text, start, end, into: &ids)
        start = end
      }
    }
  }
}

/// Text and the pieces it is cut into so far.
private struct Pieces {
  var text: [UInt8]
  var ranges: [Range<Int>]

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = Array(text)
    ranges = [0..<text.count]
  }

  mutating func apply(_ step: PreTokenizer.Step, isStart: Bool) {
    switch step {
    case .split(let matcher, let behavior, let inverted):
      ranges = text.withUnsafeBufferPointer { text in
        ranges.flatMap { range in
          let piece = UnsafeBufferPointer(rebasing: text[range])
          return behavior.pieces(
            matcher.matches(in: piece), count: piece.count, inverted: inverted
          ).map { $0.lowerBound + range.lowerBound..<$0.upperBound + range.lowerBound }
        }
      }
    case .prefixSpace:
      rewrite { piece, _, result in
        if piece.first != 0x20 { result.append(0x20) }
        result.append(contentsOf: piece)
      }
    case .byteAlphabet:
      rewrite { piece, _, result in ByteAlphabet.write(piece, to: &result) }
    case .metaspace(let replacement, let prepend):
      let mark = Array(replacement.utf8)
      let normalizer = Normalizer.replace(" ", with: replacement)
      rewrite { piece, isFirst, result in
        let replaced = normalizer.apply(piece) ?? Array(piece)
        let isWanted = prepend == .always || prepend == .first && isStart && isFirst
        if isWanted, !replaced.starts(with: mark) { result.append(contentsOf: mark) }
        result.append(contentsOf: replaced)
      }
    }
  }

  mutating func leaveByteAlphabet() {
    rewrite { piece, _, result in ByteAlphabet.read(piece, to: &result) }
  }

  /// Replaces the text of each piece by what `body` appends; it is told whether it is the first.
  private mutating func rewrite(
    _ body: (UnsafeBufferPointer<UInt8>, Bool, inout [UInt8]) -> Void
  ) {
    var result: [UInt8] = []
    result.reserveCapacity(2 * text.count)
    text.withUnsafeBufferPointer { text in
      for index in ranges.indices {
        let start = result.count
        body(UnsafeBufferPointer(rebasing: text[ranges[index]]), index == 0, &result)
        ranges[index] = start..<result.count
      }
    }
    text = result
  }
}
