import JSON

/// The JSON texts that a schema allows, as an automaton over bytes.
///
/// Members of an object come in the order in which the schema names them, and no others where it
/// names any. Where blank text may stand, that is a space, or a line break and an indentation, and
/// nothing before commas and colons. Every state leads to the end of a text: what could not be
/// finished, such as a value nested too deeply, cannot be begun.
final class JSONGrammar: Sendable {
  /// What a value may be. Values within values are named by their index in the grammar.
  enum Node: Sendable {
    case any
    case string
    case number(isInteger: Bool)
    /// One of some texts, such as the values of an enumeration; here in the order of their bytes,
    /// each once.
    case texts([[UInt8]])
    case object([Member])
    /// Any members of one kind of value.
    case map(Int)
    case array(Int, ClosedRange<Int>)
    case union([Int])
    /// A value between two fixed texts, and more of the same with a line break between where it
    /// repeats.
    case framed([UInt8], Int, [UInt8], repeats: Bool)
  }

  struct Member: Sendable {
    /// The name with its quotation marks.
    let name: [UInt8]
    let value: Int
    let isRequired: Bool
  }

  let nodes: [Node]
  let root: Int
  /// Frames that the shortest text of each node takes at most, on top of those below it.
  private let depths: [Int]
  /// What each choice comes down to, whatever choices it leads to on the way.
  private let leaves: [[Int]]

  /// Any object.
  static let anyObject = JSONGrammar(nodes: [.any, .map(0)], root: 1)

  /// The texts of the value `root` among `nodes`.
  init(nodes: [Node], root: Int) {
    self.root = root
    // Behind the schema's own: any value, and what any value may hold.
    let all = nodes + [.any, .map(nodes.count), .array(nodes.count, 0...Int.max)]
    self.nodes = all.map { node in
      guard case .texts(let texts) = node else { return node }
      return .texts(Set(texts).sorted { $0.lexicographicallyPrecedes($1) })
    }
    depths = GrammarDepths(all).values
    leaves = all.indices.map { Self.leaves(of: $0, among: all) }
  }

  private static func leaves(of node: Int, among nodes: [Node]) -> [Int] {
    guard case .union = nodes[node] else { return [] }
    var (found, seen, open): ([Int], Set<Int>, [Int]) = ([], [node], [node])
    while let next = open.popLast() {
      guard case .union(let choices) = nodes[next] else {
        found.append(next)
        continue
      }
      open += choices.reversed().filter { seen.insert($0).inserted }
    }
    return found
  }

  /// Whether any text of the grammar ends.
  var hasTexts: Bool { depths[root] <= Self.deepest }

  /// What is still to come of a text, the next thing last.
  struct Thread: Hashable, Sendable {
    var frames: [Frame]
    /// The blank text that has come just now: 0 for none, 1 for a space, 2 and more for a line
    /// break and so many spaces less two.
    var blanks = 0
  }

  enum Frame: Hashable, Sendable {
    case value(Int)
    /// A fixed text from some byte on.
    case text([UInt8], Int)
    /// Those of a node's texts that begin with the bytes that have come, and go on.
    case among(Int, Range<Int>, from: Int)
    case string(StringPlace)
    case number(NumberPlace, digits: Int, isInteger: Bool)
    case colon
    /// Members of an object from the index on, the first of which has no comma before it.
    case members(Int, from: Int, isFirst: Bool)
    case name(Int, from: Int)
    case elements(Int, count: Int)
    case entries(Int, isFirst: Bool)
    case entryName(Int)
    /// Another text of a node that repeats, or the end.
    case again(Int)
  }

  /// Where within a string.
  enum StringPlace: Hashable, Sendable {
    case text
    case escape
    case hex(Int)
    /// Bytes of a character that are still to come.
    case tail(Int)
  }

  /// Behind what of a number.
  enum NumberPlace: Hashable, Sendable {
    case sign, zero, digits, point, fraction, exponent, exponentSign, exponentDigits

    var canEnd: Bool {
      [.zero, .digits, .fraction, .exponentDigits].contains(self)
    }
  }

  /// All ways to read what has come.
  typealias State = [Thread]

  /// Ways of reading, each once. Of a schema that can be read in too many ways at once the first ones count: a text goes
  /// on as they say, and ends.
  private struct Readings {
    private(set) var threads: State = []
    private var known: Set<Thread> = []

    var isFull: Bool { threads.count >= mostThreads }

    mutating func insert(_ thread: Thread) {
      if !isFull, known.insert(thread).inserted { threads.append(thread) }
    }
  }

  private static let mostThreads = 2048
  private static let mostBlanks = 18
  private static let mostDigits = 18
  private static let deepest = 96

  /// Nothing has come yet.
  var start: State { [Thread(frames: [.value(root)])] }

  /// Blank text has come, and no more of it may.
  var startBehindBlanks: State { [Thread(frames: [.value(root)], blanks: Self.mostBlanks)] }

  /// Whether a text may end here.
  static func isComplete(_ state: State) -> Bool {
    state.contains { thread in
      var frames = thread.frames
      if case .number(let place, _, _)? = frames.last, place.canEnd { frames.removeLast() }
      if case .again? = frames.last { frames.removeLast() }
      return frames.isEmpty
    }
  }

  /// What follows a byte; nothing where it is not allowed.
  func step(_ state: State, _ byte: UInt8) -> State {
    var next = Readings()
    for thread in state { advance(thread, byte, into: &next) }
    return next.threads
  }

  private func advance(_ thread: Thread, _ byte: UInt8, into next: inout Readings) {
    guard let top = thread.frames.last, !next.isFull else { return }
    let rest = Array(thread.frames.dropLast())
    func go(_ frames: [Frame]) { next.insert(Thread(frames: rest + frames)) }
    func retry(_ frames: [Frame]) {
      advance(Thread(frames: rest + frames, blanks: thread.blanks), byte, into: &next)
    }
    switch top {
    case .text(let bytes, let place):
      if bytes[place] == byte { go(place + 1 == bytes.count ? [] : [.text(bytes, place + 1)]) }
      return
    case .among(let node, let range, let place):
      guard case .texts(let texts) = nodes[node] else { return }
      var found = Self.range(of: byte, at: place, in: texts[range])
      // The shortest comes first.
      if let first = found.first, texts[first].count == place + 1 {
        go([])
        found = found.dropFirst()
      }
      if !found.isEmpty { go([.among(node, found, from: place + 1)]) }
      return
    case .string(let place):
      if let following = Self.follow(place, byte) { go(following.map { [.string($0)] } ?? []) }
      return
    case .number(let place, let digits, let isInteger):
      if let following = Self.follow(place, byte, isInteger),
        digits + (following.canEnd ? 0 : 1) < Self.mostDigits
      {
        go([.number(following, digits: digits + 1, isInteger: isInteger)])
      } else if place.canEnd {
        retry([])
      }
      return
    default: break
    }
    if let blanks = Self.follow(blanks: thread.blanks, byte), takesBlanks(top) {
      next.insert(Thread(frames: thread.frames, blanks: blanks))
      return
    }
    if byte == UInt8(ascii: ","), thread.blanks > 0 { return }
    switch top {
    case .value(let node):
      for frames in begin(node, byte, room: Self.deepest - rest.count) { retry(frames) }
    case .colon: if byte == UInt8(ascii: ":") { go([]) }
    case .members(let node, let from, let isFirst):
      guard case .object(let members) = nodes[node] else { return }
      if byte == UInt8(ascii: "}"), !members[from...].contains(where: \.isRequired) { go([]) }
      if isFirst {
        retry([.name(node, from: from)])
      } else if byte == UInt8(ascii: ","), from < members.count {
        go([.name(node, from: from)])
      }
    case .name(let node, let from):
      guard case .object(let members) = nodes[node] else { return }
      for index in from..<members.count {
        let member = members[index]
        if member.isRequired || fits(member.value, rest) {
          retry([
            .members(node, from: index + 1, isFirst: false), .value(member.value), .colon,
            .text(member.name, 0),
          ])
        }
        if member.isRequired { break }
      }
    case .elements(let node, let count):
      guard case .array(let value, let range) = nodes[node] else { return }
      if byte == UInt8(ascii: "]"), range.contains(count) { go([]) }
      guard count < range.upperBound, count < range.lowerBound || fits(value, rest) else { return }
      // Beyond the least number of elements the count no longer matters where there is no most.
      let after = range.upperBound == .max ? min(count + 1, max(range.lowerBound, 1)) : count + 1
      let frames: [Frame] = [.elements(node, count: after), .value(value)]
      if count == 0 { retry(frames) } else if byte == UInt8(ascii: ",") { go(frames) }
    case .entries(let node, let isFirst):
      if byte == UInt8(ascii: "}") { go([]) }
      guard case .map(let value) = nodes[node], fits(value, rest) else { return }
      if isFirst {
        retry([.entryName(node)])
      } else if byte == UInt8(ascii: ",") {
        go([.entryName(node)])
      }
    case .entryName(let node):
      guard case .map(let value) = nodes[node], byte == UInt8(ascii: "\"") else { return }
      go([.entries(node, isFirst: false), .value(value), .colon, .string(.text)])
    case .again(let node):
      guard case .framed(let open, let value, let close, _) = nodes[node] else { return }
      retry([.again(node), .text(close, 0), .value(value), .text([0x0A] + open, 0)])
    case .text, .among, .string, .number: return
    }
  }

  /// The texts that go on with a byte; all are longer, equal before and in order.
  private static func range(
    of byte: UInt8, at place: Int, in texts: ArraySlice<[UInt8]>
  ) -> Range<Int> {
    func first(_ isBeyond: (UInt8) -> Bool) -> Int {
      var (low, high) = (texts.startIndex, texts.endIndex)
      while low < high {
        let middle = (low + high) / 2
        if isBeyond(texts[middle][place]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
    return first { $0 >= byte }..<first { $0 > byte }
  }

  /// Whether blank text may stand here: not where only a comma, a colon or a fixed text may follow.
  private func takesBlanks(_ top: Frame) -> Bool {
    switch top {
    case .colon, .again, .text, .among, .string, .number: return false
    case .members(let node, let from, let isFirst):
      guard !isFirst, case .object(let members) = nodes[node] else { return true }
      return !members[from...].contains(where: \.isRequired)
    case .elements(let node, let count):
      guard count > 0, case .array(_, let range) = nodes[node] else { return true }
      return range.contains(count)
    case .value(let node):
      if case .framed = nodes[node] { return false }
      return true
    case .name, .entries, .entryName: return true
    }
  }

  /// Whether a value that need not be can be finished on top of these frames and its object's or
  /// array's.
  private func fits(_ value: Int, _ rest: [Frame]) -> Bool {
    GrammarDepths.member(depths[value]) <= Self.deepest - rest.count
  }

  /// What a value that begins with a byte may be, in so many frames.
  private func begin(_ node: Int, _ byte: UInt8, room: Int) -> [[Frame]] {
    guard depths[node] <= room else { return [] }
    switch nodes[node] {
    case .any:
      switch byte {
      case UInt8(ascii: "{"): return [[.entries(anyMap, isFirst: true), .text([byte], 0)]]
      case UInt8(ascii: "["): return [[.elements(anyArray, count: 0), .text([byte], 0)]]
      case UInt8(ascii: "\""): return [[.string(.text), .text([byte], 0)]]
      case UInt8(ascii: "t"): return [[.text(Array("true".utf8), 0)]]
      case UInt8(ascii: "f"): return [[.text(Array("false".utf8), 0)]]
      case UInt8(ascii: "n"): return [[.text(Array("null".utf8), 0)]]
      default: return Self.number(byte, isInteger: false)
      }
    case .string: return [[.string(.text), .text([UInt8(ascii: "\"")], 0)]]
    case .number(let isInteger): return Self.number(byte, isInteger: isInteger)
    case .texts(let texts): return [[.among(node, texts.indices, from: 0)]]
    case .object:
      return [[.members(node, from: 0, isFirst: true), .text([UInt8(ascii: "{")], 0)]]
    case .map: return [[.entries(node, isFirst: true), .text([UInt8(ascii: "{")], 0)]]
    case .array: return [[.elements(node, count: 0), .text([UInt8(ascii: "[")], 0)]]
    case .union: return leaves[node].flatMap { begin($0, byte, room: room) }
    case .framed(let open, let value, let close, let repeats):
      let frames: [Frame] = [.text(close, 0), .value(value), .text(open, 0)]
      return open.first == byte ? [repeats ? [.again(node)] + frames : frames] : []
    }
  }

  private var anyMap: Int { nodes.count - 2 }
  private var anyArray: Int { nodes.count - 1 }

  private static func number(_ byte: UInt8, isInteger: Bool) -> [[Frame]] {
    switch byte {
    case UInt8(ascii: "-"):
      [[.number(.sign, digits: 0, isInteger: isInteger), .text([byte], 0)]]
    case UInt8(ascii: "0"):
      [[.number(.zero, digits: 1, isInteger: isInteger), .text([byte], 0)]]
    case UInt8(ascii: "1")...UInt8(ascii: "9"):
      [[.number(.digits, digits: 1, isInteger: isInteger), .text([byte], 0)]]
    default: []
    }
  }

  /// The place behind a byte of a string, nil within for its end; nil where the byte is not
  /// allowed.
  private static func follow(_ place: StringPlace, _ byte: UInt8) -> StringPlace?? {
    switch place {
    case .text:
      switch byte {
      case UInt8(ascii: "\""): return .some(nil)
      case UInt8(ascii: "\\"): return .escape
      case 0x20...0x7F: return .text
      case 0xC2...0xDF: return .tail(1)
      case 0xE0...0xEF: return .tail(2)
      case 0xF0...0xF4: return .tail(3)
      default: return nil
      }
    case .tail(let left):
      guard (0x80...0xBF).contains(byte) else { return nil }
      return left > 1 ? .tail(left - 1) : .text
    case .escape:
      if byte == UInt8(ascii: "u") { return .hex(4) }
      return "\"\\/bfnrt".utf8.contains(byte) ? .text : nil
    case .hex(let left):
      guard "0123456789abcdefABCDEF".utf8.contains(byte) else { return nil }
      return left > 1 ? .hex(left - 1) : .text
    }
  }

  private static func follow(
    _ place: NumberPlace, _ byte: UInt8, _ isInteger: Bool
  ) -> NumberPlace? {
    let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    switch place {
    case .sign: return byte == UInt8(ascii: "0") ? .zero : isDigit ? .digits : nil
    case .zero, .digits:
      if isDigit { return place == .digits ? .digits : nil }
      if isInteger { return nil }
      return byte == UInt8(ascii: ".") ? .point : isExponent(byte) ? .exponent : nil
    case .point: return isDigit ? .fraction : nil
    case .fraction: return isDigit ? .fraction : isExponent(byte) ? .exponent : nil
    case .exponent:
      if isDigit { return .exponentDigits }
      return byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") ? .exponentSign : nil
    case .exponentSign, .exponentDigits: return isDigit ? .exponentDigits : nil
    }
  }

  /// The blank text behind a byte; nil where that does not belong to it.
  private static func follow(blanks: Int, _ byte: UInt8) -> Int? {
    switch (byte, blanks) {
    case (0x20, 0): 1
    case (0x0A, 0): 2
    case (0x20, 2..<mostBlanks): blanks + 1
    default: nil
    }
  }

  private static func isExponent(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
  }
}
