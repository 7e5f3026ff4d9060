// Made by Tools/docs/examples.py from Packages/Compression/Sources/Compression/Compression.docc/Compression.md.
// swift-format-ignore-file
import Compression
import Testing

@Test func exampleOfCompression() throws {
  var settings = QuantizerSettings()
  settings.bits = 4
  let rules = #"{"rules": [{"layers": "down_proj$", "bits": 8}]}"#
  let plan = try CompressionPlan(settings, rulesFile: Array(rules.utf8), file: "rules.json")
  let layers = try plan.settings(of: ["layers.0.mlp.down_proj", "layers.0.mlp.up_proj"])
  #expect("\(layers.map { $0?.bits ?? 16 })" == "[8, 4]")
}
