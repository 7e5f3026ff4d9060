// Made by Tools/docs/examples.py from Packages/Tokenizer/Sources/Tokenizer/Tokenizer.docc/Tokenizer.md.
// swift-format-ignore-file
import NanoModels
import Testing
import Tokenizer

@Test func exampleOfTokenizer() throws {
  let folder = try #require(NanoModels.directory(of: "nano-0.5m"))
  let tokenizer = try TextTokenizer(directory: folder)
  let ids = tokenizer.encode("Wait, 236 coins.", addSpecialTokens: false)
  #expect("\(tokenizer.decode(ids))" == "Wait, 236 coins.")
}
