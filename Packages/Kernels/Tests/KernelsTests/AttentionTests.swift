import Foundation
import Kernels
import Testing

@Suite struct AttentionTests {
  /// Attention of `heads` queries over `count` tokens in pages, on one instruction set.
  func attend(
    q: [Float], heads: Int, d: Int, keys: [Float], values: [Float], count: Int,
    format: bb_kv_format, isa: bb_isa, numerics: bb_attend_numerics = BB_ATTEND_EXACT
  ) -> [Float] {
    let dv = (d + 15) / 16 * 16
    let stride = dv + 16
    var state = [Float](repeating: 0, count: heads * stride)
    for h in 0..<heads { state[h * stride + dv] = -.infinity }
    for start in stride1(count) {
      let n = min(64, count - start)
      let page = FloatPage(
        format, d: d, keys: keys[(start * d)..<((start + n) * d)],
        values: values[(start * d)..<((start + n) * d)])
      page.withBlocks { k, v in
        bb_kernels_for(isa).pointee.attend(
          q, 1, heads, d, [piece(k, v, count: n)], 1, 0, 1, 1 / Float(d).squareRoot(), numerics,
          &state)
      }
    }
    return (0..<heads).flatMap { h in
      (0..<d).map { state[h * stride + $0] / state[h * stride + dv + 1] }
    }
  }

  func stride1(_ count: Int) -> StrideTo<Int> { stride(from: 0, to: count, by: 64) }

  @Test(arguments: [(1, 16, 1), (2, 32, 17), (3, 40, 64), (7, 64, 65), (4, 128, 200)])
  func agreesWithTheFormulaAndAcrossInstructionSets(heads: Int, d: Int, count: Int) {
    var numbers = Numbers(seed: UInt64(d))
    let q = numbers.floats(heads * d).map { $0 * 2 }
    let (keys, values) = (numbers.floats(count * d), numbers.floats(count * d))
    let expected = attend(
      q: q, heads: heads, d: d, keys: keys, values: values, count: count, format: BB_KV_F32,
      isa: BB_ISA_SCALAR)
    var worst = 0.0
    for h in 0..<heads {
      let scores = (0..<count).map { t in
        (0..<d).reduce(0.0) { $0 + Double(q[h * d + $1]) * Double(keys[t * d + $1]) }
          / Double(d).squareRoot()
      }
      let highest = scores.max() ?? 0
      let weights = scores.map { exp($0 - highest) }
      let sum = weights.reduce(0, +)
      for i in 0..<d {
        let exact = (0..<count).reduce(0.0) { $0 + weights[$1] * Double(values[$1 * d + i]) } / sum
        worst = max(worst, abs(exact - Double(expected[h * d + i])))
      }
    }
    #expect(worst < 3e-6)
    for format in [BB_KV_F32, BB_KV_F16, BB_KV_BF16] {
      let scalar = attend(
        q: q, heads: heads, d: d, keys: keys, values: values, count: count, format: format,
        isa: BB_ISA_SCALAR)
      for isa in supportedISAs {
        let found = attend(
          q: q, heads: heads, d: d, keys: keys, values: values, count: count, format: format,
          isa: isa)
        #expect(found == scalar)
      }
    }
  }

  /// With slopes, two KV heads whose pages are the same, at positions that BF16 does not hold.
  @Test(arguments: [BB_ATTEND_EXACT, BB_ATTEND_BF16])
  func slopesAddToScoresByPosition(numerics: bb_attend_numerics) {
    let (d, heads, tokens, position) = (16, 3, 2, 1000)
    var numbers = Numbers(seed: 8)
    let q = numbers.floats(2 * tokens * heads * d)
    let (keys, values) = (numbers.floats(64 * d), numbers.floats(64 * d))
    let slopes: [Float] = [0.5, 0.00390625, 0.70703125, 0.0625, 0.8359375, 0]
    func bf16(_ x: Float) -> Float {
      var half: UInt16 = 0
      var wide: Float = 0
      bb_kernels_for(BB_ISA_SCALAR).pointee.narrow([x], BB_BF16, &half, 1)
      bb_kernels_for(BB_ISA_SCALAR).pointee.widen(&half, BB_BF16, &wide, 1)
      return wide
    }
    let page = FloatPage(BB_KV_BF16, d: d, keys: keys[...], values: values[...])
    func attend(_ isa: bb_isa) -> [Float] {
      var state = [Float](repeating: 0, count: 2 * tokens * heads * 32)
      for row in 0..<2 * tokens * heads { state[row * 32 + 16] = -.infinity }
      slopes.withUnsafeBufferPointer { slopes in
        page.withBlocks { k, v in
          var part = piece(k, v, count: 64)
          (part.slopes, part.position) = (slopes.baseAddress, position)
          bb_kernels_for(isa).pointee.attend(
            q, tokens, heads, d, [part], 1, 0, 2, 0.25, numerics, &state)
        }
      }
      var output: [Float] = []
      for row in 0..<2 * tokens * heads {
        let sum = state[row * 32 + 17]
        for i in 0..<d { output.append(state[row * 32 + i] / sum) }
      }
      return output
    }
    let found = attend(BB_ISA_SCALAR)
    for isa in supportedISAs { #expect(attend(isa) == found) }
    for row in 0..<2 * tokens * heads {
      let slope = slopes[row / (tokens * heads) * heads + row % heads]
      let scores = (0..<64).map { t -> Double in
        var product = 0.0
        for i in 0..<d { product += Double(q[row * d + i]) * Double(bf16(keys[t * d + i])) }
        let bias = bf16(slope * bf16(Float(position + t)))
        return 0.25 * product + Double(bias)
      }
      let highest = scores.max() ?? 0
      let weights = scores.map { exp($0 - highest) }
      let sum = weights.reduce(0, +)
      for i in 0..<d {
        var exact = 0.0
        for t in 0..<64 { exact += weights[t] * Double(bf16(values[t * d + i])) / sum }
        let limit = numerics == BB_ATTEND_EXACT ? 1e-4 : 0.02
        #expect(abs(exact - Double(found[row * d + i])) < limit)
      }
    }
  }

  /// Queries rounded to BF16 beforehand differ from exact attention by the rounding of the weights
  /// alone; in pairs and in chains. Sixteen queries fill a tile.
  @Test(arguments: [
    (1, 16, 1), (2, 33, 17), (3, 40, 64), (13, 64, 65), (4, 128, 200), (16, 64, 70), (33, 128, 110),
  ])
  func roundedProductsAreNearAndTheSameOnEveryInstructionSet(heads: Int, d: Int, count: Int) {
    var numbers = Numbers(seed: UInt64(d))
    let q = numbers.floats(heads * d).map {
      Float(bitPattern: ($0 * 2).bitPattern & 0xffff_0000)
    }
    let (keys, values) = (numbers.floats(count * d), numbers.floats(count * d))
    func attend(_ format: bb_kv_format, _ isa: bb_isa, _ numerics: bb_attend_numerics) -> [Float] {
      self.attend(
        q: q, heads: heads, d: d, keys: keys, values: values, count: count, format: format,
        isa: isa, numerics: numerics)
    }
    let exact = attend(BB_KV_BF16, BB_ISA_SCALAR, BB_ATTEND_EXACT)
    for numerics in [BB_ATTEND_BF16, BB_ATTEND_BF16_CHAINS] {
      let scalar = attend(BB_KV_BF16, BB_ISA_SCALAR, numerics)
      #expect(zip(scalar, exact).allSatisfy { abs($0 - $1) < 0.004 })
      #expect(count == 1 || scalar != exact)
      for isa in integerISAs { #expect(attend(BB_KV_BF16, isa, numerics) == scalar) }
      // Pages of other formats are read as they always are.
      #expect(
        attend(BB_KV_F16, BB_ISA_SCALAR, numerics)
          == attend(BB_KV_F16, BB_ISA_SCALAR, BB_ATTEND_EXACT))
    }
    #expect(
      attend(BB_KV_BF16, BB_ISA_SCALAR, BB_ATTEND_INT8_CHAINS)
        == attend(BB_KV_BF16, BB_ISA_SCALAR, BB_ATTEND_BF16_CHAINS))
  }

  @Test(arguments: [(1, 16, 1), (2, 33, 17), (5, 128, 64)])
  func keyScoresAreProductsOnEveryInstructionSet(heads: Int, d: Int, count: Int) {
    var numbers = Numbers(seed: UInt64(d))
    let (q, keys) = (numbers.floats(heads * d), numbers.floats(count * d))
    for format in [BB_KV_F32, BB_KV_F16, BB_KV_BF16] {
      let page = FloatPage(format, d: d, keys: keys[...], values: keys[...])
      func scores(_ isa: bb_isa) -> [Float] {
        var scores = [Float](repeating: 0, count: heads * 64)
        page.withBlocks { k, _ in
          bb_kernels_for(isa).pointee.key_scores(q, heads, d, k, &scores)
        }
        return (0..<heads).flatMap { scores[$0 * 64..<$0 * 64 + count] }
      }
      let scalar = scores(BB_ISA_SCALAR)
      for isa in supportedISAs { #expect(scores(isa) == scalar) }
      guard format == BB_KV_F32 else { continue }
      for (index, score) in scalar.enumerated() {
        let (h, t) = (index / count, index % count)
        let exact = (0..<d).reduce(0.0) { $0 + Double(q[h * d + $1]) * Double(keys[t * d + $1]) }
        #expect(abs(exact - Double(score)) < 1e-5)
      }
    }
  }
}
