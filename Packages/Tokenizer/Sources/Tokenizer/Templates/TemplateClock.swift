import Foundation

/// `strftime_now`: the time in the local zone, in English.
enum TemplateClock {
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// `now` written as `format` says.
  /// - Throws: for a directive that is not known.
  static func format(_ format: String, _ now: Date, _ call: TemplateCall) throws(TokenizerError)
    -> String
  {
    let time = Calendar(identifier: .gregorian).dateComponents(
      [.year, .month, .day, .hour, .minute, .second, .weekday, .dayOfYear], from: now)
    var result = ""
    var scalars = format.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var directive = scalars.next()
      let isPadded = directive != "-"
      if !isPadded { directive = scalars.next() }
      guard let directive, let text = text(directive, time, isPadded: isPadded) else {
        throw call.failed("unknown directive in '\(format)'")
      }
      result += text
    }
    return result
  }

  private static func text(_ directive: Unicode.Scalar, _ time: DateComponents, isPadded: Bool)
    -> String?
  {
    func number(_ value: Int?, width: Int = 2) -> String? {
      guard let value else { return nil }
      let digits = String(value)
      return (isPadded ? String(repeating: "0", count: max(width - digits.count, 0)) : "") + digits
    }
    let hour = time.hour ?? 0
    let month = months[((time.month ?? 1) - 1) % months.count]
    let weekday = weekdays[((time.weekday ?? 1) - 1) % weekdays.count]
    switch directive {
    case "%": return "%"
    case "Y": return number(time.year, width: 4)
    case "y": return number((time.year ?? 0) % 100)
    case "m": return number(time.month)
    case "B": return month
    case "b": return String(month.prefix(3))
    case "d": return number(time.day)
    case "j": return number(time.dayOfYear, width: 3)
    case "A": return weekday
    case "a": return String(weekday.prefix(3))
    case "H": return number(hour)
    case "I": return number((hour + 11) % 12 + 1)
    case "p": return hour < 12 ? "AM" : "PM"
    case "M": return number(time.minute)
    case "S": return number(time.second)
    default: return nil
    }
  }
}
