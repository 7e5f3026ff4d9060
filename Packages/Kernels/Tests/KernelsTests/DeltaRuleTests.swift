import Foundation
import Kernels
import Testing

/// The parts of a gated delta rule against plain F64, and all instruction sets against the scalar
/// one, bit for bit.
@Suite struct DeltaRuleTests {
  /// Tokens of one head among other numbers, as a projection lays them out.
  struct Head {
    let rows: Int
    let columns: Int
    let tokens: Int
    let stride: Int
    var mixed: [Float]
    var decay: [Float]
    var strength: [Float]
    var state: [Float]

    init(rows: Int, columns: Int, tokens: Int) {
      (self.rows, self.columns, self.tokens) = (rows, columns, tokens)
      stride = 2 * rows + columns + 3
      var numbers = Numbers(seed: UInt64(rows * 1000 + columns * 10 + tokens))
      mixed = numbers.floats(tokens * stride).map { $0 / Float(rows).squareRoot() }
      decay = (0..<tokens).map { _ in abs(numbers.float()) / 2 }
      strength = (0..<tokens).map { _ in abs(numbers.float()) / 1.5 }
      state = [Float](repeating: 0, count: (columns + 15) / 16 * 16 * rows)
      for row in 0..<rows {
        for column in 0..<columns { state[place(row, column)] = numbers.float() }
      }
    }

    func place(_ row: Int, _ column: Int) -> Int {
      (column / 16 * rows + row) * 16 + column % 16
    }

    /// Outputs `[tokens, columns]`, then the state; the tokens in calls of `piece`.
    func run(_ table: bb_kernel_table, piece: Int) -> [Float] {
      var state = state
      var output = [Float](repeating: .nan, count: tokens * columns)
      for first in Swift.stride(from: 0, to: tokens, by: piece) {
        mixed.withUnsafeBufferPointer { mixed in
          decay.withUnsafeBufferPointer { decay in
            strength.withUnsafeBufferPointer { strength in
              output.withUnsafeMutableBufferPointer { output in
                guard let mixed = mixed.baseAddress, let decay = decay.baseAddress,
                  let strength = strength.baseAddress, let output = output.baseAddress
                else { return }
                let row = mixed + first * self.stride
                var tokens = bb_delta_tokens(
                  query: row, key: row + rows, value: row + 2 * rows, ld: self.stride,
                  decay: decay + first, strength: strength + first, ld_decay: 1, ld_strength: 1,
                  output: output + first * columns, ld_output: columns)
                table.delta_rule(&tokens, min(piece, self.tokens - first), rows, columns, &state)
              }
            }
          }
        }
      }
      return output + state
    }

    /// The same by the formulas, in F64.
    var expected: [Double] {
      var state = state.map(Double.init)
      var output: [Double] = []
      for token in 0..<tokens {
        let at = token * stride
        let query = mixed[at..<at + rows].map(Double.init)
        let key = mixed[at + rows..<at + 2 * rows].map(Double.init)
        for index in state.indices { state[index] *= Double(decay[token]) }
        for column in 0..<columns {
          let held = (0..<rows).reduce(0) { $0 + state[place($1, column)] * key[$1] }
          let change =
            Double(strength[token]) * (Double(mixed[at + 2 * rows + column]) - held)
          for row in 0..<rows { state[place(row, column)] += key[row] * change }
          output.append((0..<rows).reduce(0) { $0 + state[place($1, column)] * query[$1] })
        }
      }
      return output + state
    }
  }

  @Test(arguments: [1, 2, 15, 16, 33, 128], [1, 12, 16, 24, 40, 128])
  func deltaRule(rows: Int, columns: Int) {
    let head = Head(rows: rows, columns: columns, tokens: 70)
    let found = head.run(bb_kernels_for(BB_ISA_SCALAR).pointee, piece: 70)
    let worst = zip(found, head.expected).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst < 2e-5)
    // Idle columns stay 0: they may hold no stray numbers that later tokens would read.
    let state = found.suffix(head.state.count)
    #expect(zip(state, head.expected.suffix(head.state.count)).allSatisfy { $1 != 0 || $0 == 0 })
    for isa in supportedISAs {
      for piece in [70, 1, 17, 64] {
        let other = head.run(bb_kernels_for(isa).pointee, piece: piece)
        #expect(other.map(\.bitPattern) == found.map(\.bitPattern))
      }
    }
  }

  @Test(arguments: [1, 2, 4, 8], [1, 15, 16, 17, 64])
  func causalConvolution(taps: Int, channels: Int) {
    let (tokens, stride) = (11, channels + 2)
    var numbers = Numbers(seed: UInt64(taps * 100 + channels))
    let x = numbers.floats(tokens * stride)
    let weights = numbers.floats(taps * channels)
    let before = numbers.floats((taps - 1) * channels + 1)

    func run(_ table: bb_kernel_table, piece: Int) -> [Float] {
      var (x, before) = (x, before)
      x.withUnsafeMutableBufferPointer { x in
        guard let base = x.baseAddress else { return }
        for first in Swift.stride(from: 0, to: tokens, by: piece) {
          table.causal_convolution(
            base + first * stride, min(piece, tokens - first), stride, weights, channels, &before,
            channels, taps, channels)
        }
      }
      return x + before
    }
    let found = run(bb_kernels_for(BB_ISA_SCALAR).pointee, piece: tokens)
    func input(_ token: Int, _ channel: Int) -> Float {
      token < 0
        ? before[(token + taps - 1) * channels + channel] : x[token * stride + channel]
    }
    for channel in 0..<channels {
      for token in 0..<tokens {
        let sum = (0..<taps).reduce(0.0) {
          $0 + Double(weights[$1 * channels + channel])
            * Double(input(token - taps + 1 + $1, channel))
        }
        #expect(abs(Double(found[token * stride + channel]) - sum / (1 + exp(-sum))) < 1e-5)
      }
      for tap in 0..<taps - 1 {
        let kept = found[x.count + tap * channels + channel]
        #expect(kept == input(tokens - taps + 1 + tap, channel))
      }
    }
    #expect(found.last == before.last)
    for isa in supportedISAs {
      for piece in [tokens, 1, 4] {
        let other = run(bb_kernels_for(isa).pointee, piece: piece)
        #expect(other.map(\.bitPattern) == found.map(\.bitPattern))
      }
    }
  }

  @Test(arguments: [1, 3, 16, 35])
  func gates(heads: Int) {
    var numbers = Numbers(seed: 8)
    let a = numbers.floats(heads).map { $0 * 40 }
    let b = numbers.floats(heads).map { $0 * 20 }
    let (rates, biases) = (numbers.floats(heads).map { abs($0) * 3 }, numbers.floats(heads))
    func run(_ table: bb_kernel_table) -> [Float] {
      var (decay, strength) = (a, b)
      table.delta_gates(&decay, &strength, rates, biases, heads)
      return decay + strength
    }
    let found = run(bb_kernels_for(BB_ISA_SCALAR).pointee)
    for head in 0..<heads {
      let x = Double(a[head]) + Double(biases[head])
      let softplus = max(x, 0) + log1p(exp(-abs(x)))
      #expect(abs(Double(found[head]) - exp(-Double(rates[head]) * softplus)) < 2e-6)
      #expect(abs(Double(found[heads + head]) - 1 / (1 + exp(-Double(b[head])))) < 1e-6)
    }
    for isa in supportedISAs {
      let other = run(bb_kernels_for(isa).pointee)
      #expect(other.map(\.bitPattern) == found.map(\.bitPattern))
    }
  }

  @Test(arguments: [0, 1, 16, 21, 64])
  func sigmoidMultiply(size: Int) {
    var numbers = Numbers(seed: 9)
    let (gate, x) = (numbers.floats(size).map { $0 * 30 }, numbers.floats(size))
    func run(_ table: bb_kernel_table) -> [Float] {
      var y = [Float](repeating: 0, count: size)
      table.sigmoid_multiply(gate, x, &y, size)
      return y
    }
    let found = run(bb_kernels_for(BB_ISA_SCALAR).pointee)
    for index in 0..<size {
      let expected = Double(x[index]) / (1 + exp(-Double(gate[index])))
      #expect(abs(Double(found[index]) - expected) < 1e-6)
    }
    for isa in supportedISAs {
      #expect(run(bb_kernels_for(isa).pointee).map(\.bitPattern) == found.map(\.bitPattern))
    }
  }

  /// What is no number stays none, so that broken weights are found.
  @Test func gatesOfNaNAreNaN() {
    for isa in supportedISAs {
      let table = bb_kernels_for(isa).pointee
      var (decay, strength): ([Float], [Float]) = ([.nan], [.nan])
      table.delta_gates(&decay, &strength, [1], [0], 1)
      #expect(decay[0].isNaN && strength[0].isNaN)
      var y: [Float] = [0]
      table.sigmoid_multiply([.nan], [1], &y, 1)
      #expect(y[0].isNaN)
    }
  }
}
