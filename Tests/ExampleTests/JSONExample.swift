// Made by Tools/docs/examples.py from Packages/JSON/Sources/JSON/JSON.docc/JSON.md.
// swift-format-ignore-file
import JSON
import Testing

@Test func exampleOfJSON() throws {
  let value = try JSONValue(parsing: #"{"bits": 4, "layers": ["q", "k"]}"#.utf8)
  #expect("\(value.object?["bits"]?.integer ?? 0)" == "4")
  #expect("\(value.object?["layers"]?.array?.count ?? 0)" == "2")
}
