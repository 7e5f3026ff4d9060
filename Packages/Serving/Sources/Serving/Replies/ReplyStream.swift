import TextGeneration
import Tokenizer

/// Turns the tokens of a text, as they arrive, into what its readers see: the thought and the
/// answer apart, without tags, and nothing from a stop string on.
///
/// Blank text that opens a part is left out.
public struct ReplyStream: Sendable {
  /// A part of a reply.
  public enum Part: Sendable, Hashable {
    case thought
    case answer
  }

  /// Text of one part.
  public struct Piece: Sendable, Hashable {
    /// The part.
    public let part: Part
    /// What is added to it.
    public let text: String
  }

  private let tokenizer: TextTokenizer
  private var detokenizer: StreamingDetokenizer
  private var tracker: ThoughtTracker
  private var stops: StopStrings
  private var part = Part.answer
  private var isAtStart: Bool
  /// Tokens taken so far.
  public private(set) var tokens = 0
  /// Those of them that belong to a thought or are a tag of one.
  public private(set) var thoughtTokens = 0
  /// Whether the token taken last belongs to the answer.
  public private(set) var isAnswering = false

  /// A stream for the text that follows `prompt`; without tags everything is answer. One that goes on
  /// with what was begun may open with blanks.
  public init(
    tokenizer: TextTokenizer, tags: ThinkingTags?, prompt: [Int32], stops: [String] = [],
    continues: Bool = false
  ) {
    isAtStart = !continues
    self.tokenizer = tokenizer
    self.stops = StopStrings(stops)
    detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    tracker = ThoughtTracker(tags: tags, prompt: prompt)
  }

  /// Whether a stop string came up: nothing follows.
  public var isStopped: Bool { stops.isHit }

  /// Takes the next token and returns the text that it completes; `isCue` says that it was put in
  /// to demand the answer.
  public mutating func take(_ id: Int32, isCue: Bool) -> [Piece] {
    guard !isStopped else { return [] }
    tokens += 1
    if isCue { tracker.endThought() }
    let kind = tracker.take(id)
    isAnswering = kind == .answer
    if !isAnswering { thoughtTokens += 1 }
    guard kind != .tag else { return endPart() }
    let next = kind == .thought ? Part.thought : .answer
    let ended = next == part ? [] : endPart()
    part = next
    return ended + show(detokenizer.push(id))
  }

  /// What was held back, at the end of the text.
  public mutating func finish() -> [Piece] { endPart() }

  private mutating func show(_ text: String) -> [Piece] {
    var text = stops.push(text)
    if isAtStart {
      text = String(text.drop(while: \.isWhitespace))
      isAtStart = text.isEmpty
    }
    return text.isEmpty ? [] : [Piece(part: part, text: text)]
  }

  private mutating func endPart() -> [Piece] {
    var ended = show(detokenizer.finish())
    let held = stops.finish()
    if !held.isEmpty && !(isAtStart && held.allSatisfy(\.isWhitespace)) {
      ended.append(Piece(part: part, text: held))
    }
    detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
    isAtStart = true
    return ended
  }
}
