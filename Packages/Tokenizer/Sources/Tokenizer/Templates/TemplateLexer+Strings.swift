extension TemplateLexer {
  /// Reads a quoted string with Python's escapes; an unknown escape keeps its backslash.
  mutating func readString(quote: Unicode.Scalar) throws(TokenizerError) -> String {
    let start = line
    var result = String.UnicodeScalarView()
    advance()
    while let scalar = current {
      advance()
      if scalar == quote { return String(result) }
      guard scalar == "\\", let letter = current else {
        result.append(scalar)
        continue
      }
      advance()
      switch letter {
      case "\n": break
      case "\\", "'", "\"": result.append(letter)
      case "a": result.append("\u{07}")
      case "b": result.append("\u{08}")
      case "f": result.append("\u{0C}")
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "t": result.append("\t")
      case "v": result.append("\u{0B}")
      case "x": result.append(try readCode(digits: 2...2, radix: 16))
      case "u": result.append(try readCode(digits: 4...4, radix: 16))
      case "U": result.append(try readCode(digits: 8...8, radix: 16))
      case "0"..."7":
        stepBack()
        result.append(try readCode(digits: 1...3, radix: 8))
      default:
        result.append("\\")
        result.append(letter)
      }
    }
    throw .templateSyntax(line: start, reason: "unclosed string")
  }

  private mutating func readCode(digits: ClosedRange<Int>, radix: Int) throws(TokenizerError)
    -> Unicode.Scalar
  {
    var value: UInt32 = 0
    var count = 0
    while count < digits.upperBound,
      let digit = current.map({ Character($0).hexDigitValue }) ?? nil,
      digit < radix
    {
      value = value * UInt32(radix) + UInt32(digit)
      count += 1
      advance()
    }
    guard count >= digits.lowerBound, let scalar = Unicode.Scalar(value) else {
      throw .templateSyntax(line: line, reason: "not a character code in a string")
    }
    return scalar
  }
}
