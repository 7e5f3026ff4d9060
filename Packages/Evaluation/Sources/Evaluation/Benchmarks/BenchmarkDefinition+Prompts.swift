import Foundation

extension BenchmarkDefinition {
  /// How prompts reach the model.
  public var promptForm: PromptForm { form ?? .chat }

  /// What stands before all of a prompt to an item: the description with the item's group in words.
  func opening(of item: BenchmarkItem) -> String {
    guard let preamble = preambles?[item.group ?? ""] ?? preamble else { return "" }
    return preamble.replacingOccurrences(of: "{group}", with: item.groupInWords)
  }

  /// The user's message for an item that shows its options in a given order.
  func message(for item: BenchmarkItem, order: [Int]) -> String {
    prompt.render(
      question: item.question, choices: order.map { item.choices[$0] }, line: choices?.line,
      group: item.groupInWords)
  }

  /// What is scored of an item; empty where replies are generated.
  func candidates(of item: BenchmarkItem, order: [Int]) -> [Candidate] {
    guard grading.isOfLikelihoods, let choices else { return [] }
    let delimiter = promptForm == .text ? " " : ""
    return order.enumerated().map { place, index in
      let option = item.choices[index]
      if let blank = choices.blank {
        let (before, behind) = Self.parts(of: item.question, around: blank)
        return Candidate(
          prompt: before + option, continuation: delimiter + behind,
          characters: option.unicodeScalars.count)
      }
      let text = choices.scoredText(option, place: place)
      return Candidate(
        prompt: nil, continuation: delimiter + text, characters: text.unicodeScalars.count)
    }
  }

  /// An item as an example before another one.
  func example(_ item: BenchmarkItem) -> PromptExample {
    let order = Array(item.choices.indices)
    guard let choices, let correct = item.correctChoice else {
      return PromptExample(question: message(for: item, order: order), answer: item.answer)
    }
    if let blank = choices.blank {
      let (before, behind) = Self.parts(of: item.question, around: blank)
      return PromptExample(question: before + item.choices[correct], answer: behind)
    }
    return PromptExample(
      question: message(for: item, order: order),
      answer: choices.scoredText(item.choices[correct], place: correct))
  }

  /// The text before a blank and, without the white space around it, the text behind it.
  private static func parts(of text: String, around blank: String) -> (String, String) {
    guard let place = text.range(of: blank) else { return (text, "") }
    return (
      String(text[..<place.lowerBound]),
      text[place.upperBound...].trimmingCharacters(in: .whitespacesAndNewlines)
    )
  }
}

extension BenchmarkItem {
  /// The group with blanks for its underscores.
  var groupInWords: String { (group ?? "").replacingOccurrences(of: "_", with: " ") }
}

extension ChoicePresentation {
  /// What is scored, or to be answered, for an option.
  func scoredText(_ option: String, place: Int) -> String {
    guard let scored else { return option }
    return Self.fill(scored, option: option, place: place)
  }

  /// A text with `{letter}`, `{number}` and `{text}` replaced by those of an option.
  static func fill(_ template: String, option: String, place: Int) -> String {
    var filled = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{") {
      filled += rest[..<open]
      rest = rest[open...]
      let words = [
        "{letter}": ChoiceLetter.name(place), "{number}": "\(place + 1)", "{text}": option,
      ]
      if let (word, value) = words.first(where: { rest.hasPrefix($0.key) }) {
        filled += value
        rest = rest.dropFirst(word.count)
      } else {
        filled += "{"
        rest = rest.dropFirst()
      }
    }
    return filled + rest
  }
}
