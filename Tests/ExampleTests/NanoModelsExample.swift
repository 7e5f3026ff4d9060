// Made by Tools/docs/examples.py from Packages/NanoModels/Sources/NanoModels/NanoModels.docc/NanoModels.md.
// swift-format-ignore-file
import NanoModels
import Testing

@Test func exampleOfNanoModels() throws {
  #expect("\(NanoModels.names)" == "[\"nano-0.15m\", \"nano-0.5m\", \"nano-1.5m\", \"nano-4m\"]")
  #expect("\(NanoModels.directory(of: NanoModels.defaultName) != nil)" == "true")
  #expect("\(NanoModels.benchmark(named: "nano-math")?.lastPathComponent ?? "")" == "nano-math.jsonl")
}
