// Made by Tools/docs/examples.py from Packages/DecoderModels/Sources/DecoderModels/DecoderModels.docc/DecoderModels.md.
// swift-format-ignore-file
import DecoderModels
import KVCaches
import ModelLoader
import NanoModels
import Tensors
import Testing

@Test func exampleOfDecoderModels() throws {
  let folder = try #require(NanoModels.directory(of: "nano-0.5m"))
  let decoder = try Decoder(Checkpoint(directory: folder))
  let pass = ForwardPass(decoder, pool: try ThreadPool(workers: 2))
  var caches = [try pass.makeCache(meter: KVMeter())]
  try pass.run([TokenRun(cache: 0, tokens: [1, 70, 71])], caches: &caches, rows: .last) {
    _, _, logits in
    #expect("\(logits.count)" == "704")
  }
}
