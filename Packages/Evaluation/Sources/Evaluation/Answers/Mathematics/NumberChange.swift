/// Words behind a number that make another one of it, or none: `5 thousandths`, `5 or more`,
/// `5 Millionen`, `5万`. What is a unit of measure is known elsewhere.
enum NumberChange {
  /// Whether one of the words does, or they begin with the mark of a list.
  static func isMade(by text: String) -> Bool {
    if text.first(where: { $0 != " " }) == "," { return true }
    let parts = text.split { !$0.isLetter }
    // Kilograms and kilometres of Chinese begin with a thousand.
    let signs = text.replacing("千克", with: "").replacing("千米", with: "").unicodeScalars
    return parts.contains { $0 == "k" || words.contains($0.lowercased()) || isRefusal($0) }
      || signs.contains { scales.contains($0) }
  }

  /// Whether a word says that what stands before it is no answer.
  static func isRefusal(_ word: some StringProtocol) -> Bool {
    ["wrong", "incorrect", "invalid", "rejected", "extraneous"].contains(word.lowercased())
  }

  private static let words: Set<String> = [
    "or", "not", "nor", "oder", "ou", "nicht", "pas", "или", "не",
    "squared", "cubed", "factorial", "below", "least", "most", "too", "half", "demi", "halb",
    "media", "medio", "mezzo",
    "tenth", "hundredth", "thousandth", "millionth", "billionth", "halves", "thirds", "tenths",
    "hundredths", "thousandths", "millionths", "billionths", "mille", "permille", "promille",
    "hundreds", "thousands", "millions", "billions", "trillions", "hundert", "tausend", "million",
    "millionen", "milliarde", "milliarden", "mil", "millón", "millones", "milhão", "milhões",
    "milliard", "milliards", "mila", "milione", "milioni", "miliardi", "тысяч", "тысячи", "тысяча",
    "тыс", "миллион", "миллиона", "миллионов", "млн", "миллиард", "миллиардов", "млрд",
  ]

  /// Scales, halves, "or", "not", and "and more" of Chinese, Japanese and Korean.
  private static let scales = Set("十百千万萬亿億兆半多余或不以백천만억조반또".unicodeScalars)
}
