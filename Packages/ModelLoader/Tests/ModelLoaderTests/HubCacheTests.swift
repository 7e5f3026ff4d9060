import Foundation
import Testing

@testable import ModelLoader

@Suite("Place of the hub cache")
struct HubCacheTests {
  @Test(
    "the variables in their order",
    arguments: [
      ([:], "/home/u/.cache/huggingface/hub"),
      (["XDG_CACHE_HOME": "/x"], "/x/huggingface/hub"),
      (["XDG_CACHE_HOME": "/x", "HF_HOME": "/h"], "/h/hub"),
      (["HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"], "/old"),
      (["HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "/c"], "/c"),
      (["HF_HOME": ""], "/home/u/.cache/huggingface/hub"),
      (["HF_HOME": "~/hf"], "/home/u/hf/hub"),
    ] as [([String: String], String)])
  func root(environment: [String: String], path: String) {
    let cache = HubCache(environment: environment, home: URL(fileURLWithPath: "/home/u"))
    #expect(cache.root.path == path)
  }
}
