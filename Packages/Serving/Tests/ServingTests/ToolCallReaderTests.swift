import JSON
import Testing

@testable import Serving

/// Calls of tools in answers, cut into pieces anywhere.
@Suite struct ToolCallReaderTests {
  static func read(_ answer: String, piece: Int) -> (text: String, calls: [ToolCall]) {
    var reader = ToolCallReader(names: ["add", "now"])
    var text = ""
    var rest = Substring(answer)
    while !rest.isEmpty {
      text += reader.push(String(rest.prefix(piece)))
      rest = rest.dropFirst(piece)
    }
    text += reader.finish()
    return (text, reader.calls)
  }

  @Test(arguments: [1, 2, 7, 1000]) func callsOfQwen(piece: Int) throws {
    let (text, calls) = Self.read(
      """
      Let me see <b>.
      <tool_call>
      {"name": "add", "arguments": {"a": 1, "b": [2]}}
      </tool_call>
      <tool_call>
      {"name": "now", "arguments": {}}
      </tool_call>
      """, piece: piece)
    #expect(text == "Let me see <b>.\n")
    #expect(calls.map(\.name) == ["add", "now"])
    #expect(calls.first?.arguments.line == #"{"a":1,"b":[2]}"#)
  }

  @Test(arguments: [1, 5, 1000]) func callsOfLlama(piece: Int) {
    let (text, calls) = Self.read(#"{"name": "add", "parameters": {"a": 1}}"#, piece: piece)
    #expect(text == "" && calls.map(\.name) == ["add"])
    let two = Self.read(
      #"{"name": "add", "parameters": {"a": 1}}; {"name": "now", "parameters": {}}"#, piece: piece)
    #expect(two.text == "" && two.calls.map(\.name) == ["add", "now"])
  }

  @Test func callsWithTags() {
    let (text, calls) = Self.read(
      """
      <tool_call>
      <function=add>
      <parameter=a>
      5
      </parameter>
      <parameter=note>
      two
      lines
      </parameter>
      </function>
      </tool_call>
      """, piece: 3)
    #expect(text == "")
    #expect(calls.first?.arguments.line == #"{"a":5,"note":"two\nlines"}"#)
  }

  @Test(arguments: [
    #"{"answer": 5}"#, #"{"name": "drop", "parameters": {}}"#, "<tool_call>\nnothing\n</tool_call>",
    "a < b <tool",
    "  plain", #"<tool_call>{"name": "add"#,
  ])
  func whatIsNoCallStaysText(answer: String) {
    for piece in [1, 4, 1000] {
      let (text, calls) = Self.read(answer, piece: piece)
      #expect(text == answer && calls.isEmpty)
    }
  }
}
