import JSON
import Testing

@testable import Serving

@Suite struct FieldReaderTests {
  static func reader(_ text: String) throws -> FieldReader {
    try FieldReader(JSONValue(parsing: text.utf8))
  }

  @Test func takesWhatIsThereAndPassesOverNull() throws {
    var fields = try Self.reader(#"{"n": 3, "seed": 4.0, "stop": null, "stream": true}"#)
    #expect(try fields.integer("n", in: 1...8) == 3)
    #expect(try fields.integer("seed", in: 0...8) == 4)
    #expect(try fields.string("stop") == nil)
    #expect(try fields.bool("stream") == true)
    #expect(try fields.string("absent") == nil)
    try fields.finish()
  }

  @Test func objectsToWhatNobodyRead() throws {
    var fields = try Self.reader(#"{"n": 3, "temprature": 1}"#)
    _ = try fields.integer("n", in: 1...8)
    #expect(throws: APIError.invalid("temprature", "is not known here")) { try fields.finish() }
  }

  @Test(arguments: [#""x""#, "2.5", "-1", "9", "18446744073709551616", "[]", "true"])
  func namesTheFieldOfAWrongInteger(value: String) throws {
    var fields = try Self.reader("{\"n\": \(value)}")
    let error = #expect(throws: APIError.self) { try fields.integer("n", in: 1...8) }
    #expect(error?.field == "n")
    #expect(error?.status == 400)
  }

  @Test func namesFieldsWithinFields() throws {
    var fields = try Self.reader(#"{"stream_options": {"include_usage": 1}}"#)
    var inner = try #require(try fields.reader("stream_options"))
    let error = #expect(throws: APIError.self) { try inner.bool("include_usage") }
    #expect(error?.field == "stream_options.include_usage")
  }
}
