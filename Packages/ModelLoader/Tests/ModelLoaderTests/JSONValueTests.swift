import Testing

@testable import ModelLoader

@Suite("Strict JSON")
struct JSONValueTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), file: "x.json")
  }

  @Test(
    "values of every kind",
    arguments: [
      ("null", JSONValue.null), (" true ", .bool(true)), ("false", .bool(false)),
      ("0", .integer(0)), ("-7", .integer(-7)),
      ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(0x1p63)),
      ("1e-06", .number(1e-6)), ("2.0", .number(2)), ("1E+2", .number(100)),
      (
        #""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#,
        .string("a\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F600}é")
      ),
      ("[]", .array([])), ("[1, [2]]", .array([.integer(1), .array([.integer(2)])])),
      ("{}", .object([:])), (#"{"a": {"b": null}}"#, .object(["a": .object(["b": .null])])),
    ])
  func accepts(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(
    "refused with the place of the fault",
    arguments: [
      ("", 0, "value expected"), ("nul", 0, "value expected"), ("{", 1, "text ends"),
      ("[1,]", 3, "value expected"), ("[1 2]", 3, "']' expected, '2' found"),
      (#"{"a" 1}"#, 5, "':' expected"), (#"{"a":1,}"#, 7, "'\"' expected"),
      (#"{"a":1,"a":1}"#, 10, "duplicate key \"a\""), (#"{"a":1,"\u0061":1}"#, 15, "duplicate key"),
      ("1 1", 2, "after the end"), ("01", 2, "leading zero"), ("-", 1, "digit"), ("1.", 2, "digit"),
      (".5", 0, "value expected"), ("1e400", 5, "out of range"), ("NaN", 0, "value expected"),
      ("\"a", 2, "without an end"), ("\"\\x\"", 3, "unknown escape"), ("\"\n\"", 1, "control"),
      (#""\ud800""#, 7, "surrogate"), (#""\udc00""#, 7, "surrogate"),
      (#""\ud800A""#, 7, "surrogate"),
      (#""\u12g4""#, 5, "hexadecimal"), ("'a'", 0, "value expected"),
    ])
  func refuses(text: String, offset: Int, reason: String) {
    #expect {
      try parse(text)
    } throws: { error in
      guard case .json("x.json", offset, let found)? = error as? CheckpointError else {
        return false
      }
      return found.contains(reason)
    }
  }

  @Test("strings that are not UTF-8", arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: CheckpointError.self) {
      try JSONValue(parsing: [0x22] + bytes + [0x22], file: "x.json")
    }
  }

  @Test("nesting is limited in time and stack", arguments: ["[", "{\"a\":"])
  func deep(open: String) {
    let text = String(repeating: open, count: 100_000)
    #expect { try parse(text) } throws: { "\($0)".contains("nested deeper than 64") }
    let allowed = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(throws: Never.self) { try parse(allowed) }
  }

  @Test("text is sorted, escaped and reads back as the same value")
  func text() throws {
    let value = JSONValue.object([
      "b": .array([.integer(1), .number(1e-6), .bool(false), .null]), "a": .string("\"\\\n\u{1}é"),
      "c": .object([:]), "d": .array([]),
    ])
    #expect(try parse(value.text) == value)
    #expect(
      value.text == """
        {
          "a": "\\"\\\\\\n\\u0001é",
          "b": [
            1,
            1e-06,
            false,
            null
          ],
          "c": {},
          "d": []
        }
        """)
  }
}
