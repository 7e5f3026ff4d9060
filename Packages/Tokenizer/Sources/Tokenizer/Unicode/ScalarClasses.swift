/// The character classes that split patterns ask about, one byte per Unicode scalar.
///
/// The table covers planes 0 and 1 and is built once, on first use, from the standard library's
/// Unicode data; the rare scalars beyond are looked up one at a time.
///
/// Ids must be those of Hugging Face `tokenizers` also for the newest scalars, so classes stop at
/// the Unicode versions its tables know: 16 for patterns, 8 for punctuation.
struct ScalarClasses: OptionSet {
  let rawValue: UInt8

  /// `\p{L}`
  static let letter = ScalarClasses(rawValue: 1)
  /// `\p{N}`
  static let number = ScalarClasses(rawValue: 2)
  /// `\s`, Unicode White_Space
  static let space = ScalarClasses(rawValue: 4)
  /// `\p{P}` and the ASCII symbols, which Hugging Face's `Punctuation` counts in
  static let punctuation = ScalarClasses(rawValue: 8)
  /// `\w`: Alphabetic, Mark, Decimal_Number, Connector_Punctuation, Join_Control
  static let word = ScalarClasses(rawValue: 16)
  /// Carriage return and line feed.
  static let lineBreak = ScalarClasses(rawValue: 32)

  static let tableSize: UInt32 = 0x20000
  static let table: [ScalarClasses] = (0..<tableSize).map(lookUp)

  /// The classes of a scalar value, by table where there is one.
  @inline(__always)
  static func of(_ scalar: UInt32, _ table: UnsafePointer<ScalarClasses>) -> ScalarClasses {
    scalar < tableSize ? table[Int(scalar)] : lookUp(scalar)
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The classes of one scalar value, from the standard library's Unicode data.
  static func lookUp(_ value: UInt32) -> ScalarClasses {
    switch value {
    case 0x3400..<0x4DC0, 0x4E00..<0xA000, 0xAC00..<0xD7A4: return [.letter, .word]
    case 0xD7FC..<0xF900: return []
    default: break
    }
    guard let properties = Unicode.Scalar(value)?.properties else { return [] }
    var classes: ScalarClasses = []
    if properties.isWhitespace { classes.insert(.space) }
    if value < 0x80, properties.isPatternSyntax { classes.insert(.punctuation) }
    if value == 0x0A || value == 0x0D { classes.insert(.lineBreak) }
    let version = properties.age?.major ?? .max
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      if version <= 16 { classes.insert(.letter) }
    case .decimalNumber: classes.formUnion(version <= 16 ? [.number, .word] : .word)
    case .letterNumber, .otherNumber: if version <= 16 { classes.insert(.number) }
    case .connectorPunctuation: classes.formUnion([.punctuation, .word])
    case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      if version <= 8 { classes.insert(.punctuation) }
    case .nonspacingMark, .spacingMark, .enclosingMark: classes.insert(.word)
    default: break
    }
    // Punctuation in Unicode 8 that is something else now.
    if value == 0x166D || value == 0x111C9 { classes.insert(.punctuation) }
    if properties.isAlphabetic || properties.isJoinControl { classes.insert(.word) }
    return classes
  }
}

extension ScalarClasses {
  /// Calls `body` with ``table`` as a pointer, valid inside `body`.
  @inline(__always)
  static func withTable<Result>(_ body: (UnsafePointer<ScalarClasses>) -> Result) -> Result {
    table.withUnsafeBufferPointer { table in
      // The table is never empty, so it has an address.
      body(table.baseAddress.unsafelyUnwrapped)
    }
  }
}
