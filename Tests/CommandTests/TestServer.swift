import Foundation
import Testing

/// A server under test, and what it answers.
final class TestServer {
  private let folder: TemporaryFolder
  private let process: TestProcess
  let port: Int

  init(
    _ arguments: [String] = [], model: String = Nano.model, environment: [String: String] = [:]
  ) throws {
    folder = try TemporaryFolder()
    let started = try folder.start(
      .serve, ["--model", model, "--port", "0"] + arguments, environment: environment)
    process = started
    var found: Int?
    _ = started.waits {
      let line = started.errors.split(separator: "\n").last { $0.contains("http://127.0.0.1:") }
      found = line?.split(separator: ":").last.flatMap { Int($0) }
      return found != nil
    }
    port = try #require(found, "\(started.errors)")
  }

  deinit {
    process.send(SIGKILL)
    _ = process.finish()
  }

  func connect(seconds: Int = 60) throws -> LoopbackClient {
    try LoopbackClient(port: port, seconds: seconds)
  }

  func get(_ path: String, headers: [String: String] = [:]) throws -> LoopbackClient.Reply {
    let client = try connect()
    client.request("GET", path, headers: headers)
    return try client.reply()
  }

  func post(
    _ path: String, _ body: [String: Any], headers: [String: String] = [:]
  ) throws -> LoopbackClient.Reply {
    try post(
      path, text: String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self),
      headers: headers)
  }

  func post(
    _ path: String, text: String, headers: [String: String] = [:]
  ) throws -> LoopbackClient.Reply {
    let client = try connect()
    client.request("POST", path, text, headers: headers)
    return try client.reply()
  }

  /// The value of a metric.
  func metric(_ name: String) throws -> Double? {
    try get("/metrics").text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      .flatMap { Double($0.dropFirst(name.count + 1)) }
  }

  func send(_ signal: Int32) { process.send(signal) }
  func finish() -> Outcome { process.finish() }
}

extension LoopbackClient.Reply {
  var choices: [[String: Any]] { json["choices"] as? [[String: Any]] ?? [] }
  var message: [String: Any] { choices.first?["message"] as? [String: Any] ?? [:] }
  var content: String? { message["content"] as? String }
  var field: String? { (json["error"] as? [String: Any])?["param"] as? String }
  var errorText: String { (json["error"] as? [String: Any])?["message"] as? String ?? "" }
}
