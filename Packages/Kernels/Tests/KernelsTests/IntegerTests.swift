import Kernels
import Testing

/// Rows of activations rounded to 8 bits by one instruction set.
struct RoundedRows: Equatable {
  let group: Int
  let groups: Int
  let stride: Int
  var codes: [Int8]
  var scales: [Float]
  var sums: [Int32]

  init(_ x: [Float], width: Int, group: Int, isa: bb_isa) {
    let tokens = x.count / width
    self.group = group
    groups = (width + group - 1) / group
    stride = (width + 7) / 8 * 8
    codes = [Int8](repeating: 99, count: tokens * stride)
    scales = [Float](repeating: -1, count: tokens * groups)
    sums = [Int32](repeating: -1, count: tokens * groups)
    x.withUnsafeBufferPointer { x in
      codes.withUnsafeMutableBufferPointer { codes in
        scales.withUnsafeMutableBufferPointer { scales in
          sums.withUnsafeMutableBufferPointer { sums in
            guard let x = x.baseAddress, let codes = codes.baseAddress,
              let scales = scales.baseAddress, let sums = sums.baseAddress
            else { return }
            for t in 0..<tokens {
              bb_kernels_for(isa).pointee.quantize(
                x + t * width, width, group, codes + t * stride, scales + t * groups,
                sums + t * groups)
            }
          }
        }
      }
    }
  }

  /// Activation `k` of row `t` as rounded.
  func value(_ t: Int, _ k: Int) -> Double {
    Double(scales[t * groups + k / group]) * Double(codes[t * stride + k])
  }
}

extension PackedCase {
  func multiply(_ x: RoundedRows, tokens: Int, from first: Int = 0, isa: bb_isa) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * rows)
    withMatrix { matrix in
      x.codes.withUnsafeBufferPointer { codes in
        x.scales.withUnsafeBufferPointer { scales in
          x.sums.withUnsafeBufferPointer { sums in
            guard let codes = codes.baseAddress, let scales = scales.baseAddress,
              let sums = sums.baseAddress
            else { return }
            var matrix = matrix
            var activations = bb_activations(
              format: BB_ACTIVATIONS_INT8, values: codes + first * x.stride, stride: x.stride,
              group: x.group, groups: x.groups, scales: scales + first * x.groups,
              sums: sums + first * x.groups)
            bb_multiply(
              bb_kernels_for(isa), &matrix, &activations, tokens, &y, rows, 0, (rows + 15) / 16)
          }
        }
      }
    }
    return y
  }
}

@Suite struct IntegerTests {
  static let formats = [BB_ROWS_INT8, BB_ROWS_INT4]
  /// Short groups, groups that are whole rows, and rows longer than one pass takes.
  static let sizes: [(rows: Int, inputs: Int, group: Int)] = [
    (1, 1, 8), (16, 8, 8), (17, 31, 8), (33, 64, 32), (100, 192, 128), (130, 257, 128),
    (48, 300, 4096), (40, 520, 256), (24, 200, 72), (80, 4500, 128), (7, 5000, 8192),
  ]

  @Test(arguments: [1, 5, 16, 31, 129], [8, 32, 128])
  func roundingIsWithinHalfAStepOnEveryInstructionSet(width: Int, group: Int) {
    var numbers = Numbers(seed: UInt64(width))
    let x = numbers.floats(width * 3)
    let scalar = RoundedRows(x, width: width, group: group, isa: BB_ISA_SCALAR)
    for t in 0..<3 {
      for g in 0..<scalar.groups {
        let part = g * group..<min((g + 1) * group, width)
        let step = (part.map { abs(x[t * width + $0]) }.max() ?? 0) / 127
        #expect(scalar.scales[t * scalar.groups + g] == step)
        let sum = part.reduce(0) { $0 + Int(scalar.codes[t * scalar.stride + $1]) }
        #expect(scalar.sums[t * scalar.groups + g] == Int32(sum))
        let near = part.allSatisfy {
          abs(scalar.value(t, $0) - Double(x[t * width + $0])) <= Double(step) * 0.50001
        }
        #expect(near)
      }
      #expect((width..<scalar.stride).allSatisfy { scalar.codes[t * scalar.stride + $0] == 0 })
    }
    for isa in supportedISAs {
      #expect(RoundedRows(x, width: width, group: group, isa: isa) == scalar)
    }
  }

  @Test func whatIsNoNumberStaysVisible() {
    for isa in supportedISAs {
      for bad in [Float.nan, .infinity, -.infinity] {
        var x = [Float](repeating: 1, count: 32)
        x[20] = bad
        let rounded = RoundedRows(x, width: 32, group: 16, isa: isa)
        #expect(rounded.scales[0] == Float(1) / 127)
        #expect(rounded.scales[1].isNaN)
      }
      let tiny = RoundedRows([0, 0, .leastNonzeroMagnitude, 0], width: 4, group: 8, isa: isa)
      #expect(tiny.codes.allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: formats, sizes)
  func agreesWithDoubleArithmetic(
    format: bb_row_format, size: (rows: Int, inputs: Int, group: Int)
  ) {
    for withZeros in [false, true] {
      let packed = PackedCase(
        format: format, rows: size.rows, inputs: size.inputs, group: size.group, zeros: withZeros)
      let tokens = 3
      var numbers = Numbers(seed: 7)
      let x = RoundedRows(
        numbers.floats(tokens * size.inputs), width: size.inputs,
        group: bb_activation_group(size.group, size.inputs), isa: BB_ISA_SCALAR)
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
    format: bb_row_format, size: (rows: Int, inputs: Int, group: Int)
  ) {
    for withZeros in [false, true] {
      let packed = PackedCase(
        format: format, rows: size.rows, inputs: size.inputs, group: size.group, zeros: withZeros)
      let tokens = size.inputs > 1000 ? 11 : 133
      var numbers = Numbers(seed: 11)
      let x = RoundedRows(
        numbers.floats(tokens * size.inputs), width: size.inputs,
        group: bb_activation_group(size.group, size.inputs), isa: BB_ISA_SCALAR)
      let expected = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
      for isa in supportedISAs {
        #expect(packed.multiply(x, tokens: tokens, isa: isa) == expected)
        for (first, count) in [(0, 1), (tokens - 1, 1), (3, 7)] {
          let part = packed.multiply(x, tokens: count, from: first, isa: isa)
          #expect(part == Array(expected[first * size.rows..<(first + count) * size.rows]))
        }
      }
    }
  }
}
