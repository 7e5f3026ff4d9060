import Foundation
import Testing

/// A hub on loopback (`Tools/hub/stub_hub.py`) with a folder of models, and a cache for what is fetched from it.
final class StubHub {
  /// Whether the stub can be run here.
  static let isAvailable: Bool = {
    let probe = Process()
    probe.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    probe.arguments = ["python3", "-c", ""]
    probe.standardError = FileHandle.nullDevice
    guard (try? probe.run()) != nil else { return false }
    probe.waitUntilExit()
    return probe.terminationStatus == 0
  }()

  /// The commit that all its repositories stand at.
  static let commit = "0123456789abcdef0123456789abcdef01234567"

  let folder: TemporaryFolder
  /// Where it listens.
  let address: String
  private let process = Process()
  private let input = Pipe()

  /// Starts a hub that misbehaves as `faults` say.
  init(_ folder: TemporaryFolder, faults: [String] = []) throws {
    self.folder = folder
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Tools/hub/stub_hub.py").standardizedFileURL.path
    let log = folder.url.appendingPathComponent("requests-\(UUID().uuidString).log")
    try Data().write(to: log)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["python3", script, folder.path("hub"), "--large", "100000"]
      + faults.flatMap { ["--fault", $0] }
    process.standardInput = input
    process.standardOutput = try FileHandle(forWritingTo: log)
    try process.run()
    var lines: [Substring] = []
    for _ in 0..<1000 where lines.count < 2 {
      usleep(10_000)
      let text = String(decoding: try Data(contentsOf: log), as: UTF8.self)
      lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }
    address = try #require(lines.first.map(String.init))
    self.log = log
  }

  private let log: URL

  deinit {
    process.terminate()
    process.waitUntilExit()
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
    let lines = String(decoding: try Data(contentsOf: log), as: UTF8.self).split(separator: "\n")
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
