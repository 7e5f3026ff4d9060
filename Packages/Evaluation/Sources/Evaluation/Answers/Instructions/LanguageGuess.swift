import Foundation

/// Guesses the language of a text: by its script, then by letters and common words.
struct LanguageGuess: Sendable, Hashable {
  /// The language's ISO 639-1 code.
  let code: String

  /// The language of a text; nil for a text without letters.
  init?(_ text: String) {
    let letters = text.unicodeScalars.filter(\.properties.isAlphabetic)
    guard !letters.isEmpty else { return nil }
    var counts: [String: Int] = [:]
    for letter in letters {
      if let script = Self.scripts.first(where: { $0.range.contains(letter.value) }) {
        counts[script.name, default: 0] += 1
      }
    }
    let script = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "latin"
    let words = text.lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
    code =
      switch script {
      case "latin": Self.latin(words, text)
      case "cyrillic": Self.cyrillic(text.lowercased())
      case "arabic": Self.arabic(text)
      case "devanagari": Self.devanagari(words)
      default: script
      }
  }

  /// Scripts; those that one language is written in go by its code.
  private static let scripts: [(name: String, range: ClosedRange<UInt32>)] = [
    ("latin", 0x41...0x24F), ("latin", 0x1E00...0x1EFF), ("el", 0x370...0x3FF),
    ("cyrillic", 0x400...0x52F), ("he", 0x590...0x5FF), ("arabic", 0x600...0x77F),
    ("devanagari", 0x900...0x97F), ("bn", 0x980...0x9FF), ("pa", 0xA00...0xA7F),
    ("gu", 0xA80...0xAFF), ("ta", 0xB80...0xBFF), ("te", 0xC00...0xC7F), ("kn", 0xC80...0xCFF),
    ("ml", 0xD00...0xD7F), ("th", 0xE00...0xE7F), ("ko", 0x1100...0x11FF),
    ("ko", 0xAC00...0xD7AF), ("ja", 0x3040...0x30FF), ("zh-cn", 0x4E00...0x9FFF),
  ]

  private static func latin(_ words: [String], _ text: String) -> String {
    let vietnamese = text.unicodeScalars.count {
      (0x1EA0...0x1EF9).contains($0.value) || "đơưĐƠƯ".unicodeScalars.contains($0)
    }
    if vietnamese * 20 > text.unicodeScalars.count { return "vi" }
    var best = ("en", 0)
    for (code, common) in common {
      let votes = words.count(where: common.contains)
      if votes > best.1 { best = (code, votes) }
    }
    return best.0
  }

  private static func cyrillic(_ text: String) -> String {
    if text.contains(where: { "іїєґ".contains($0) }) { return "uk" }
    if text.contains(where: { "ыэё".contains($0) }) { return "ru" }
    return text.count(where: { $0 == "ъ" }) * 200 > text.count ? "bg" : "ru"
  }

  private static func arabic(_ text: String) -> String {
    if text.contains(where: { "ٹڈڑےں".contains($0) }) { return "ur" }
    return text.contains(where: { "پچژگ".contains($0) }) ? "fa" : "ar"
  }

  private static func devanagari(_ words: [String]) -> String {
    let marks: [(String, Set<String>)] = [
      ("hi", ["है", "हैं", "और", "में", "की", "के", "का", "से", "यह", "नहीं", "को", "पर"]),
      ("mr", ["आहे", "आणि", "आहेत", "मध्ये", "नाही", "हे", "च्या", "या", "ते", "होते", "ही"]),
      ("ne", ["छ", "र", "छन्", "मा", "हो", "को", "लाई", "यो", "गर्न", "पनि", "तपाईं"]),
    ]
    var best = ("hi", 0)
    for (code, common) in marks {
      let votes = words.count(where: common.contains)
      if votes > best.1 { best = (code, votes) }
    }
    return best.0
  }

  /// Common words of languages in Latin letters, English first, so that it wins where none decides.
  private static let common: [(String, Set<String>)] = [
    (
      "en",
      [
        "the", "and", "of", "to", "in", "is", "you", "that", "it", "for", "are", "with", "this",
        "your", "be", "on", "i", "my", "as", "we", "have", "not", "can", "was",
      ]
    ),
    (
      "es",
      ["el", "la", "de", "que", "y", "en", "los", "las", "por", "una", "para", "con", "es", "se"]
    ),
    (
      "pt", ["o", "de", "que", "e", "do", "da", "em", "um", "uma", "para", "não", "os", "com", "é"]
    ),
    (
      "fr",
      ["le", "la", "les", "de", "des", "et", "un", "une", "est", "que", "pour", "dans", "vous"]
    ),
    (
      "de",
      ["der", "die", "das", "und", "ist", "nicht", "ein", "eine", "zu", "den", "mit", "ich", "sie"]
    ),
    (
      "it",
      ["il", "di", "che", "e", "la", "un", "una", "per", "non", "sono", "con", "del", "gli", "è"]
    ),
    ("nl", ["de", "het", "een", "en", "van", "ik", "niet", "dat", "zijn", "voor", "op", "met"]),
    ("pl", ["i", "w", "na", "nie", "się", "że", "jest", "do", "to", "z", "dla", "jak"]),
    ("fi", ["ja", "on", "ei", "se", "että", "ovat", "tai", "kun", "voi", "joka", "hän", "mutta"]),
    ("sv", ["och", "att", "det", "som", "en", "är", "för", "inte", "med", "på", "jag", "av"]),
    ("sw", ["na", "ya", "wa", "kwa", "ni", "za", "katika", "hii", "la", "kuwa", "cha", "yako"]),
    ("tr", ["ve", "bir", "bu", "için", "ile", "de", "da", "çok", "daha", "olarak", "gibi"]),
    ("id", ["yang", "dan", "di", "untuk", "dengan", "ini", "dari", "pada", "adalah", "tidak"]),
  ]
}
