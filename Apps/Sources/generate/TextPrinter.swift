import AppSupport
import TextGeneration
import Tokenizer

/// Prints a text as it is generated, the thought under one heading and the answer under another.
struct TextPrinter {
  private var detokenizer: StreamingDetokenizer
  private var tracker: ThoughtTracker
  private let tokenizer: TextTokenizer
  private let hidesThinking: Bool
  private var stops: StopStrings
  /// The part whose heading was printed last.
  private var shown: ThoughtTracker.Part?
  /// Blank text that opens a part is held back until something follows.
  private var isAtStart = true

  init(
    tokenizer: TextTokenizer, tags: ThinkingTags?, prompt: [Int32], hidesThinking: Bool,
    stops: [String] = []
  ) {
    self.stops = StopStrings(stops)
    self.tokenizer = tokenizer
    self.hidesThinking = hidesThinking
    detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    tracker = ThoughtTracker(tags: tags, prompt: prompt)
  }

  /// Whether a stop string came up: nothing more is printed.
  var isStopped: Bool { stops.isHit }

  mutating func take(_ id: Int32, isCue: Bool) {
    if isCue { tracker.endThought() }
    let part = tracker.take(id)
    if part == .tag || (shown != nil && part != shown) { endPart() }
    if part != .tag { show(detokenizer.push(id), as: part) }
  }

  mutating func finish() {
    endPart()
  }

  private mutating func show(_ text: String, as part: ThoughtTracker.Part) {
    var text = stops.push(text)
    if part == .thought && hidesThinking { return }
    if isAtStart {
      text = String(text.drop(while: \.isWhitespace))
      if text.isEmpty { return }
      if part == .thought {
        Console.write(Console.dim("--- thinking ---") + "\n")
      } else if shown == .thought {
        Console.write(Console.dim("--- answer ---") + "\n")
      }
      shown = part
      isAtStart = false
    }
    Console.write(part == .thought ? Console.dim(text) : text)
  }

  private mutating func endPart() {
    if let shown, !isAtStart {
      let rest = stops.push(detokenizer.finish()) + stops.finish()
      Console.write((shown == .thought ? Console.dim(rest) : rest) + "\n")
    }
    detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    isAtStart = true
  }
}
