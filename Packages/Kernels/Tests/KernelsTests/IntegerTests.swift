import Kernels
import Testing

/// Rows of activations quantized to 8 or 16 bits by one instruction set.
struct QuantizedRows: Equatable {
  let format: bb_activation_format
  let group: Int
  let groups: Int
  /// Codes of a row.
  let stride: Int
  /// Codes of 8 bits, or nothing.
  var bytes: [Int8] = []
  /// Codes of 16 bits, or nothing.
  var words: [Int16] = []
  var scales: [Float]
  var sums: [Int32]

  init(_ x: [Float], width: Int, group: Int, format: bb_activation_format, isa: bb_isa) {
    let tokens = x.count / width
    self.format = format
    self.group = group
    groups = (width + group - 1) / group
    stride = (width + 7) / 8 * 8
    scales = [Float](repeating: -1, count: tokens * groups)
    sums = [Int32](repeating: -1, count: tokens * groups)
    let kernels = bb_kernels_for(isa).pointee
    if format == BB_ACTIVATIONS_INT16 {
      words = [Int16](repeating: 99, count: tokens * stride)
    } else {
      bytes = [Int8](repeating: 99, count: tokens * stride)
    }
    for t in 0..<tokens {
      var row = Array(x[t * width..<(t + 1) * width])
      var found = [Float](repeating: -1, count: groups)
      var totals = [Int32](repeating: -1, count: groups)
      if format == BB_ACTIVATIONS_INT16 {
        var codes = [Int16](repeating: 99, count: stride)
        kernels.quantize16(&row, width, group, &codes, &found, &totals)
        words.replaceSubrange(t * stride..<(t + 1) * stride, with: codes)
      } else {
        var codes = [Int8](repeating: 99, count: stride)
        kernels.quantize(&row, width, group, &codes, &found, &totals)
        bytes.replaceSubrange(t * stride..<(t + 1) * stride, with: codes)
      }
      scales.replaceSubrange(t * groups..<(t + 1) * groups, with: found)
      sums.replaceSubrange(t * groups..<(t + 1) * groups, with: totals)
    }
  }

  /// The largest code.
  var largest: Float { format == BB_ACTIVATIONS_INT16 ? 32767 : 127 }

  /// The code of activation `k` of row `t`.
  func code(_ t: Int, _ k: Int) -> Int {
    let exchanged = [0, 2, 1, 3]
    return format == BB_ACTIVATIONS_INT16
      ? Int(words[t * stride + k / 4 * 4 + exchanged[k % 4]]) : Int(bytes[t * stride + k])
  }

  /// Activation `k` of row `t` as quantized.
  func value(_ t: Int, _ k: Int) -> Double {
    Double(scales[t * groups + k / group]) * Double(code(t, k))
  }
}

extension PackedCase {
  func multiply(_ x: QuantizedRows, tokens: Int, from first: Int = 0, isa: bb_isa) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * rows)
    let size = x.format == BB_ACTIVATIONS_INT16 ? 2 : 1
    withMatrix { matrix in
      x.bytes.withUnsafeBytes { bytes in
        x.words.withUnsafeBytes { words in
          x.scales.withUnsafeBufferPointer { scales in
            x.sums.withUnsafeBufferPointer { sums in
              guard let codes = (size == 2 ? words : bytes).baseAddress,
                let scales = scales.baseAddress, let sums = sums.baseAddress
              else { return }
              var matrix = matrix
              var activations = bb_activations(
                format: x.format, values: codes + first * x.stride * size, stride: x.stride * size,
                group: x.group, groups: x.groups, scales: scales + first * x.groups,
                sums: sums + first * x.groups)
              bb_multiply(
                bb_kernels_for(isa), &matrix, &activations, tokens, &y, rows, 0, (rows + 15) / 16)
            }
          }
        }
      }
    }
    return y
  }
}

@Suite struct IntegerTests {
  /// Weights and activations.
  static let formats = [BB_ROWS_INT8, BB_ROWS_INT4].flatMap { weights in
    [BB_ACTIVATIONS_INT8, BB_ACTIVATIONS_INT16].map { (weights: weights, activations: $0) }
  }
  /// Short groups, groups that are whole rows, and rows longer than one pass takes.
  static let sizes: [(rows: Int, inputs: Int, group: Int)] = [
    (1, 1, 8), (16, 8, 8), (17, 31, 8), (33, 64, 32), (100, 192, 128), (130, 257, 128),
    (48, 300, 4096), (40, 520, 256), (24, 200, 72), (80, 4500, 128), (7, 5000, 8192),
    (31, 96, 32), (65, 640, 64), (20, 1088, 4096),
  ]

  @Test(arguments: [1, 5, 16, 31, 129], [8, 32, 128])
  func quantizingIsWithinHalfAStepOnEveryInstructionSet(width: Int, group: Int) {
    for format in [BB_ACTIVATIONS_INT8, BB_ACTIVATIONS_INT16] {
      quantize(width: width, group: group, format: format)
    }
  }

  private func quantize(width: Int, group: Int, format: bb_activation_format) {
    var numbers = Numbers(seed: UInt64(width))
    let x = numbers.floats(width * 3)
    let scalar = QuantizedRows(x, width: width, group: group, format: format, isa: BB_ISA_SCALAR)
    for t in 0..<3 {
      for g in 0..<scalar.groups {
        let part = g * group..<min((g + 1) * group, width)
        let step = (part.map { abs(x[t * width + $0]) }.max() ?? 0) / scalar.largest
        #expect(scalar.scales[t * scalar.groups + g] == step)
        let sum = part.reduce(0) { $0 + scalar.code(t, $1) }
        #expect(scalar.sums[t * scalar.groups + g] == Int32(sum))
        let near = part.allSatisfy {
          abs(scalar.value(t, $0) - Double(x[t * width + $0]))
            <= Double(step) * (format == BB_ACTIVATIONS_INT16 ? 0.502 : 0.50001)
        }
        #expect(near)
      }
      #expect((width..<scalar.stride).allSatisfy { scalar.code(t, $0) == 0 })
    }
    for isa in supportedISAs {
      let other = QuantizedRows(x, width: width, group: group, format: format, isa: isa)
      #expect(other == scalar)
    }
  }

  /// Every code, and tails.
  @Test(arguments: [8, 4], [1, 7, 16, 100, 255])
  func codesAreRoundedAgain(bits: Int, count: Int) {
    let codes = (0..<count).map { Int8($0 - 127) }
    let middle = 1 << (bits - 1)
    let expected = codes.map { code in
      Int((Double(code) * Double(middle - 1) / 127).rounded(.toNearestOrEven))
    }
    for isa in supportedISAs {
      var found = [UInt8](repeating: 0, count: count)
      let squares = bb_kernels_for(isa).pointee.recode(codes, count, UInt32(bits), &found)
      #expect(found.map { Int($0) - middle } == expected)
      #expect(Int(squares) == expected.reduce(0) { $0 + $1 * $1 })
    }
  }

  @Test func whatIsNoNumberStaysVisible() {
    for isa in supportedISAs {
      for format in [BB_ACTIVATIONS_INT8, BB_ACTIVATIONS_INT16] {
        for bad in [Float.nan, .infinity, -.infinity] {
          var x = [Float](repeating: 1, count: 32)
          x[20] = bad
          let rows = QuantizedRows(x, width: 32, group: 16, format: format, isa: isa)
          #expect(rows.scales[0] == Float(1) / rows.largest)
          #expect(rows.scales[1].isNaN)
        }
        let tiny = QuantizedRows(
          [0, 0, .leastNonzeroMagnitude, 0], width: 4, group: 8, format: format, isa: isa)
        #expect((0..<4).allSatisfy { tiny.code(0, $0) == 0 })
      }
    }
  }

  @Test(arguments: formats, sizes)
  func agreesWithDoubleArithmetic(
    format: (weights: bb_row_format, activations: bb_activation_format),
    size: (rows: Int, inputs: Int, group: Int)
  ) {
    for withZeros in [false, true] {
      let packed = PackedCase(
        format: format.weights, rows: size.rows, inputs: size.inputs, group: size.group,
        zeros: withZeros)
      let tokens = 3
      var numbers = Numbers(seed: 7)
      let x = QuantizedRows(
        numbers.floats(tokens * size.inputs), width: size.inputs,
        group: bb_activation_group(size.group, size.inputs), format: format.activations,
        isa: BB_ISA_SCALAR)
      let y = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
      var worst = 0.0
      for t in 0..<tokens {
        for r in 0..<size.rows {
          var exact = 0.0
          var magnitude = 1e-9
          for k in 0..<size.inputs {
            let product = x.value(t, k) * packed.weights[r * size.inputs + k]
            exact += product
            magnitude += abs(product)
          }
          worst = max(worst, abs(Double(y[t * size.rows + r]) - exact) / magnitude)
        }
      }
      #expect(worst < 1e-6)
    }
  }

  @Test(arguments: formats, sizes)
  func everyInstructionSetAndBatchGivesTheSameBits(
    format: (weights: bb_row_format, activations: bb_activation_format),
    size: (rows: Int, inputs: Int, group: Int)
  ) {
    for withZeros in [false, true] {
      let packed = PackedCase(
        format: format.weights, rows: size.rows, inputs: size.inputs, group: size.group,
        zeros: withZeros)
      let tokens = size.inputs > 1000 ? 11 : 133
      var numbers = Numbers(seed: 11)
      let x = QuantizedRows(
        numbers.floats(tokens * size.inputs), width: size.inputs,
        group: bb_activation_group(size.group, size.inputs), format: format.activations,
        isa: BB_ISA_SCALAR)
      let expected = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
      for isa in integerISAs {
        let most = isa == BB_ISA_TILE_MODEL ? min(tokens, 37) : tokens
        let found = packed.multiply(x, tokens: most, isa: isa)
        #expect(found.elementsEqual(expected.prefix(most * size.rows)))
        let parts = [(0, 1), (tokens - 1, 1)] + (1...17).map { ($0 % 4, min($0, tokens - $0 % 4)) }
        for (first, count) in parts {
          let part = packed.multiply(x, tokens: count, from: first, isa: isa)
          #expect(part == Array(expected[first * size.rows..<(first + count) * size.rows]))
        }
      }
    }
  }

  /// One scale a token and one a row: a single sum of integers, whatever its length, in all
  /// instruction sets and batches.
  @Test(arguments: [BB_ROWS_INT8, BB_ROWS_INT4], [5, 64, 129, 1000, 4500])
  func oneScaleATokenMakesOneSum(weights: bb_row_format, inputs: Int) {
    let (rows, tokens) = (inputs > 1000 ? 20 : 53, 35)
    let packed = PackedCase(
      format: weights, rows: rows, inputs: inputs, group: inputs, zeros: false)
    var numbers = Numbers(seed: 13)
    let x = QuantizedRows(
      numbers.floats(tokens * inputs), width: inputs, group: inputs,
      format: BB_ACTIVATIONS_INT8, isa: BB_ISA_SCALAR)
    let expected = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
    for t in [0, tokens - 1] {
      for r in 0..<rows {
        let sum = (0..<inputs).reduce(0.0) {
          $0 + x.value(t, $1) * packed.weights[r * inputs + $1]
        }
        #expect(abs(Double(expected[t * rows + r]) - sum) <= 1e-6 * abs(sum) + 1e-3)
      }
    }
    for isa in supportedISAs {
      #expect(packed.multiply(x, tokens: tokens, isa: isa) == expected)
      #expect(
        packed.multiply(x, tokens: 1, from: 4, isa: isa)
          == Array(expected[4 * rows..<5 * rows]))
    }
  }

  /// The largest sums that a group can have: all codes and activations at their ends.
  @Test(arguments: formats, [128, 256])
  func theLargestSumsFit(
    format: (weights: bb_row_format, activations: bb_activation_format), group: Int
  ) {
    let tokens = 7
    let packed = PackedCase(
      format: format.weights, rows: 16, inputs: group, group: group, zeros: true,
      code: format.weights == BB_ROWS_INT4 ? 15 : 255)
    for sign in [Float(1), -1] {
      var x = QuantizedRows(
        [Float](repeating: sign, count: tokens * group), width: group, group: group,
        format: format.activations, isa: BB_ISA_SCALAR)
      if sign < 0, format.activations == BB_ACTIVATIONS_INT8 {
        x.bytes = x.bytes.map { _ in -128 }
        x.sums = x.sums.map { _ in Int32(-128 * group) }
      }
      let expected = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
      for isa in integerISAs {
        #expect(packed.multiply(x, tokens: tokens, isa: isa) == expected)
        #expect(packed.multiply(x, tokens: 1, isa: isa) == Array(expected.prefix(16)))
      }
      for row in 0..<16 {
        let sum = (0..<group).reduce(0) { $0 + packed.weights[row * group + $1] * x.value(0, $1) }
        #expect(abs(Double(expected[row]) - sum) <= 1e-6 * abs(sum) + 1e-3)
      }
    }
  }
}
