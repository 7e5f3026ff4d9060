import Kernels
import Testing

/// A BF16 matrix and rows of BF16 activations, as bits.
struct BF16Case {
  let rows: Int
  let inputs: Int
  let tokens: Int
  let weights: [UInt16]
  /// `[tokens][stride]`, 0 behind the last input.
  var activations: [UInt16]
  var stride: Int { inputs + inputs % 2 }

  init(rows: Int, inputs: Int, tokens: Int, bits: () -> UInt16) {
    (self.rows, self.inputs, self.tokens) = (rows, inputs, tokens)
    weights = (0..<rows * inputs).map { _ in bits() }
    activations = []
    for _ in 0..<tokens {
      activations += (0..<inputs).map { _ in bits() } + [UInt16](repeating: 0, count: inputs % 2)
    }
  }

  func multiply(
    tokens range: Range<Int>, isa: bb_isa, as format: bb_activation_format = BB_ACTIVATIONS_BF16
  ) -> [Float] {
    let blocks = (rows + 15) / 16
    let blockBytes = (inputs + 1) / 2 * 64
    var lines = [UInt8](repeating: 0, count: blocks * blockBytes)
    var y = [Float](repeating: .nan, count: range.count * rows)
    lines.withUnsafeMutableBufferPointer { lines in
      weights.withUnsafeBufferPointer { weights in
        activations.withUnsafeBufferPointer { x in
          guard let target = lines.baseAddress, let source = weights.baseAddress,
            let x = x.baseAddress
          else { return }
          for block in 0..<blocks {
            bb_pack_halves(
              source + block * 16 * inputs, min(16, rows - block * 16), inputs,
              target + block * blockBytes)
          }
          var matrix = bb_matrix()
          matrix.format = BB_ROWS_BF16
          (matrix.rows, matrix.inputs, matrix.group) = (rows, inputs, inputs)
          matrix.lines = UnsafePointer(target)
          var rows = bb_activations()
          rows.format = format
          rows.values = UnsafeRawPointer(x + range.lowerBound * stride)
          rows.stride = stride * 2
          bb_multiply(
            bb_kernels_for(isa), &matrix, &rows, range.count, &y, self.rows, 0, blocks)
        }
      }
    }
    return y
  }

  /// The rule written out for one output: of each pair the odd product first, denormals 0.
  func sum(token: Int, row: Int) -> Float {
    var sum: Float = 0
    for pair in 0..<stride / 2 {
      for input in [2 * pair + 1, 2 * pair] {
        let weight = input < inputs ? weights[row * inputs + input] : 0
        let product = (flushed(weight), flushed(activations[token * stride + input]))
        sum = flushed(sum.addingProduct(product.0, product.1))
      }
    }
    return sum
  }

  /// The order of tiles written out: of each 32 inputs the even products and the odd ones apart,
  /// denormals 0.
  func chainedSum(token: Int, row: Int) -> Float {
    var sum: Float = 0
    for start in Swift.stride(from: 0, to: stride, by: 32) {
      var chains: [Float] = [0, 0]
      for input in start..<min(start + 32, stride) {
        let weight = input < inputs ? weights[row * inputs + input] : 0
        let product = (flushed(weight), flushed(activations[token * stride + input]))
        chains[input % 2] = flushed(chains[input % 2].addingProduct(product.0, product.1))
      }
      sum = flushed(sum + flushed(chains[0] + chains[1]))
    }
    return sum
  }

  private func flushed(_ bits: UInt16) -> Float { flushed(Float(bitPattern: UInt32(bits) << 16)) }
  private func flushed(_ x: Float) -> Float { x.isSubnormal ? (x.sign == .minus ? -0.0 : 0) : x }
}

/// The bits of each number; one and the same for all that are none.
private func bits(_ values: [Float]) -> [UInt32] {
  values.map { $0.isNaN ? .max : $0.bitPattern }
}

@Suite struct BF16Tests {
  /// Odd widths, rows that fill no block, more blocks than a tile, rows longer than one pass takes.
  static let sizes: [(rows: Int, inputs: Int)] = [
    (1, 1), (16, 2), (17, 31), (100, 192), (130, 257), (24, 2100), (7, 4501),
  ]

  private func ordinary(_ rows: Int, _ inputs: Int, tokens: Int) -> BF16Case {
    var numbers = Numbers(seed: UInt64(rows * 1000 + inputs))
    return BF16Case(rows: rows, inputs: inputs, tokens: tokens) {
      UInt16(numbers.float().bitPattern >> 16)
    }
  }

  @Test(arguments: sizes)
  func everyInstructionSetAndBatchGivesTheSameBits(size: (rows: Int, inputs: Int)) {
    let tokens = size.inputs > 1000 ? 7 : 141
    let matrix = ordinary(size.rows, size.inputs, tokens: tokens)
    let expected = bits(matrix.multiply(tokens: 0..<tokens, isa: BB_ISA_SCALAR))
    for isa in supportedISAs {
      #expect(bits(matrix.multiply(tokens: 0..<tokens, isa: isa)) == expected)
      let parts = (1...17).map { $0 % 4..<min($0 % 4 + $0, tokens) }
      for part in [0..<1, tokens - 1..<tokens] + parts {
        let found = bits(matrix.multiply(tokens: part, isa: isa))
        #expect(
          found == Array(expected[part.lowerBound * size.rows..<part.upperBound * size.rows]))
      }
    }
  }

  @Test(arguments: sizes)
  func followsTheRuleAndAgreesWithDoubleArithmetic(size: (rows: Int, inputs: Int)) {
    let matrix = ordinary(size.rows, size.inputs, tokens: 2)
    let y = matrix.multiply(tokens: 0..<2, isa: BB_ISA_SCALAR)
    func value(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
    var worst = 0.0
    for t in 0..<2 {
      for r in 0..<size.rows {
        let found = y[t * size.rows + r]
        #expect(found.bitPattern == matrix.sum(token: t, row: r).bitPattern)
        var (exact, magnitude) = (0.0, 1e-9)
        for k in 0..<size.inputs {
          let product =
            value(matrix.activations[t * matrix.stride + k])
            * value(matrix.weights[r * size.inputs + k])
          exact += product
          magnitude += abs(product)
        }
        worst = max(worst, abs(Double(found) - exact) / magnitude)
      }
    }
    #expect(worst < 1e-5)
  }

  /// Small ones whose products and sums fall below the normal numbers; any bits at all, with
  /// infinities and NaN.
  @Test(arguments: [true, false])
  func hardNumbersGiveTheSameBits(small: Bool) {
    var numbers = Numbers(seed: 5)
    let matrix = BF16Case(rows: 53, inputs: 9, tokens: 40) {
      let any = UInt16(truncatingIfNeeded: numbers.bits() >> 8)
      return small ? any & 0x807f | UInt16(40 + numbers.bits() % 40) << 7 : any
    }
    let expected = matrix.multiply(tokens: 0..<40, isa: BB_ISA_SCALAR)
    #expect(expected.contains { small ? $0 == 0 : $0.isNaN })
    #expect(expected.contains { $0 != 0 && $0.isFinite })
    let written = (0..<40).flatMap { t in (0..<53).map { matrix.sum(token: t, row: $0) } }
    #expect(bits(expected) == bits(written))
    for isa in supportedISAs {
      #expect(bits(matrix.multiply(tokens: 0..<40, isa: isa)) == bits(expected))
    }
  }

  /// Sizes that tiles divide, and that they do not; tokens that fill no tile, one, and more.
  @Test(arguments: [(16, 32, 1), (33, 64, 17), (50, 1088, 40), (31, 31, 9), (100, 96, 70)])
  func chainsAreTheSameOnEveryInstructionSet(rows: Int, inputs: Int, tokens: Int) {
    let matrix = ordinary(rows, inputs, tokens: tokens)
    let expected = matrix.multiply(
      tokens: 0..<tokens, isa: BB_ISA_SCALAR, as: BB_ACTIVATIONS_BF16_CHAINS)
    for (token, row) in [(0, 0), (tokens - 1, rows - 1), (tokens / 2, rows / 3)] {
      #expect(expected[token * rows + row] == matrix.chainedSum(token: token, row: row))
    }
    for isa in integerISAs {
      let found = matrix.multiply(tokens: 0..<tokens, isa: isa, as: BB_ACTIVATIONS_BF16_CHAINS)
      #expect(bits(found) == bits(expected), "\(isa)")
    }
  }

  @Test(arguments: [true, false])
  func hardNumbersGiveTheSameBitsInChains(small: Bool) {
    var numbers = Numbers(seed: 6)
    let matrix = BF16Case(rows: 53, inputs: 64, tokens: 33) {
      let any = UInt16(truncatingIfNeeded: numbers.bits() >> 8)
      return small ? any & 0x807f | UInt16(40 + numbers.bits() % 40) << 7 : any
    }
    let written = (0..<33).flatMap { t in
      (0..<53).map { matrix.chainedSum(token: t, row: $0) }
    }
    for isa in integerISAs where isa != BB_ISA_NEON {
      let found = matrix.multiply(tokens: 0..<33, isa: isa, as: BB_ACTIVATIONS_BF16_CHAINS)
      #expect(bits(found) == bits(written), "\(isa)")
    }
  }

  /// 2^-126 less a quarter or three quarters of a unit in the last place of the number below it.
  @Test func aSumJustBelowTheNormalNumbersIsRoundedBeforeItIsTakenForZero() {
    for (quarters, expected): (UInt16, Float) in [(0xbe80, .leastNormalMagnitude), (0xbf40, 0)] {
      // Pairs: 2^-126 * 1, then -quarters * 2^-76 * 2^-74.
      var numbers: [UInt16] = [0x0080, 0, quarters - 76 * 128, 0, 0x3f80, 0, (127 - 74) * 128, 0]
      numbers.reverse()
      let matrix = BF16Case(rows: 1, inputs: 4, tokens: 1) { numbers.removeLast() }
      for isa in supportedISAs where isa != BB_ISA_NEON {
        // The scalar twin does as its machine does.
        if isa == BB_ISA_SCALAR && bb_kernels_for(BB_ISA_NEON) != nil { continue }
        #expect(matrix.multiply(tokens: 0..<1, isa: isa) == [expected])
      }
    }
  }

  @Test func denormalNumbersAreThereAgainAfterwards() {
    let matrix = ordinary(16, 8, tokens: 1)
    for isa in supportedISAs {
      let product = matrix.multiply(tokens: 0..<1, isa: isa)[0]
      let half = Float(sign: .plus, exponent: -127, significand: product == .infinity ? 3 : 1)
      #expect(half + half == .leastNormalMagnitude)
    }
  }
}
