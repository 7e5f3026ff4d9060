import AppSupport
import Serving
import TextGeneration
import Tokenizer

/// Prints a text as it is generated, the thought under one heading and the answer under another.
struct TextPrinter {
  private var stream: ReplyStream
  private var printer: PartPrinter

  init(
    tokenizer: TextTokenizer, tags: ThinkingTags?, prompt: [Int32], hidesThinking: Bool,
    stops: [String] = []
  ) {
    stream = ReplyStream(tokenizer: tokenizer, tags: tags, prompt: prompt, stops: stops)
    printer = PartPrinter(hidesThinking: hidesThinking)
  }

  /// Whether a stop string came up: nothing more is printed.
  var isStopped: Bool { stream.isStopped }

  mutating func take(_ id: Int32, isCue: Bool) {
    for piece in stream.take(id, isCue: isCue) { printer.show(piece) }
  }

  mutating func finish() {
    for piece in stream.finish() { printer.show(piece) }
    printer.finish()
  }
}

/// Prints the parts of a reply, each under its heading where there is a thought.
struct PartPrinter {
  private let hidesThinking: Bool
  /// The part that was printed last.
  private var shown: ReplyStream.Part?

  init(hidesThinking: Bool) { self.hidesThinking = hidesThinking }

  mutating func show(_ piece: ReplyStream.Piece) {
    if piece.part == .thought && hidesThinking { return }
    if piece.part != shown {
      if shown != nil { Console.write("\n") }
      if piece.part == .thought {
        Console.write(Console.dim("--- thinking ---") + "\n")
      } else if shown == .thought {
        Console.write(Console.dim("--- answer ---") + "\n")
      }
      shown = piece.part
    }
    Console.write(piece.part == .thought ? Console.dim(piece.text) : piece.text)
  }

  /// Ends the last part's line.
  mutating func finish() {
    if shown != nil { Console.write("\n") }
    shown = nil
  }
}
