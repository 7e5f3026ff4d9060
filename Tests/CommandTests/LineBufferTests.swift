import Testing

@testable import AppSupport

/// Editing a line as shells do.
@Suite struct LineBufferTests {
  static func typed(_ text: String, into buffer: LineBuffer = LineBuffer()) -> LineBuffer {
    var buffer = buffer
    for character in text { buffer.take(.character(character)) }
    return buffer
  }

  @Test func charactersGoInAtTheCursor() {
    var buffer = Self.typed("one thre\u{301}e")
    for key: LineBuffer.Key in [.wordLeft, .character("t"), .character("w"), .character("o")] {
      buffer.take(key)
    }
    buffer.take(.character(" "))
    #expect(buffer.text == "one two thre\u{301}e")
    buffer.take(.end)
    for _ in 0..<2 { buffer.take(.backspace) }
    #expect(buffer.text == "one two thr")
    for key: LineBuffer.Key in [.home, .delete, .wordRight] { buffer.take(key) }
    #expect(buffer.cursor == 2)
    for key: LineBuffer.Key in [.cutRight, .left, .left, .left, .backspace, .right, .right, .right]
    { buffer.take(key) }
    #expect(buffer.text == "ne" && buffer.cursor == 2)
  }

  @Test func wordsAndEndsAreCut() {
    var buffer = Self.typed("one two  ")
    buffer.take(.cutWord)
    #expect(buffer.text == "one ")
    buffer.take(.cutLeft)
    #expect(buffer.text == "" && buffer.cursor == 0)
    for key: LineBuffer.Key in [.cutWord, .cutLeft, .cutRight, .delete, .backspace, .left, .right] {
      buffer.take(key)
    }
    #expect(buffer == LineBuffer())
  }

  @Test func earlierLinesComeBack() {
    var buffer = LineBuffer(history: ["first", "second"])
    buffer = Self.typed("thi", into: buffer)
    for (key, text): (LineBuffer.Key, String) in [
      (.up, "second"), (.up, "first"), (.up, "first"), (.down, "second"), (.down, "thi"),
      (.down, "thi"),
    ] {
      buffer.take(key)
      #expect(buffer.text == text)
    }
    #expect(buffer.finish() == "thi" && buffer.history == ["first", "second", "thi"])
    _ = Self.typed("  ", into: buffer)
    buffer.take(.up)
    #expect(buffer.finish() == "thi" && buffer.history.count == 3)
    #expect(LineBuffer(history: ["a", "b", "c"], longestHistory: 2).history == ["b", "c"])
  }
}
