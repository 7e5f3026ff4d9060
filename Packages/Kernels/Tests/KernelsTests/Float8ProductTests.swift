import Kernels
import Testing

/// A matrix of 8-bit floats, one scale a row or group, and rows of activations.
private struct Float8Case {
  let rows: Int
  let inputs: Int
  let group: Int
  let codes: [UInt8]
  let scales: [Float]
  private var lines: [UInt8]
  private var groups: Int { (inputs + group - 1) / group }

  init(rows: Int, inputs: Int, group: Int, codes: [UInt8]? = nil) {
    (self.rows, self.inputs, self.group) = (rows, inputs, group)
    var numbers = Numbers(seed: UInt64(rows + 7 * inputs))
    self.codes = codes ?? (0..<rows * inputs).map { _ in Self.code(&numbers) }
    let (blocks, stride) = ((rows + 15) / 16, bb_block_bytes(BB_ROWS_FLOAT8, inputs))
    scales = numbers.floats(blocks * ((inputs + group - 1) / group) * 16)
    lines = [UInt8](repeating: 0, count: blocks * stride)
    for block in 0..<blocks {
      let count = min(16, rows - block * 16)
      let own = Array(self.codes[block * 16 * inputs..<(block * 16 + count) * inputs])
      lines.withUnsafeMutableBufferPointer { buffer in
        guard let target = buffer.baseAddress.map({ $0 + block * stride }) else { return }
        bb_format_of(BB_ROWS_FLOAT8).pointee.pack(own, count, inputs, target)
      }
    }
  }

  /// Any code but those of NaN.
  static func code(_ numbers: inout Numbers) -> UInt8 {
    let code = UInt8(truncatingIfNeeded: numbers.bits() >> 8)
    return code & 0x7f == 0x7f ? 0 : code
  }

  func weight(_ row: Int, _ input: Int) -> Double {
    let scale = scales[(row / 16 * groups + input / group) * 16 + row % 16]
    return Double(bb_float8_value(codes[row * inputs + input])) * Double(scale)
  }

  func with(_ body: (inout bb_matrix) -> Void) {
    lines.withUnsafeBufferPointer { lines in
      scales.withUnsafeBytes { scales in
        var matrix = bb_matrix()
        (matrix.format, matrix.rows, matrix.inputs) = (BB_ROWS_FLOAT8, rows, inputs)
        matrix.group = group
        matrix.lines = lines.baseAddress
        matrix.scales = scales.baseAddress?.assumingMemoryBound(to: UInt8.self)
        matrix.scale_format = BB_F32
        body(&matrix)
      }
    }
  }

  /// The product with floats as they are.
  func multiply(_ x: [Float], tokens: Int, isa: bb_isa) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * rows)
    with { matrix in
      x.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        var activations = bb_floats(x, inputs)
        bb_multiply(
          bb_kernels_for(isa), &matrix, &activations, tokens, &y, rows, 0, (rows + 15) / 16)
      }
    }
    return y
  }

  /// The product with 8-bit floats as BF16, `[tokens][inputs rounded up to 8]`.
  func multiply(_ values: [UInt16], _ scales: [Float], isa: bb_isa) -> [Float] {
    let (tokens, stride) = (scales.count, inputs.roundedUpTo8)
    var y = [Float](repeating: .nan, count: tokens * rows)
    with { matrix in
      values.withUnsafeBytes { values in
        scales.withUnsafeBufferPointer { scales in
          var activations = bb_activations(
            format: BB_ACTIVATIONS_BF16, values: values.baseAddress, stride: stride * 2,
            group: inputs, groups: 1, scales: scales.baseAddress, sums: nil)
          bb_multiply(
            bb_kernels_for(isa), &matrix, &activations, tokens, &y, rows, 0, (rows + 15) / 16)
        }
      }
    }
    return y
  }
}

extension Int {
  fileprivate var roundedUpTo8: Int { (self + 7) / 8 * 8 }
}

@Suite struct Float8ProductTests {
  static let sizes: [(rows: Int, inputs: Int, group: Int)] = [
    (1, 1, 1), (16, 8, 8), (17, 31, 31), (33, 64, 32), (100, 193, 128), (64, 514, 514),
    (80, 257, 257),
  ]

  /// Floats that are products of one rounding each, beside the same in F64.
  private func isNear(_ found: Float, _ terms: [Double]) -> Bool {
    let (sum, size) = (terms.reduce(0, +), terms.reduce(0) { $0 + abs($1) })
    return abs(Double(found) - sum) <= 2e-6 * (size + 1e-9)
  }

  @Test(arguments: sizes) func floatsGiveTheSameBitsEverywhere(
    size: (rows: Int, inputs: Int, group: Int)
  ) {
    let matrix = Float8Case(rows: size.rows, inputs: size.inputs, group: size.group)
    var numbers = Numbers(seed: 3)
    let (tokens, inputs) = (71, size.inputs)
    let x = numbers.floats(tokens * inputs)
    let expected = matrix.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
    for row in 0..<size.rows {
      let terms = (0..<inputs).map { matrix.weight(row, $0) * Double(x[70 * inputs + $0]) }
      #expect(isNear(expected[70 * size.rows + row], terms))
    }
    for isa in supportedISAs {
      #expect(matrix.multiply(x, tokens: tokens, isa: isa) == expected, "\(isa)")
      let alone = matrix.multiply(Array(x[3 * inputs..<4 * inputs]), tokens: 1, isa: isa)
      #expect(alone == Array(expected[3 * size.rows..<4 * size.rows]), "\(isa)")
    }
  }

  @Test(arguments: sizes) func tokensOf8BitFloatsGiveTheSameBitsEverywhere(
    size: (rows: Int, inputs: Int, group: Int)
  ) {
    let (rows, inputs) = (size.rows, size.inputs)
    let matrix = Float8Case(rows: rows, inputs: inputs, group: inputs)
    var numbers = Numbers(seed: 4)
    let (tokens, stride) = (101, inputs.roundedUpTo8)
    var values = [UInt16](repeating: 0, count: tokens * stride)
    for token in 0..<tokens {
      for input in 0..<inputs {
        let value = bb_float8_value(Float8Case.code(&numbers))
        values[token * stride + input] = UInt16(value.bitPattern >> 16)
      }
    }
    let scales = numbers.floats(tokens)
    let expected = matrix.multiply(values, scales, isa: BB_ISA_SCALAR)
    for token in [0, 100] {
      for row in 0..<rows {
        let terms = (0..<inputs).map { input in
          matrix.weight(row, input) * Double(scales[token])
            * Double(Float(bitPattern: UInt32(values[token * stride + input]) << 16))
        }
        #expect(isNear(expected[token * rows + row], terms))
      }
    }
    for isa in supportedISAs {
      #expect(matrix.multiply(values, scales, isa: isa) == expected, "\(isa)")
      for count in Array(1...17) + [49] {
        let some = matrix.multiply(
          Array(values[..<(count * stride)]), Array(scales[..<count]), isa: isa)
        #expect(some == Array(expected[..<(count * rows)]), "\(isa), \(count) tokens")
      }
    }
  }

  /// Row r holds code r at one input and 0 elsewhere, so that its product is the value of the code.
  @Test func everyCodeHasItsValueInEveryPlaceOfALine() {
    let codes = (0...UInt8.max).filter { $0 & 0x7f != 0x7f }
    for place in 0..<4 {
      let matrix = Float8Case(
        rows: codes.count, inputs: 4, group: 4,
        codes: codes.flatMap { code in (0..<4).map { $0 == place ? code : 0 } })
      let x = (0..<4).map { Float($0 == place ? 1 : 0) }
      for isa in supportedISAs {
        let found = matrix.multiply(x, tokens: 1, isa: isa)
        for (row, code) in codes.enumerated() {
          #expect(found[row] == bb_float8_value(code) * matrix.scales[row], "\(isa), code \(code)")
        }
      }
    }
  }

  @Test func productsWithIntegersDoNotExist() {
    for isa in supportedISAs {
      let table = bb_kernels_for(isa)!
      for activations in [BB_ACTIVATIONS_INT8, BB_ACTIVATIONS_INT16, BB_ACTIVATIONS_BF16_CHAINS] {
        #expect(bb_has_product(table, BB_ROWS_FLOAT8, activations) == 0)
      }
    }
  }
}
