/// Numbers that are written out: `twelve`, `one hundred and five`, `two-thirds`, `three and a half`.
enum NumberWords {
  /// A text that begins with a number in words, with that number in digits; other texts as they
  /// are.
  static func inDigits(_ text: [UInt8]) -> [UInt8] {
    guard let first = text[...].trimmed.first, first.isLetter, text.count <= 200 else {
      return text
    }
    let words = String(decoding: text, as: UTF8.self)
      .split { " -~".contains($0) }.map { $0.lowercased() }
    var end = 0
    while end < words.count, isPart(words[end]) { end += 1 }
    while end > 0 {
      let isAll = end == words.count
      if let number = latex(words[..<end]), isAll || words[..<end] != ["half"] {
        let rest = words[end...].joined(separator: " ")
        return Array((rest.isEmpty ? number : number + " " + rest).utf8)
      }
      end -= 1
    }
    return text
  }

  private static let small: [String: Int] = {
    let names = [
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
      "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
      "nineteen",
    ]
    return Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
  }()
  private static let tens = [
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
  ]
  private static let scales = [
    "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000,
  ]
  private static let parts = [
    "half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10,
  ]

  private static func isPart(_ word: String) -> Bool {
    small[word] != nil || tens[word] != nil || scales[word] != nil || part(word) != nil
      || ["hundred", "dozen", "and", "a", "an", "negative", "minus"].contains(word)
  }

  private static func part(_ word: String) -> Int? {
    if word == "halves" { return 2 }
    return parts[word] ?? (word.hasSuffix("s") ? parts[String(word.dropLast())] : nil)
  }

  private static func latex(_ words: ArraySlice<String>) -> String? {
    if let first = words.first, ["negative", "minus"].contains(first) {
      return latex(words.dropFirst()).map { "-" + $0 }
    }
    guard let last = words.last, let bottom = part(last) else {
      return whole(words).map(String.init)
    }
    // What stands before the part is how many there are, perhaps behind a whole number and "and".
    let before = words.dropLast()
    if before.isEmpty { return last == "half" ? "\\frac{1}{2}" : nil }
    if let top = count(before) { return "\\frac{\(top)}{\(bottom)}" }
    guard let and = before.lastIndex(of: "and"), let number = whole(before[..<and]),
      let top = count(before[(and + 1)...])
    else { return nil }
    return "\(number)\\frac{\(top)}{\(bottom)}"
  }

  private static func count(_ words: ArraySlice<String>) -> Int? {
    words.count == 1 && ["a", "an"].contains(words.first) ? 1 : whole(words)
  }

  /// A whole number; nil for words in an order that no number has.
  private static func whole(_ words: ArraySlice<String>) -> Int? {
    var total = 0
    var group: Int?
    // The least place that is taken within the group: 1 after a digit, 10 after `twenty`.
    var place = 1000
    var smallestScale = Int.max
    var mayJoin = false
    for (index, word) in words.enumerated() {
      if word == "and" {
        guard mayJoin, index < words.count - 1 else { return nil }
        mayJoin = false
        continue
      }
      mayJoin = false
      if let digit = small[word] {
        guard place > (digit > 9 ? 10 : 1), place != 10 || digit > 0, place > 10 || digit < 10
        else { return nil }
        group = (group ?? 0) + digit
        place = 1
      } else if let ten = tens[word] {
        guard place > 10 else { return nil }
        group = (group ?? 0) + ten
        place = 10
      } else if ["a", "an"].contains(word) {
        guard index == 0, words.count > 1 else { return nil }
        group = 1
        place = 1
      } else if word == "hundred" || word == "dozen" {
        guard let count = group, (1...99).contains(count) else { return nil }
        group = count * (word == "dozen" ? 12 : 100)
        place = 100
        mayJoin = true
      } else if let scale = scales[word] {
        guard let count = group, scale < smallestScale else { return nil }
        total += count * scale
        smallestScale = scale
        group = nil
        place = 1000
        mayJoin = true
      } else {
        return nil
      }
    }
    return group == nil && smallestScale == .max ? nil : total + (group ?? 0)
  }
}
