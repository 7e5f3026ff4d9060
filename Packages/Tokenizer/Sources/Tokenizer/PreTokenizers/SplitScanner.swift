import JSON

/// Cuts text into the pieces that a split pattern matches, one call per piece.
///
/// The patterns here match at every position, so pieces lie end to end.
protocol SplitScanner: Sendable {
  /// The end of the piece that starts at `start` (< `end`). Text past `end` is not looked at.
  ///
  /// `text` is valid UTF-8 and `classes` is ``ScalarClasses/table``.
  func pieceEnd(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int,
    classes: UnsafePointer<ScalarClasses>
  ) -> Int
}

/// The parts that the scanners share.
enum Scan {
  typealias Text = UnsafeBufferPointer<UInt8>
  typealias Classes = UnsafePointer<ScalarClasses>

  /// The classes and the length of the scalar at `position`.
  @inline(__always)
  static func scalar(_ text: Text, _ position: Int, _ classes: Classes)
    -> (classes: ScalarClasses, length: Int)
  {
    let byte = text[position]
    if byte < 0x80 { return (classes[Int(byte)], 1) }
    let (scalar, length) = UTF8Text.scalar(text, at: position)
    return (ScalarClasses.of(scalar, classes), length)
  }

  /// The end of the run of scalars that have any of `wanted`.
  @inline(__always)
  static func run(
    of wanted: ScalarClasses, in text: Text, from start: Int, to end: Int, _ classes: Classes
  ) -> Int {
    var position = start
    while position < end {
      let (found, length) = scalar(text, position, classes)
      if found.isDisjoint(with: wanted) { break }
      position += length
    }
    return position
  }

  /// The end of the run of scalars that have none of `unwanted`.
  @inline(__always)
  static func run(
    without unwanted: ScalarClasses, in text: Text, from start: Int, to end: Int,
    _ classes: Classes
  ) -> Int {
    var position = start
    while position < end {
      let (found, length) = scalar(text, position, classes)
      if !found.isDisjoint(with: unwanted) { break }
      position += length
    }
    return position
  }

  /// `\s+(?!\S)|\s+`: white space, without its last scalar when text follows; a single one whole.
  @inline(__always)
  static func spaceEnd(in text: Text, from start: Int, to end: Int, _ classes: Classes) -> Int {
    let runEnd = run(of: .space, in: text, from: start, to: end, classes)
    guard runEnd < end else { return runEnd }
    let last = runEnd - UTF8Text.scalar(text, before: runEnd).length
    return last > start ? last : runEnd
  }
}
