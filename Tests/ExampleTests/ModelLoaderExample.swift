// Made by Tools/docs/examples.py from Packages/ModelLoader/Sources/ModelLoader/ModelLoader.docc/ModelLoader.md.
// swift-format-ignore-file
import ModelLoader
import NanoModels
import Testing

@Test func exampleOfModelLoader() throws {
  let folder = try #require(NanoModels.directory(of: "nano-0.5m"))
  let checkpoint = try Checkpoint(directory: folder)
  let embedding = try checkpoint.info(of: "model.embed_tokens.weight")
  #expect("\(embedding.shape)" == "[704, 128]")
  #expect("\(try checkpoint.quantization() == nil)" == "true")
}
