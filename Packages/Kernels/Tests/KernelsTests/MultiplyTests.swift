import Kernels
import Testing

/// Instruction sets this machine can run; the scalar twin always.
let supportedISAs: [bb_isa] = [
  BB_ISA_SCALAR, BB_ISA_AVX2, BB_ISA_AVXVNNI, BB_ISA_AVX512, BB_ISA_AVX512BF16, BB_ISA_AMX,
  BB_ISA_NEON,
].filter { bb_kernels_for($0) != nil }
/// Those whose products of codes are compared: beside them, tile registers in plain C.
let integerISAs = supportedISAs + [BB_ISA_TILE_MODEL]

/// Pseudo-random numbers that are the same in every run.
struct Numbers {
  var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func bits() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
  mutating func float() -> Float { Float(Int(bits() % 20001) - 10000) / 7000 }
  mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in float() } }
}

/// A packed matrix with the plain weights it stands for.
struct PackedCase {
  let format: bb_row_format
  let rows: Int
  let inputs: Int
  let group: Int
  var lines: [UInt8] = []
  var scales: [Float] = []
  var zeros: [Float] = []
  /// What codes are counted from where no row has a zero of its own.
  var zero: Float
  var weights: [Double] = []

  init(
    format: bb_row_format, rows: Int, inputs: Int, group: Int, zeros withZeros: Bool,
    offMiddle: Float = 0, code: UInt8? = nil
  ) {
    self.format = format
    zero = (format == BB_ROWS_INT4 ? 8 : 128) + offMiddle
    self.rows = rows
    self.inputs = inputs
    self.group = group
    var numbers = Numbers(seed: UInt64(rows * 1000 + inputs))
    let blocks = (rows + 15) / 16
    let groups = (inputs + group - 1) / group
    let traits = bb_format_of(format).pointee
    let stride = bb_block_bytes(format, inputs)
    lines = [UInt8](repeating: 0, count: blocks * stride)
    weights = [Double](repeating: 0, count: rows * inputs)
    let integer = traits.coded != 0
    scales = integer ? numbers.floats(blocks * groups * 16) : []
    let levels: UInt64 = format == BB_ROWS_INT4 ? 16 : 256
    if integer && withZeros {
      zeros = (0..<scales.count).map { _ in Float(numbers.bits() % levels) }
    }
    for block in 0..<blocks {
      let count = min(16, rows - block * 16)
      lines.withUnsafeMutableBufferPointer { buffer in
        guard let target = buffer.baseAddress.map({ $0 + block * stride }) else { return }
        if integer {
          let codes = (0..<count * inputs).map { _ in code ?? UInt8(numbers.bits() % levels) }
          traits.pack(codes, count, inputs, target)
          for row in 0..<count {
            for k in 0..<inputs {
              let at = (block * groups + k / group) * 16 + row
              let zero = zeros.isEmpty ? self.zero : zeros[at]
              weights[(block * 16 + row) * inputs + k] =
                Double(scales[at]) * Double(Float(codes[row * inputs + k]) - zero)
            }
          }
        } else {
          let values = numbers.floats(count * inputs)
          let storage = format == BB_ROWS_F32 ? BB_F32 : format == BB_ROWS_F16 ? BB_F16 : BB_BF16
          var stored = [UInt8](repeating: 0, count: values.count * 4)
          bb_kernels_for(BB_ISA_SCALAR).pointee.narrow(values, storage, &stored, values.count)
          traits.pack(stored, count, inputs, target)
          var widened = [Float](repeating: 0, count: values.count)
          bb_kernels_for(BB_ISA_SCALAR).pointee.widen(stored, storage, &widened, values.count)
          for at in values.indices { weights[block * 16 * inputs + at] = Double(widened[at]) }
        }
      }
    }
  }

  func withMatrix(_ body: (bb_matrix) -> Void) {
    lines.withUnsafeBufferPointer { lines in
      scales.withUnsafeBytes { scales in
        zeros.withUnsafeBufferPointer { zeros in
          var matrix = bb_matrix()
          matrix.format = format
          matrix.rows = rows
          matrix.inputs = inputs
          matrix.group = group
          matrix.lines = lines.baseAddress
          matrix.scales = scales.baseAddress?.assumingMemoryBound(to: UInt8.self)
          matrix.scale_format = BB_F32
          matrix.zeros = zeros.isEmpty ? nil : zeros.baseAddress
          matrix.zero = zero
          body(matrix)
        }
      }
    }
  }

  func multiply(_ x: [Float], tokens: Int, isa: bb_isa) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * rows)
    withMatrix { matrix in
      x.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        var (matrix, activations) = (matrix, bb_floats(x, inputs))
        bb_multiply(
          bb_kernels_for(isa), &matrix, &activations, tokens, &y, rows, 0, (rows + 15) / 16)
      }
    }
    return y
  }
}

@Suite struct MultiplyTests {
  static let formats = [
    BB_ROWS_F32, BB_ROWS_F16, BB_ROWS_BF16, BB_ROWS_INT8, BB_ROWS_INT4,
  ]
  static let sizes: [(rows: Int, inputs: Int, group: Int)] = [
    (1, 1, 8), (16, 8, 8), (17, 31, 8), (33, 64, 32), (100, 192, 128), (64, 256, 64),
    (80, 257, 128), (48, 525, 264),
  ]

  /// F32 sums of a few hundred products of size 1 against the same in F64.
  static let relativeTolerance = 2e-6

  @Test(arguments: formats, sizes)
  func agreesWithDoubleArithmetic(
    format: bb_row_format, size: (rows: Int, inputs: Int, group: Int)
  ) {
    for withZeros in [false, true] {
      let packed = PackedCase(
        format: format, rows: size.rows, inputs: size.inputs, group: size.group, zeros: withZeros)
      let tokens = 5
      var numbers = Numbers(seed: 7)
      let x = numbers.floats(tokens * size.inputs)
      let y = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
      var worst = 0.0
      for t in 0..<tokens {
        for r in 0..<size.rows {
          var exact = 0.0
          var magnitude = 1e-9
          for k in 0..<size.inputs {
            let product = Double(x[t * size.inputs + k]) * packed.weights[r * size.inputs + k]
            exact += product
            magnitude += abs(product)
          }
          worst = max(worst, abs(Double(y[t * size.rows + r]) - exact) / magnitude)
        }
      }
      #expect(worst < Self.relativeTolerance)
    }
  }

  /// A zero for each row, and one for all that is a whole number or not.
  @Test(arguments: formats, sizes)
  func everyInstructionSetAndBatchGivesTheSameBits(
    format: bb_row_format, size: (rows: Int, inputs: Int, group: Int)
  ) {
    for (zeros, offMiddle) in [(true, 0), (false, 0), (false, -3), (false, 0.3)] as [(Bool, Float)]
    {
      if bb_format_of(format).pointee.coded == 0 && !zeros { continue }
      compare(
        PackedCase(
          format: format, rows: size.rows, inputs: size.inputs, group: size.group, zeros: zeros,
          offMiddle: offMiddle), size)
    }
  }

  private func compare(_ packed: PackedCase, _ size: (rows: Int, inputs: Int, group: Int)) {
    let tokens = 71
    var numbers = Numbers(seed: 11)
    let x = numbers.floats(tokens * size.inputs)
    let expected = packed.multiply(x, tokens: tokens, isa: BB_ISA_SCALAR)
    for isa in supportedISAs {
      let all = packed.multiply(x, tokens: tokens, isa: isa)
      #expect(all == expected)
      for t in [0, 3, 70] {
        let row = Array(x[t * size.inputs..<(t + 1) * size.inputs])
        let alone = packed.multiply(row, tokens: 1, isa: isa)
        #expect(alone == Array(expected[t * size.rows..<(t + 1) * size.rows]))
      }
    }
  }

  @Test(arguments: formats, [false, true])
  func aRowCopiedIsWhatWasPacked(format: bb_row_format, zeros: Bool) {
    let inputs = 37
    let packed = PackedCase(format: format, rows: 21, inputs: inputs, group: 8, zeros: zeros)
    packed.withMatrix { matrix in
      var matrix = matrix
      for row in [0, 5, 15, 16, 20] {
        var values = [Float](repeating: .nan, count: inputs)
        bb_copy_row(&matrix, row, &values)
        let expected = packed.weights[row * inputs..<(row + 1) * inputs]
        #expect(values == expected.map { Float($0) })
      }
    }
  }

  @Test func productsThatDoNotExistAreKnown() {
    for isa in supportedISAs {
      let table = bb_kernels_for(isa)
      for format in Self.formats {
        #expect(bb_has_product(table!, format, BB_ACTIVATIONS_F32) != 0)
        let isCoded = bb_format_of(format).pointee.coded != 0
        #expect((bb_has_product(table!, format, BB_ACTIVATIONS_INT8) != 0) == isCoded)
        #expect((bb_has_product(table!, format, BB_ACTIVATIONS_INT16) != 0) == isCoded)
        let isBF16 = format == BB_ROWS_BF16
        #expect((bb_has_product(table!, format, BB_ACTIVATIONS_BF16) != 0) == isBF16)
      }
    }
  }
}
