import Foundation
import Testing

@testable import ModelHub

@Suite("Settings of the environment")
struct HubSettingsTests {
  private let home = URL(fileURLWithPath: "/home/u")

  @Test(
    "the place of the cache: the variables in their order",
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
    #expect(HubCache(environment: environment, home: home).root.path == path)
  }

  @Test func defaults() throws {
    let settings = try HubSettings(environment: [:], home: home)
    #expect(settings.endpoint.absoluteString == "https://huggingface.co")
    #expect(settings.token == nil)
    #expect(settings.offlineBy == nil)
  }

  @Test func values() throws {
    let settings = try HubSettings(
      environment: [
        "HF_ENDPOINT": "http://mirror:8080/hub/", "HF_TOKEN": " abc\n", "HF_HUB_OFFLINE": "yes",
        "HF_HUB_DOWNLOAD_TIMEOUT": "2.5",
      ], home: home)
    #expect(settings.endpoint.absoluteString == "http://mirror:8080/hub")
    #expect(settings.token == "abc")
    #expect(settings.offlineBy == "HF_HUB_OFFLINE")
    #expect(settings.timeout == 2.5)
  }

  @Test("the token's file, its place, and that it may be ignored")
  func tokenFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("from-home\n", to: "token")
    try folder.write("from-path", to: "other")
    let environment = ["HF_HOME": folder.url.path]
    #expect(try HubSettings(environment: environment, home: home).token == "from-home")
    let named = environment.merging(["HF_TOKEN_PATH": folder.path("other")]) { $1 }
    #expect(try HubSettings(environment: named, home: home).token == "from-path")
    let hidden = environment.merging(["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) { $1 }
    #expect(try HubSettings(environment: hidden, home: home).token == nil)
  }

  @Test(
    "what cannot be used is named",
    arguments: [
      ("HF_ENDPOINT", "huggingface.co"), ("HF_ENDPOINT", "ftp://x"), ("HF_ENDPOINT", "http://"),
      ("HF_TOKEN", "two words"), ("HF_TOKEN", "a\nX-Header: b"), ("HF_HUB_DOWNLOAD_TIMEOUT", "-1"),
      ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
    ])
  func refused(variable: String, value: String) {
    let text = message { _ = try HubSettings(environment: [variable: value], home: home) }
    #expect(text?.contains(variable) == true)
    // A token is never shown.
    if variable == "HF_TOKEN" { #expect(text?.contains(value) == false) }
  }
}
