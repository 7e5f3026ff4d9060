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

  /// Queries rounded to BF16 beforehand differ from exact attention by the rounding of the weights alone.
  @Test(arguments: [(1, 16, 1), (2, 33, 17), (3, 40, 64), (13, 64, 65), (4, 128, 200)])
  func roundedPairsAreNearAndTheSameOnEveryInstructionSet(heads: Int, d: Int, count: Int) {
    var numbers = Numbers(seed: UInt64(d))
    let q = numbers.floats(heads * d).map {
      Float(bitPattern: ($0 * 2).bitPattern & 0xffff_0000)
    }
    let (keys, values) = (numbers.floats(count * d), numbers.floats(count * d))
    func attend(_ format: bb_kv_format, _ isa: bb_isa, rounded: Bool) -> [Float] {
      self.attend(
        q: q, heads: heads, d: d, keys: keys, values: values, count: count, format: format,
        isa: isa, numerics: rounded ? BB_ATTEND_BF16 : BB_ATTEND_EXACT)
    }
    let scalar = attend(BB_KV_BF16, BB_ISA_SCALAR, rounded: true)
    let exact = attend(BB_KV_BF16, BB_ISA_SCALAR, rounded: false)
    #expect(zip(scalar, exact).allSatisfy { abs($0 - $1) < 0.004 })
    #expect(count == 1 || scalar != exact)
    for isa in supportedISAs { #expect(attend(BB_KV_BF16, isa, rounded: true) == scalar) }
    // Pages of other formats are read as they always are.
    #expect(
      attend(BB_KV_F16, BB_ISA_SCALAR, rounded: true)
        == attend(BB_KV_F16, BB_ISA_SCALAR, rounded: false))
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
