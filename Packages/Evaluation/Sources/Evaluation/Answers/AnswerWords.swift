/// Words of several languages that stand around an answer: "the answer is".
enum AnswerWords {
  /// "Answer", and "choose" as in "choose B", in Chinese; "answer" in Japanese, Korean, German,
  /// French, Spanish, Portuguese, Italian and Russian.
  static let nouns: [StaticString] = [
    "\u{7b54}\u{6848}", "\u{9009}\u{62e9}", "\u{7b54}\u{3048}", "\u{c815}\u{b2f5}", "antwort",
    "r\u{e9}ponse", "respuesta", "resposta", "risposta", "\u{43e}\u{442}\u{432}\u{435}\u{442}",
    "\u{41e}\u{442}\u{432}\u{435}\u{442}",
  ]

  /// "Is" in German, English, French, Spanish, Portuguese, Italian, Chinese, Japanese and Korean; a
  /// word before those that it begins with.
  static let verbs: [StaticString] = [
    "ist", "is", "lautet", "est", "es", "\u{e9}", "\u{e8}", "\u{662f}", "\u{4e3a}", "\u{306f}",
    "\u{c740}", "\u{b294}",
  ]

  /// What may stand between the noun and an option, beside English words.
  static let adjectives: [StaticString] = [
    "correcta", "correcte", "correta", "corretta", "opci\u{f3}n", "op\u{e7}\u{e3}o", "opzione",
    "la ",
    "l'", "die ",
  ]
}
