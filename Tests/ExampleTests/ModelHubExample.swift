// Made by Tools/docs/examples.py from Packages/ModelHub/Sources/ModelHub/ModelHub.docc/ModelHub.md.
// swift-format-ignore-file
import Foundation
import ModelHub
import NanoModels
import Testing

@Test func exampleOfModelHub() throws {
  let folder = try #require(NanoModels.directory(of: "nano-0.5m"))
  let name = try RepositoryName(parsing: "Qwen/Qwen3-4B@main")
  #expect("\(name.path)" == "Qwen/Qwen3-4B")
  let settings = try HubSettings(environment: ["HF_HOME": "/models"], home: URL(fileURLWithPath: "/home/u"))
  #expect("\(settings.cache.folder(of: name).path)" == "/models/hub/models--Qwen--Qwen3-4B")
  #expect("\(try settings.cache.snapshot(of: name) == nil)" == "true")
}
