import JSON
import Testing

@Suite("Strict JSON")
struct JSONValueTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: text.utf8, file: "x.json")
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

  @Test func bytesHaveTwoDigitsEach() {
    #expect([UInt8]([0, 9, 10, 0x7F, 0xFF]).hexadecimal == "00090a7fff")
    #expect([UInt8]().hexadecimal.isEmpty)
  }

  @Test(
    "refused with the place of the fault",
    arguments: [
      ("", 0, "unexpected end"), ("nul", 0, "expected null"), ("{", 1, "unexpected end"),
      ("[1,]", 3, "no JSON value"), ("[1 2]", 3, "expected ',' or ']'"),
      ("tru", 0, "true or false"),
      (#"{"a" 1}"#, 5, "expected ':'"), (#"{"a":1,}"#, 7, "no JSON value"),
      (#"{"a":1,"a":1}"#, 11, "\"a\" stands twice"), (#"{"a":1,"\u0061":1}"#, 16, "stands twice"),
      ("1 1", 2, "after the document"), ("01", 1, "after the document"), ("-", 1, "digit"),
      ("1.", 2, "digit"), (".5", 0, "no JSON value"), ("1e400", 5, "out of range"),
      ("NaN", 0, "no JSON"), ("-Infinity", 1, "digit"), ("\"a", 2, "unterminated"),
      ("\"\\x\"", 2, "unknown escape"), ("\"\n\"", 1, "control"), ("[] []", 3, "after"),
      (#""\ud800""#, 1, "surrogate"), (#""\udc00""#, 1, "surrogate"),
      (#""\ud800A""#, 1, "surrogate"),
      (#""\ud800\u0041""#, 1, "surrogate"), (#""\u12g4""#, 3, "hexadecimal"), ("'a'", 0, "no JSON"),
    ])
  func refuses(text: String, offset: Int, reason: String) {
    #expect {
      try parse(text)
    } throws: { error in
      guard case .malformedJSON("x.json", offset, let found)? = error as? JSONError else {
        return false
      }
      return found.contains(reason)
    }
  }

  @Test("strings that are not UTF-8", arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: JSONError.self) {
      try JSONValue(parsing: [0x22] + bytes + [0x22], file: "x.json")
    }
  }

  @Test("nesting is limited in time and stack", arguments: ["[", "{\"a\":"])
  func deep(open: String) {
    let text = String(repeating: open, count: 100_000)
    #expect { try parse(text) } throws: { "\($0)".contains("nested deeper than 128") }
    let allowed = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
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

  @Test("members keep their order, and are equal in any")
  func order() throws {
    let value = try parse(#" {"b": [1, -2.5], "a": {"z": "", "y": 0}} "#)
    #expect(value.object?.keys == ["b", "a"])
    #expect(value["a"]?.object?.keys == ["z", "y"])
    #expect(try value == parse(#"{"a": {"y": 0, "z": ""}, "b": [1, -2.5]}"#))
    #expect(try value.hashValue == parse(#"{"a": {"y": 0, "z": ""}, "b": [1, -2.5]}"#).hashValue)
    #expect(try parse(#"{"é": 1, "e\u0301": 2}"#).object?.count == 2)
    var object = OrderedObject<Int>([("a", 1), ("b", 2), ("c", 3)])
    object["b"] = nil
    object["x"] = nil
    #expect(object.keys == ["a", "c"] && object["c"] == 3 && object["b"] == nil)
  }

  @Test("numbers that Python writes, where they are asked for")
  func python() throws {
    let text = #"{"a": Infinity, "b": [-Infinity, 1], "c": NaN}"#
    let value = try JSONValue(parsing: text.utf8, dialect: .python)
    #expect(value["a"] == .number(.infinity))
    #expect(value["b"]?.array == [.number(-.infinity), .integer(1)])
    #expect(value["c"]?.double?.isNaN == true)
    #expect(value.text.contains(#""a": Infinity"#) && value.text.contains(#""c": NaN"#))
    #expect(throws: JSONError.self) {
      try JSONValue(parsing: "[Infinit]".utf8, dialect: .python)
    }
  }

  @Test("a byte order mark is passed over, and other bytes have to be UTF-8")
  func bytes() throws {
    #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31]) == .integer(1))
    #expect(try UTF8Text.text(of: [0xEF, 0xBB, 0xBF, 0x61]) == "a")
    #expect(throws: InvalidUTF8.self) { try UTF8Text.text(of: [0x61, 0x62, 0xFF]) }
    #expect(throws: JSONError.malformedJSON(file: "f", offset: 2, reason: "invalid UTF-8")) {
      try JSONValue(parsing: [0x22, 0x61, 0xFF, 0x22], file: "f")
    }
  }
}
