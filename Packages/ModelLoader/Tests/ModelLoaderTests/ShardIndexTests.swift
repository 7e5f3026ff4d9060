import Testing

@testable import ModelLoader

@Suite("Names in an index")
struct ShardIndexTests {
  @Test(
    "names of files below the folder",
    arguments: [
      "model.safetensors", "sub/model.safetensors", "a b", "..x", "x..", ".hidden", "ü",
    ])
  func inside(name: String) { #expect(ShardIndex.staysInside(name)) }

  @Test(
    "names that lead elsewhere",
    arguments: [
      "", ".", "..", "/", "/x", "x/", "x//y", "./x", "x/.", "../x", "x/../y", "x\0", "x/..",
    ])
  func outside(name: String) { #expect(!ShardIndex.staysInside(name)) }
}
