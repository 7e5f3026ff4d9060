import JSON
import Testing

@testable import ModelLoader

@Suite("Configuration values")
struct JSONObjectTests {
  private func object(_ text: String) throws -> JSONObject {
    try JSONObject(parsing: Array(text.utf8), file: "config.json")
  }

  @Test(
    "a size has to be a positive integer within its bound",
    arguments: [
      "0", "-1", "\"64\"", "1000000000", "9223372036854775808", "2.5", "64.0", "null", "true",
      "[64]",
    ])
  func sizes(value: String) throws {
    let config = try object("{\"hidden_size\": \(value)}")
    #expect {
      try config.integer("hidden_size", in: 1...1_000_000)
    } throws: { error in
      guard
        case .value("config.json", "hidden_size", let expected, _)? = error as? CheckpointError
      else { return false }
      return expected == "an integer in 1...1000000"
    }
  }

  @Test("absent, null and present")
  func presence() throws {
    let config = try object(
      #"{"n": 3, "f": 0.5, "b": true, "s": "x", "a": ["y"], "o": {"k": 1}, "z": null}"#)
    #expect(try config.integer("n", in: 1...3) == 3)
    #expect(try config.number("n", in: 0...9) == 3)
    #expect(try config.number("f", in: 0...1) == 0.5)
    #expect(try config.boolIfPresent("b") == true)
    #expect(try config.string("s") == "x")
    #expect(try config.stringsIfPresent("a") == ["y"])
    #expect(try config.arrayIfPresent("a") == [.string("y")])
    #expect(try config.integerIfPresent("z", in: 1...3) == nil)
    #expect(try config.stringIfPresent("missing") == nil)
    #expect(config.has("n") && !config.has("z") && !config.has("missing"))
    #expect(throws: CheckpointError.self) { try config.string("missing") }
    #expect(throws: CheckpointError.self) { try config.object("a") }
    #expect(throws: CheckpointError.self) { try config.stringsIfPresent("o") }
  }

  @Test("an inner object names the whole path")
  func path() throws {
    let inner = try object(#"{"o": {"p": {"k": "x"}}}"#).object("o").object("p")
    #expect(
      message { _ = try inner.integer("k", in: 1...2) }
        == "config.json: o.p.k: expected an integer in 1...2, found \"x\"")
  }

  @Test("a file that holds no object", arguments: ["[]", "null", "3"])
  func noObject(text: String) {
    #expect(throws: CheckpointError.self) { try object(text) }
  }
}
