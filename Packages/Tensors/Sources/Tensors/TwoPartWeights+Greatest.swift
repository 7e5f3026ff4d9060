import Kernels

/// The first part alone says which rows may have the greatest products: the second one adds at most
/// the length of its row times the length of the input (Cauchy, Schwarz). Of the second part only
/// the blocks with such rows are read.
extension TwoPartWeights: GreatestFirstWeights {
  /// See `GreatestFirstWeights`.
  public var leastBytesRead: Int { coarse.byteCount }

  /// See `GreatestFirstWeights`.
  public func multiply(
    _ input: LinearInput, into y: UnsafeMutablePointer<Float>, wanting wanted: GreatestOutputs,
    on pool: ThreadPool
  ) {
    let x = ReadOnlyMemory(input.rows(on: pool))
    pool.run([coarse.product(of: input, into: y, on: pool)])
    let (rows, width, tokens) = (outFeatures, inFeatures, input.tokens)
    let blocks = (rows + 15) / 16
    var marks = [Bool](repeating: !canSelect(wanted, tokens: tokens), count: tokens * blocks)
    if marks.first == false {
      let first = ReadOnlyMemory(UnsafePointer(y))
      marks.withUnsafeMutableBufferPointer { buffer in
        guard let marks = buffer.baseAddress.map({ DisjointMemory($0) }) else { return }
        pool.split(tokens, cost: tokens * rows) { part in
          for token in part {
            let length = (0..<width).reduce(Float(0)) { sum, column in
              let value = x[token * width + column]
              return sum + value * value
            }.squareRoot()
            let row = UnsafeBufferPointer(start: first + token * rows, count: rows)
            mark(row, wanted, inputLength: length * Self.slack, marks + token * blocks)
          }
        }
      }
    }
    addFine(to: y, input, pieces: pieces(of: marks, blocks: blocks), on: pool)
  }

  /// The input is multiplied rounded, to 8 bits in groups of 128 at the coarsest, which makes it
  /// longer by a 22nd at most.
  private static var slack: Float { 17 / 16 }
  /// What rounding sums of floats may change, as a part of them.
  private static var rounding: Float { 1e-6 }

  /// Whether looking for the greatest is worth more than it takes.
  private func canSelect(_ wanted: GreatestOutputs, tokens: Int) -> Bool {
    let rows = min(wanted.below, outFeatures)
    return wanted.count <= 256 && wanted.count * 64 <= rows && tokens <= 64
  }

  /// Marks the blocks of rows that may have one of the greatest products with an input.
  ///
  /// - Parameters:
  ///   - products: those of the first part.
  ///   - wanted: what is looked for.
  ///   - inputLength: at least the length of the input as it is multiplied.
  ///   - marks: a mark for each block, none set.
  private func mark(
    _ products: UnsafeBufferPointer<Float>, _ wanted: GreatestOutputs, inputLength: Float,
    _ marks: UnsafeMutablePointer<Bool>
  ) {
    guard let first = products.baseAddress else { return }
    let (count, kernels) = (min(wanted.below, products.count), bb_kernels().pointee)
    // Where something is no number, every row is to show it.
    guard (longest * inputLength).isFinite, kernels.highest(first, products.count).isFinite else {
      return marks.update(repeating: true, count: (products.count + 15) / 16)
    }
    func reach(_ row: Int) -> Float {
      lengths[row / 16] * inputLength + abs(products[row]) * Self.rounding
    }
    // As many rows as are wanted have products of at least `least`.
    let least =
      Self.greatest(wanted.count, of: products[..<count]).map { products[$0] - reach($0) }.min()
      ?? -.infinity
    let limit = least - longest * inputLength - abs(least) * Self.rounding
    var row = kernels.first_above(first, 0, count, limit.nextDown)
    while row < count {
      let isCandidate = products[row] + reach(row) >= least - abs(least) * Self.rounding
      if isCandidate { marks[row / 16] = true }
      let next = isCandidate ? (row / 16 + 1) * 16 : row + 1
      row = next < count ? kernels.first_above(first, next, count, limit.nextDown) : count
    }
  }

  /// The indices of the greatest numbers.
  private static func greatest(_ count: Int, of numbers: Slice<UnsafeBufferPointer<Float>>)
    -> [Int]
  {
    guard let base = numbers.base.baseAddress else { return [] }
    let firstAbove = bb_kernels().pointee.first_above
    // The least first.
    var found = numbers.indices.prefix(count).sorted { numbers[$0] < numbers[$1] }
    var index = found.count
    while let least = found.first, index < numbers.count {
      index = firstAbove(base, index, numbers.count, numbers[least])
      if index == numbers.count { break }
      found.removeFirst()
      let place = found.firstIndex { numbers[$0] >= numbers[index] } ?? found.count
      found.insert(index, at: place)
      index += 1
    }
    return found
  }

  /// The rows of blocks that any token has marked, those side by side together.
  private func pieces(of marks: [Bool], blocks: Int) -> [Range<Int>] {
    var ofAny = marks[..<blocks]
    for place in marks.indices.dropFirst(blocks) where marks[place] { ofAny[place % blocks] = true }
    var pieces: [Range<Int>] = []
    for block in ofAny.indices where ofAny[block] {
      let rows = block * 16..<min((block + 1) * 16, outFeatures)
      if let last = pieces.last, last.upperBound == rows.lowerBound, last.count < Self.pieceRows {
        pieces[pieces.count - 1] = last.lowerBound..<rows.upperBound
      } else {
        pieces.append(rows)
      }
    }
    return pieces
  }
  private static var pieceRows: Int { 192 }

  /// Adds the products of the second part's rows to those of the first part, `y` `[tokens, out]`.
  private func addFine(
    to y: UnsafeMutablePointer<Float>, _ input: LinearInput, pieces: [Range<Int>],
    on pool: ThreadPool
  ) {
    let (rows, tokens) = (outFeatures, input.tokens)
    let scheme = activations(for: input.numerics)
    let prepared = input.prepared(for: scheme, on: pool)
    let cost = pieces.count * 16 * inFeatures * tokens / scheme.costDivisor
    let y = DisjointMemory(y)
    pool.split(pieces.count, cost: cost) { [fine] part in
      let add = bb_kernels().pointee.add
      withUnsafeTemporaryAllocation(of: Float.self, capacity: tokens * Self.pieceRows) { scratch in
        guard let base = scratch.baseAddress else { return }
        for piece in pieces[part] {
          fine.multiply(prepared, rows: piece, into: base, stride: Self.pieceRows)
          for token in 0..<tokens {
            add(y + token * rows + piece.lowerBound, base + token * Self.pieceRows, piece.count)
          }
        }
      }
    }
  }
}
