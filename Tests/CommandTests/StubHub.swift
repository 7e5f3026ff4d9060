import Foundation
import Testing

/// A hub on loopback (`Tools/hub/stub_hub.py`) with a folder of models, and a cache for what is
/// fetched from it.
final class StubHub {
  /// Whether the stub can be run here.
  static let isAvailable: Bool = {
    let folder = try? TemporaryFolder()
    return (try? folder?.shell("python3 -c ''"))?.isSuccess == true
  }()

  /// The commit that all its repositories stand at.
  static let commit = "0123456789abcdef0123456789abcdef01234567"

  let folder: TemporaryFolder
  /// Where it listens.
  let address: String
  private let process: TestProcess

  /// Starts a hub that misbehaves as `faults` say.
  init(_ folder: TemporaryFolder, faults: [String] = []) throws {
    self.folder = folder
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Tools/hub/stub_hub.py").standardizedFileURL.path
    let started = try TestProcess(
      "/usr/bin/env",
      ["python3", script, folder.path("hub"), "--large", "100000"]
        + faults.flatMap { ["--fault", $0] }, in: folder.url,
      holdsInput: true)
    process = started
    guard started.waits(for: { started.output.contains("\n") }) else {
      started.send(SIGKILL)
      _ = started.finish()
      throw CocoaError(.fileReadUnknown)
    }
    address = String(started.output.prefix { $0 != "\n" })
  }

  deinit {
    process.send(SIGKILL)
    _ = process.finish()
  }

  /// A request as the stub noted it.
  struct Request: Decodable {
    let port: Int
    let path: String
    let status: Int
    let range: String?
    let token: String?
  }

  /// The requests so far.
  func requests() throws -> [Request] {
    let lines = process.output.split(separator: "\n")
    return try lines.dropFirst().map {
      try JSONDecoder().decode(Request.self, from: Data($0.utf8))
    }
  }

  /// Variables that lead a command here.
  func environment(_ more: [String: String] = [:]) -> [String: String] {
    [
      "HF_ENDPOINT": address, "HF_HOME": folder.path("home"), "HF_HUB_CACHE": folder.path("cache"),
      "HF_TOKEN": "", "HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "", "http_proxy": "",
      "HF_HUB_DOWNLOAD_TIMEOUT": "20",
    ].merging(more) { $1 }
  }

  /// Starts `bitbudget` with these arguments.
  func start(_ arguments: [String], _ more: [String: String] = [:]) throws -> TestProcess {
    let program = URL(fileURLWithPath: try Command.generate.path()).resolvingSymlinksInPath().path
    return try TestProcess(program, arguments, in: folder.url, environment: environment(more))
  }

  /// Runs `bitbudget` with these arguments.
  func run(_ arguments: [String], _ more: [String: String] = [:]) throws -> Outcome {
    try start(arguments, more).finish()
  }
}

extension TemporaryFolder {
  /// Puts a model on the hub.
  func publish(_ name: String = "org/nano") throws {
    let place = url.appendingPathComponent("hub/\(name)")
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    _ = try ModelCopy(in: self, named: "hub/\(name)")
  }

  /// Puts a text on the hub.
  func publish(_ name: String, text: String) throws {
    let file = url.appendingPathComponent("hub/\(name)").standardizedFileURL
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// Puts a file of pseudo-random bytes on the hub.
  func publish(_ name: String, bytes: Int) throws {
    let file = url.appendingPathComponent("hub/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    var state: UInt64 = 88_172_645_463_325_252
    var data = Data(capacity: bytes + 8)
    while data.count < bytes {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
    }
    try data.prefix(bytes).write(to: file)
  }
}
