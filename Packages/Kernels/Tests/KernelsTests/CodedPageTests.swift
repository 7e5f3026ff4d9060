import Foundation
import Kernels
import Testing

@Suite struct CodedPageTests {
  static let formats = [BB_KV_INT8, BB_KV_INT4, BB_KV_INT2]
  /// What keys share scales along, and the groups there are of it.
  static let axes = [
    (BB_KV_ALONG_TOKENS, 32), (BB_KV_ALONG_TOKENS, 64), (BB_KV_ALONG_COMPONENTS, 32),
    (BB_KV_ALONG_COMPONENTS, 64), (BB_KV_ALONG_COMPONENTS, 128),
  ]
  static let schemes = [BB_KV_ASYMMETRIC, BB_KV_ABSMAX, BB_KV_FULL, BB_KV_HQQ]

  func bits(_ format: bb_kv_format) -> Int {
    format == BB_KV_INT8 ? 8 : format == BB_KV_INT4 ? 4 : 2
  }

  /// What the definition of a scheme makes of the values of one group, in F64.
  func rounded(_ x: [Float], bits: Int, scheme: bb_kv_scheme) -> [Float] {
    let (low, high) = (Double(x.min() ?? 0), Double(x.max() ?? 0))
    let (top, middle) = (Double(1 << bits) - 1, Double(1 << (bits - 1)))
    func nearest(_ value: Double) -> Double { value.rounded(.toNearestOrEven) }
    if scheme == BB_KV_ASYMMETRIC {
      let scale = (high - low) / top
      return x.map { Float(scale == 0 ? low : nearest((Double($0) - low) / scale) * scale + low) }
    }
    if scheme == BB_KV_HQQ {
      let scale = (high - low) / top
      guard scale > 0 else { return x }
      func code(_ value: Float, _ offset: Double) -> Double {
        min(max(nearest((Double(value) - offset) / scale), 0), top)
      }
      var (offset, best, least, beta) = (low, low, Double.infinity, 10.0)
      for _ in 0...20 {
        var (total, sum) = (0.0, 0.0)
        for value in x {
          let units = code(value, offset) * scale
          let error = Double(value) - units - offset
          let size = max(abs(error) - pow(abs(error), 0.7 - 1) / beta, 0)
          total += abs(error)
          sum += Double(value) - (error < 0 ? -size : size) - units
        }
        if total >= least { break }
        (best, least) = (offset, total)
        offset = sum / Double(x.count)
        beta *= 1.01
      }
      let stored = Double(Float(best))
      return x.map { Float(code($0, stored) * scale + stored) }
    }
    let absmax = max(-low, high)
    let scale = absmax == 0 ? 1 : scheme == BB_KV_ABSMAX ? absmax / (middle - 1) : 2 * absmax / top
    return x.map { Float(min(max(nearest(Double($0) / scale), -middle), middle - 1) * scale) }
  }

  @Test(arguments: [16, 40, 128], axes)
  func codesAreThoseOfTheDefinition(d: Int, keys: (axis: bb_kv_axis, group: Int)) {
    let group = keys.group
    var numbers = Numbers(seed: UInt64(d + group))
    var rows = (keys: numbers.floats(64 * d), values: numbers.floats(64 * d))
    for t in 0..<64 { rows.keys[t * d] = 100 + rows.keys[t * d]; rows.keys[t * d + 1] = 7 }
    let page = FloatPage(BB_KV_F32, d: d, keys: rows.keys[...], values: rows.values[...])
    // Where the numbers of each group lie.
    let alongComponents = (0..<64).flatMap { t in
      stride(from: t * d, to: (t + 1) * d, by: group).map {
        Array($0..<min($0 + group, (t + 1) * d))
      }
    }
    let alongTokens = (0..<d).flatMap { i in
      stride(from: 0, to: 64, by: group).map { first in
        (first..<min(first + group, 64)).map { $0 * d + i }
      }
    }
    for format in Self.formats {
      for scheme in Self.schemes {
        let coded = CodedPage(
          format, of: page, d: d, keyAxis: keys.axis, group: group, scheme: scheme,
          scaleFormat: BB_F32)
        func misses(_ found: [Float], _ exact: [Float], _ groups: [[Int]]) -> Int {
          groups.reduce(0) { sum, group in
            let wanted = rounded(group.map { exact[$0] }, bits: bits(format), scheme: scheme)
            return sum
              + zip(group, wanted).count { abs(found[$0] - $1) > 1e-4 * max(1, abs($1)) }
          }
        }
        let keyGroups = keys.axis == BB_KV_ALONG_TOKENS ? alongTokens : alongComponents
        #expect(misses(coded.keys, rows.keys, keyGroups) == 0, "keys, \(format) \(scheme)")
        #expect(
          misses(coded.values, rows.values, alongComponents) == 0, "values, \(format) \(scheme)")
      }
    }
  }

  /// Rounded by every instruction set, a few numbers that are none among them.
  @Test(arguments: [16, 40, 128], axes)
  func everyInstructionSetRoundsAlike(d: Int, keys: (axis: bb_kv_axis, group: Int)) {
    var numbers = Numbers(seed: UInt64(d * keys.group))
    for isFinite in [true, false] {
      var rows = (keys: numbers.floats(64 * d), values: numbers.floats(64 * d))
      for t in 0..<64 { (rows.keys[t * d], rows.values[t * d + 1]) = (0.5, -0.0) }
      if !isFinite {
        (rows.keys[5], rows.values[64 * d - 1], rows.keys[33]) = (.nan, .infinity, 1e30)
      }
      for (pageFormat, scaleFormat) in [(BB_KV_F32, BB_F32), (BB_KV_BF16, BB_F16)] {
        let page = FloatPage(pageFormat, d: d, keys: rows.keys[...], values: rows.values[...])
        for format in Self.formats {
          for scheme in Self.schemes {
            let coded = supportedISAs.map {
              CodedPage(
                format, of: page, d: d, keyAxis: keys.axis, group: keys.group, scheme: scheme,
                scaleFormat: scaleFormat, isa: $0)
            }
            for other in coded {
              #expect(other.bytes.elementsEqual(coded[0].bytes), "\(format) \(scheme)")
            }
          }
        }
      }
    }
  }

  @Test func halfQuadraticOffsetsErrLessThanThoseOfTheRange() {
    var numbers = Numbers(seed: 3)
    let d = 64
    // Outliers stretch the range.
    let keys = numbers.floats(64 * d).enumerated().map { $0 % 29 == 0 ? $1 * 6 : $1 }
    let page = FloatPage(BB_KV_F32, d: d, keys: keys[...], values: keys[...])
    for format in Self.formats {
      func error(_ scheme: bb_kv_scheme) -> Float {
        let coded = CodedPage(
          format, of: page, d: d, group: 64, scheme: scheme, scaleFormat: BB_F16)
        return zip(coded.keys + coded.values, keys + keys).reduce(0) { $0 + abs($1.0 - $1.1) }
      }
      #expect(error(BB_KV_HQQ) < error(BB_KV_ASYMMETRIC))
    }
  }

  @Test func halfPrecisionScalesStillReachEveryValue() {
    var numbers = Numbers(seed: 5)
    let d = 64
    var keys = numbers.floats(64 * d)
    for t in 0..<64 { for i in 0..<d { keys[t * d + i] += Float(i) * 3 - 90 } }
    let page = FloatPage(BB_KV_F32, d: d, keys: keys[...], values: keys[...])
    for format in Self.formats {
      let coded = CodedPage(
        format, of: page, d: d, group: 64, scheme: BB_KV_ASYMMETRIC, scaleFormat: BB_F16)
      let found = coded.keys
      for i in 0..<d {
        let x = (0..<64).map { keys[$0 * d + i] }
        let range = (x.max() ?? 0) - (x.min() ?? 0) + abs(x[0]) / 1024
        let step = range / Float(1 << bits(format) - 1)
        for t in 0..<64 { #expect(abs(found[t * d + i] - x[t]) <= step * 0.51) }
      }
    }
  }

  /// Of two pages, the tokens see ever more of the second, the first of them perhaps nothing. Four
  /// heads of 16 tokens fill tiles, where each alone goes by vectors.
  @Test(
    arguments: [(1, 7, 1), (2, 9, 0), (3, 5, -2), (4, 16, 57)],
    [BB_ATTEND_EXACT, BB_ATTEND_BF16, BB_ATTEND_INT8, BB_ATTEND_INT8_CHAINS])
  func tokensThatAttendTogetherGetWhatEachGetsAlone(
    shape: (heads: Int, tokens: Int, seen: Int), numerics: bb_attend_numerics
  ) {
    let (heads, tokens, seen) = shape
    let (d, dv) = heads == 4 ? (64, 64) : (40, 48)
    let stride = dv + 16
    var numbers = Numbers(seed: UInt64(tokens))
    let q = numbers.floats(tokens * heads * d)
    let (keys, values) = (numbers.floats(64 * d), numbers.floats(64 * d))
    let page = FloatPage(BB_KV_BF16, d: d, keys: keys[...], values: values[...])
    func check(_ k: UnsafePointer<bb_kv_block>, _ v: UnsafePointer<bb_kv_block>) {
      let full = piece(k, v, count: 64)
      var partly = full
      partly.last = min(64, seen + tokens - 1)
      for isa in integerISAs {
        let kernel = bb_kernels_for(isa).pointee.attend
        var together = [Float](repeating: 0, count: tokens * heads * stride)
        for row in 0..<tokens * heads { together[row * stride + dv] = -.infinity }
        var alone = together
        partly.seen = seen
        kernel(q, tokens, heads, d, [full, partly], 2, 0, 1, 0.3, numerics, &together)
        for t in 0..<tokens {
          var own = partly
          own.last = max(0, min(64, seen + t))
          own.seen = own.last
          let pieces = own.last > 0 ? [full, own] : [full]
          alone.withUnsafeMutableBufferPointer { alone in
            guard let base = alone.baseAddress else { return }
            kernel(
              Array(q[(t * heads * d)...]), 1, heads, d, pieces, pieces.count, 0, 1, 0.3, numerics,
              base + t * heads * stride)
          }
        }
        #expect(together == alone)
      }
    }
    page.withBlocks(check)
    for format in Self.formats {
      for (axis, group) in Self.axes {
        CodedPage(
          format, of: page, d: d, keyAxis: axis, group: group, scheme: BB_KV_ASYMMETRIC,
          scaleFormat: BB_F16
        )
        .withBlocks(check)
      }
    }
  }

  /// Values of other tokens, whose scales are a hundred times those of the ones that are seen.
  @Test(arguments: [BB_ATTEND_EXACT, BB_ATTEND_BF16, BB_ATTEND_INT8])
  func whatATokenDoesNotSeeDoesNotMatter(numerics: bb_attend_numerics) {
    var numbers = Numbers(seed: 8)
    let (d, heads, seen) = (64, 3, 5..<37)
    let q = numbers.floats(heads * d)
    let (keys, values) = (numbers.floats(64 * d), numbers.floats(64 * d))
    let others = values.enumerated().map { seen.contains($0 / d) ? $1 : $1 * 100 }
    func attend(_ format: bb_kv_format, _ isa: bb_isa, _ values: [Float]) -> [Float] {
      let page = FloatPage(BB_KV_F32, d: d, keys: keys[...], values: values[...])
      let coded = CodedPage(
        format, of: page, d: d, group: 64, scheme: BB_KV_ASYMMETRIC, scaleFormat: BB_F16)
      var state = [Float](repeating: 0, count: heads * (d + 16))
      for head in 0..<heads { state[head * (d + 16) + d] = -.infinity }
      coded.withBlocks { keys, values in
        var part = piece(keys, values, count: seen.upperBound)
        part.first = seen.lowerBound
        bb_kernels_for(isa).pointee.attend(q, 1, heads, d, [part], 1, 0, 1, 0.3, numerics, &state)
      }
      return state
    }
    for format in Self.formats {
      for isa in supportedISAs {
        #expect(attend(format, isa, values) == attend(format, isa, others))
      }
    }
  }

  /// Several KV heads in one call, more than are taken together, with few queries and with many.
  @Test(
    arguments: [(1, 1, 3), (2, 1, 19), (3, 7, 5), (2, 40, 4)],
    [BB_ATTEND_EXACT, BB_ATTEND_BF16, BB_ATTEND_INT8])
  func headsThatAttendTogetherGetWhatEachGetsAlone(
    shape: (heads: Int, tokens: Int, kvHeads: Int), numerics: bb_attend_numerics
  ) {
    let (d, stride) = (40, 64)
    let rows = shape.tokens * shape.heads
    var numbers = Numbers(seed: UInt64(rows))
    let q = numbers.floats(shape.kvHeads * rows * d)
    // Each KV head has keys and values of its own, one behind the other.
    let half = 64 * 48 * 2
    let entries = (0..<shape.kvHeads).flatMap { _ in
      let (keys, values) = (numbers.floats(64 * d), numbers.floats(64 * d))
      let page = FloatPage(BB_KV_BF16, d: d, keys: keys[...], values: values[...])
      return page.keyBytes.prefix(half) + page.valueBytes.prefix(half)
    }
    entries.withUnsafeBytes { entries in
      guard let base = entries.baseAddress else { return }
      let block = bb_kv_block(
        format: BB_KV_BF16, scale_format: BB_F16, axis: BB_KV_ALONG_TOKENS, group: 64,
        entries: base, scales: nil, offsets: nil)
      var values = block
      values.entries = base + half
      let whole = bb_kv_piece(
        keys: block, values: values, head_bytes: 2 * half, first: 0, last: 64, seen: 64,
        slopes: nil, position: 0)
      var part = whole
      part.last = 9
      for isa in supportedISAs {
        func attend(_ q: [Float], _ first: Int, _ count: Int) -> [Float] {
          var state = [Float](repeating: 0, count: count * rows * stride)
          for row in 0..<count * rows { state[row * stride + 48] = -.infinity }
          bb_kernels_for(isa).pointee.attend(
            q, shape.tokens, shape.heads, d, [whole, part], 2, first, count, 0.3, numerics, &state)
          return state
        }
        let alone = (0..<shape.kvHeads).flatMap {
          attend(Array(q[$0 * rows * d..<($0 + 1) * rows * d]), $0, 1)
        }
        #expect(attend(q, 0, shape.kvHeads) == alone)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 9, 65], [16, 40, 64, 128])
  func attentionIsThatOfTheStoredValuesOnEveryInstructionSet(heads: Int, d: Int) {
    var numbers = Numbers(seed: UInt64(heads * 1000 + d))
    let q = numbers.floats(heads * d)
    let (keys, values) = (numbers.floats(64 * d), numbers.floats(64 * d))
    let page = FloatPage(BB_KV_F32, d: d, keys: keys[...], values: values[...])
    let stride = (d + 15) / 16 * 16 + 16
    func attend(
      _ isa: bb_isa, _ k: UnsafePointer<bb_kv_block>, _ v: UnsafePointer<bb_kv_block>,
      _ numerics: bb_attend_numerics = BB_ATTEND_EXACT
    ) -> [Float] {
      var state = [Float](repeating: 0, count: heads * stride)
      for h in 0..<heads { state[h * stride + stride - 16] = -.infinity }
      let piece = piece(k, v, count: 64)
      bb_kernels_for(isa).pointee.attend(
        q, 1, heads, d, [piece, piece], 2, 0, 1, 0.3, numerics, &state)
      // Behind the components of a head lies what fills the last vector up; then the maximum and
      // the sum.
      return state.enumerated().filter { index, _ in
        index % stride < d || index % stride >= stride - 16
      }.map(\.element)
    }
    for format in Self.formats {
      for ((axis, group), scheme) in Self.axes.map({ ($0, BB_KV_ASYMMETRIC) }) + [
        ((BB_KV_ALONG_TOKENS, 64), BB_KV_FULL), ((BB_KV_ALONG_COMPONENTS, 64), BB_KV_FULL),
      ] {
        let coded = CodedPage(
          format, of: page, d: d, keyAxis: axis, group: group, scheme: scheme, scaleFormat: BB_F16)
        let stored = FloatPage(BB_KV_F32, d: d, keys: coded.keys[...], values: coded.values[...])
        let expected = stored.withBlocks { attend(BB_ISA_SCALAR, $0, $1) }
        let scalar = coded.withBlocks { attend(BB_ISA_SCALAR, $0, $1) }
        let rounded = coded.withBlocks { attend(BB_ISA_SCALAR, $0, $1, BB_ATTEND_INT8) }
        // Weighted sums differ in proportion to the sum of weights, which is the second number
        // behind them.
        let row = d + 16
        for at in scalar.indices {
          let sum = expected[at / row * row + d + 1]
          let tolerance = 2.5e-4 * max(at % row < d ? sum : 1, abs(expected[at]))
          #expect(abs(scalar[at] - expected[at]) < tolerance, "\(format) \(axis) \(group)")
          #expect(abs(rounded[at] - expected[at]) < tolerance * 128)
        }
        for isa in supportedISAs {
          #expect(coded.withBlocks { attend(isa, $0, $1) } == scalar)
          #expect(coded.withBlocks { attend(isa, $0, $1, BB_ATTEND_INT8) } == rounded)
          // Keys and values may have formats of their own.
          let mixed = { isa in
            coded.withBlocks { k, _ in page.withBlocks { _, v in attend(isa, k, v) } }
          }
          #expect(mixed(isa) == mixed(BB_ISA_SCALAR))
        }
      }
    }
  }
}
