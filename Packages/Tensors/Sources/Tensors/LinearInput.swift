import Kernels

/// Rows of activations that one or more matrices are to multiply. A row is made and prepared in one
/// go, while it lies in the first-level cache; what that gives is kept, so that matrices which
/// share an input share it. One thread drives it; it is meant to be used again and again.
public final class LinearInput {
  /// Puts a row of the input at a place; called for any row by any thread, perhaps more than once.
  public typealias Row = @Sendable (_ index: Int, _ target: UnsafeMutablePointer<Float>) -> Void

  /// How the rows are multiplied.
  public let numerics: Numerics
  /// Rows.
  public private(set) var tokens = 0
  /// Columns.
  public private(set) var width = 0
  /// Where the rows come from.
  private var source = Source.memory(nil)
  private let floats = GrowingBuffer<Float>()
  /// One for each scheme that matrices have asked for so far.
  private var preparedRows: [PreparedRows] = []
  /// Some columns as inputs of their own, for matrices that multiply them apart.
  private var parts: [(columns: [Int32], input: LinearInput, isCurrent: Bool)] = []

  private enum Source {
    case memory(ReadOnlyMemory<Float>?)
    case function(Row)
    /// Rows of another input, by their index.
    case selection([Int], of: LinearInput)
    /// Consecutive rows of another input, from one on.
    case slice(from: Int, of: LinearInput)
  }

  /// The rows in one scheme, or memory for them.
  private final class PreparedRows {
    let scheme: ActivationScheme
    /// As kernels take them, once they are made.
    var made: bb_activations?
    let values = GrowingBuffer<UInt8>()
    let scales = GrowingBuffer<Float>()
    let sums = GrowingBuffer<Int32>()
    /// Of codes between least and largest.
    let offsets = GrowingBuffer<Float>()

    init(_ scheme: ActivationScheme) { self.scheme = scheme }

    /// Notes how kernels take the rows, which are all there.
    func keep(_ rows: bb_activations) -> bb_activations {
      made = rows
      return rows
    }
  }

  /// An input without rows.
  public init(numerics: Numerics) { self.numerics = numerics }

  /// An input of `tokens` rows of `width` at `floats`, which must stay where they are while the
  /// input is used.
  public convenience init(
    _ floats: UnsafePointer<Float>, tokens: Int, width: Int, numerics: Numerics
  ) {
    self.init(numerics: numerics)
    reset(floats, tokens: tokens, width: width)
  }

  /// The rows of an input with their columns in another order; that input must not be reset before
  /// they are used.
  convenience init(_ input: LinearInput, columns: [Int32], on pool: ThreadPool) {
    self.init(numerics: input.numerics)
    let rows = ReadOnlyMemory(input.rows(on: pool))
    reset(tokens: input.tokens, width: input.width) { [width = input.width] index, target in
      for (position, column) in columns.enumerated() {
        target[position] = rows[index * width + Int(column)]
      }
    }
  }

  /// The rows of an input, rotated; that input must not be reset before they are used.
  convenience init(_ input: LinearInput, rotatedBy rotation: Hadamard, on pool: ThreadPool) {
    self.init(numerics: input.numerics)
    let rows = ReadOnlyMemory(input.rows(on: pool))
    reset(tokens: input.tokens, width: input.width) { [width = input.width] index, target in
      target.update(from: rows + index * width, count: width)
      rotation.rotate(target)
    }
  }

  /// Some columns as an input of their own, which matrices that ask for the same ones share. Valid
  /// until the next `reset`.
  func taking(_ columns: [Int32], on pool: ThreadPool) -> LinearInput {
    let known = parts.firstIndex { $0.columns == columns }
    if let known, parts[known].isCurrent { return parts[known].input }
    let input = known.map { parts[$0].input } ?? LinearInput(numerics: numerics)
    let rows = ReadOnlyMemory(rows(on: pool))
    input.reset(tokens: tokens, width: columns.count) { [width] index, target in
      for (place, column) in columns.enumerated() {
        target[place] = rows[index * width + Int(column)]
      }
    }
    if let known {
      parts[known].isCurrent = true
    } else {
      parts.append((columns, input, true))
    }
    return input
  }

  /// Points at other rows, or at the same rows with new contents.
  public func reset(_ floats: UnsafePointer<Float>, tokens: Int, width: Int) {
    reset(.memory(ReadOnlyMemory(floats)), tokens: tokens, width: width)
  }

  /// Takes other rows, which are made when a matrix needs them: what `row` reads must stay as it is
  /// until then.
  public func reset(tokens: Int, width: Int, row: @escaping Row) {
    reset(.function(row), tokens: tokens, width: width)
  }

  /// Takes rows of another input, in any order; what was prepared of them is copied. The other
  /// input must stay as it is until these are used.
  public func reset(rows: [Int], of other: LinearInput) {
    reset(.selection(rows, of: other), tokens: rows.count, width: other.width)
  }

  /// Consecutive rows as an input of their own, in the same memory; valid until the next `reset`.
  public func slice(_ rows: Range<Int>) -> LinearInput {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= tokens, "rows \(rows) of \(tokens)")
    let slice = LinearInput(numerics: numerics)
    slice.reset(.slice(from: rows.lowerBound, of: self), tokens: rows.count, width: width)
    return slice
  }

  /// Copies rows that lie in somebody else's memory, which may change from then on.
  public func keepRows() {
    guard case .memory(let rows?) = source else { return }
    let own = floats.reserve(tokens * width)
    guard rows.base != UnsafePointer(own) else { return }
    own.update(from: rows.base, count: tokens * width)
    source = .memory(ReadOnlyMemory(UnsafePointer(own)))
  }

  private func reset(_ source: Source, tokens: Int, width: Int) {
    self.source = source
    self.tokens = tokens
    self.width = width
    for rows in preparedRows { rows.made = nil }
    for index in parts.indices { parts[index].isCurrent = false }
  }

  /// `[tokens, width]`. Valid until the next `reset`.
  public func rows(on pool: ThreadPool) -> UnsafePointer<Float> {
    let cost = tokens * width * Self.costOfElement
    switch source {
    case .memory(let rows): return rows?.base ?? UnsafePointer(floats.reserve(0))
    case .slice(let first, let other): return other.rows(on: pool) + first * width
    case .function(let row):
      let target = DisjointMemory(floats.reserve(tokens * width))
      pool.split(tokens, cost: cost) { [width] part in
        for t in part { row(t, target + t * width) }
      }
      source = .memory(ReadOnlyMemory(target.base))
      return UnsafePointer(target.base)
    case .selection(let rows, let other):
      let target = DisjointMemory(floats.reserve(tokens * width))
      let from = ReadOnlyMemory(other.rows(on: pool))
      pool.split(tokens, cost: tokens * width) { [width] part in
        for t in part { (target + t * width).update(from: from + rows[t] * width, count: width) }
      }
      source = .memory(ReadOnlyMemory(target.base))
      return UnsafePointer(target.base)
    }
  }

  /// The rows as a scheme has them, made now or when another matrix asked for them. Valid until the
  /// next `reset`.
  public func prepared(for scheme: ActivationScheme, on pool: ThreadPool) -> PreparedInput {
    if case .slice(let first, let other) = source {
      let whole = other.prepared(for: scheme, on: pool)
      return PreparedInput(
        self, whole.activations.advanced(by: first), offsets: whole.offsets.map { $0 + first })
    }
    return switch scheme {
    case .float:
      PreparedInput(self, bb_floats(rows(on: pool), width))
    case .bf16, .bf16Tiles:
      PreparedInput(self, asBF16(preparedRows(in: scheme), on: pool))
    case .float8:
      PreparedInput(self, asFloat8(preparedRows(in: scheme), on: pool))
    case .between(let bits):
      between(preparedRows(in: scheme), levels: 1 << bits - 1, on: pool)
    case .int8(let group), .int16(let group):
      PreparedInput(self, quantized(preparedRows(in: scheme), group: group, on: pool))
    }
  }

  private func asBF16(_ prepared: PreparedRows, on pool: ThreadPool) -> bb_activations {
    if let made = prepared.made { return made }
    let stride = Self.stride(of: width * 2)
    let target = DisjointMemory(prepared.values.reserve(tokens * stride))
    let (width, narrow) = (width, bb_kernels().pointee.narrow)
    if !copies(into: prepared, stride: stride, groups: 0, on: pool) {
      eachRow(on: pool) { t, row in
        let elements = (target + t * stride).withMemoryRebound(
          to: UInt16.self, capacity: stride / 2
        ) { $0 }
        narrow(row, BB_BF16, elements, width)
        for k in width..<stride / 2 { elements[k] = 0 }
      }
    }
    return prepared.keep(
      bb_activations(
        format: prepared.scheme.format, values: target.base, stride: stride, group: 0, groups: 0,
        scales: nil, sums: nil))
  }

  private func asFloat8(_ prepared: PreparedRows, on pool: ThreadPool) -> bb_activations {
    if let made = prepared.made { return made }
    let stride = Self.stride(of: width * 2)
    let target = DisjointMemory(prepared.values.reserve(tokens * stride))
    let scales = DisjointMemory(prepared.scales.reserve(tokens))
    let sums = DisjointMemory(prepared.sums.reserve(tokens))
    if !copies(into: prepared, stride: stride, groups: 1, on: pool) {
      eachRow(on: pool) { [width] t, row in
        let elements = (target + t * stride).withMemoryRebound(
          to: UInt16.self, capacity: stride / 2
        ) { $0 }
        bb_float8_round(row, width, elements, scales + t)
        for k in width..<stride / 2 { elements[k] = 0 }
        sums[t] = 0
      }
    }
    return prepared.keep(
      bb_activations(
        format: BB_ACTIVATIONS_BF16, values: target.base, stride: stride, group: width, groups: 1,
        scales: scales.base, sums: sums.base))
  }

  private func between(_ prepared: PreparedRows, levels: Int, on pool: ThreadPool)
    -> PreparedInput
  {
    let offsets = DisjointMemory(prepared.offsets.reserve(tokens))
    if let made = prepared.made {
      return PreparedInput(self, made, offsets: UnsafePointer(offsets.base))
    }
    let stride = Self.stride(of: width)
    let values = DisjointMemory(prepared.values.reserve(tokens * stride))
    let scales = DisjointMemory(prepared.scales.reserve(tokens))
    let sums = DisjointMemory(prepared.sums.reserve(tokens))
    if !copies(into: prepared, stride: stride, groups: 1, on: pool) {
      eachRow(on: pool) { [width] t, row in
        let codes = UnsafeMutableRawPointer(values + t * stride)
          .assumingMemoryBound(to: Int8.self)
        bb_round_between(
          row, width, Int32(levels), codes, scales + t, offsets + t, sums + t)
      }
    }
    let made = prepared.keep(
      bb_activations(
        format: BB_ACTIVATIONS_INT8, values: values.base, stride: stride, group: width, groups: 1,
        scales: scales.base, sums: sums.base))
    return PreparedInput(self, made, offsets: UnsafePointer(offsets.base))
  }

  private func quantized(_ prepared: PreparedRows, group: Int, on pool: ThreadPool)
    -> bb_activations
  {
    if let made = prepared.made { return made }
    let stride = Self.stride(of: prepared.scheme.format == BB_ACTIVATIONS_INT16 ? width * 2 : width)
    let groups = (width + group - 1) / group
    let values = DisjointMemory(prepared.values.reserve(tokens * stride))
    let scales = DisjointMemory(prepared.scales.reserve(tokens * groups))
    let sums = DisjointMemory(prepared.sums.reserve(tokens * groups))
    let (width, kernels) = (width, bb_kernels().pointee)
    let isInt16 = prepared.scheme.format == BB_ACTIVATIONS_INT16
    if !copies(into: prepared, stride: stride, groups: groups, on: pool) {
      eachRow(on: pool) { t, row in
        let codes = UnsafeMutableRawPointer(values + t * stride)
        let (scales, sums) = (scales + t * groups, sums + t * groups)
        if isInt16 {
          kernels.quantize16(
            row, width, group, codes.assumingMemoryBound(to: Int16.self), scales, sums)
        } else {
          kernels.quantize(
            row, width, group, codes.assumingMemoryBound(to: Int8.self), scales, sums)
        }
      }
    }
    return prepared.keep(
      bb_activations(
        format: prepared.scheme.format, values: values.base, stride: stride, group: group,
        groups: groups, scales: scales.base, sums: sums.base))
  }

  /// Copies the rows as another input has them prepared, where they are rows of one; false
  /// elsewhere.
  private func copies(into target: PreparedRows, stride: Int, groups: Int, on pool: ThreadPool)
    -> Bool
  {
    guard case .selection(let rows, let other) = source else { return false }
    let prepared = other.prepared(for: target.scheme, on: pool)
    let values = DisjointMemory(target.values.reserve(tokens * stride))
    let scales = DisjointMemory(target.scales.reserve(tokens * groups))
    let sums = DisjointMemory(target.sums.reserve(tokens * groups))
    let offsets = DisjointMemory(target.offsets.reserve(prepared.offsets == nil ? 0 : tokens))
    pool.split(tokens, cost: tokens * stride) { part in
      let from = prepared.activations
      for t in part {
        UnsafeMutableRawPointer(values + t * stride).copyMemory(
          from: from.values + rows[t] * stride, byteCount: stride)
        if let found = prepared.offsets { offsets[t] = found[rows[t]] }
        guard let fromScales = from.scales, let fromSums = from.sums else { continue }
        (scales + t * groups).update(from: fromScales + rows[t] * groups, count: groups)
        (sums + t * groups).update(from: fromSums + rows[t] * groups, count: groups)
      }
    }
    return true
  }

  /// Shows every row to `use`, on any thread; rows that are not in memory are made for it alone.
  private func eachRow(on pool: ThreadPool, _ use: @Sendable (Int, UnsafePointer<Float>) -> Void) {
    let (width, cost) = (width, tokens * width * Self.costOfElement)
    switch source {
    case .memory(let rows):
      guard let rows else { return }
      pool.split(tokens, cost: cost) { part in
        for t in part { use(t, rows + t * width) }
      }
    case .function(let row):
      pool.split(tokens, cost: cost) { part in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) {
          guard let made = $0.baseAddress else { return }
          for t in part {
            row(t, made)
            use(t, made)
          }
        }
      }
    // Slices and selections are taken from what the other input has prepared.
    case .selection, .slice: return
    }
  }

  /// Bytes from one prepared row to the next: an odd number of lines, so that a cache does not keep
  /// all rows in the same few places.
  private static func stride(of bytes: Int) -> Int { ((bytes + 63) / 64 | 1) * 64 }

  /// What making and quantizing an element costs, in multiply-adds of F32.
  private static let costOfElement = 12

  private func preparedRows(in scheme: ActivationScheme) -> PreparedRows {
    if let known = preparedRows.first(where: { $0.scheme == scheme }) { return known }
    let new = PreparedRows(scheme)
    preparedRows.append(new)
    return new
  }
}

extension bb_activations {
  /// The same rows from `row` on.
  fileprivate func advanced(by row: Int) -> Self {
    var rest = self
    rest.values = values + row * stride
    rest.scales = scales.map { $0 + row * groups }
    rest.sums = sums.map { $0 + row * groups }
    return rest
  }
}

/// The rows of a `LinearInput` in one `ActivationScheme`; valid until that input's next `reset`.
///
/// Sendable by rule: the rows are complete when it is made and nobody writes to them before the
/// next `reset`; the input is held for its memory alone.
public struct PreparedInput: @unchecked Sendable {
  /// The rows as kernels take them.
  public let activations: bb_activations
  /// Rows.
  public let tokens: Int
  /// `[tokens]`: of codes between least and largest what they are counted from.
  let offsets: UnsafePointer<Float>?
  /// Holds the memory.
  private let owner: LinearInput

  init(
    _ owner: LinearInput, _ activations: bb_activations, offsets: UnsafePointer<Float>? = nil
  ) {
    self.owner = owner
    self.activations = activations
    self.offsets = offsets
    tokens = owner.tokens
  }
}
