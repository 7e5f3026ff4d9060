import Foundation
import Testing

/// Each place where the system may refuse something: the n-th opening, write, sync, renaming, large
/// allocation or thread of a run fails, for every n. A run then ends with a message or goes on,
/// what was complete stays, and the same command given again leaves the bytes of an undisturbed
/// run.
@Suite(.serialized) struct FaultTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let kinds = ["open", "write", "sync", "rename", "allocate", "thread"]
  private static let model = "nano-0.15m"

  /// Sweeps n until a run gets by without the n-th operation; of many, all of the first ones and
  /// every few later.
  private func sweep(
    _ kind: String, _ command: Command, _ arguments: [String], output: String,
    appearsWhole: Bool = false,
    prepare: () throws -> Void = {}, contents: () throws -> [String: Data]
  ) throws {
    func begin() throws {
      try? FileManager.default.removeItem(atPath: folder.path(output))
      try prepare()
    }
    try begin()
    let before = try contents()
    #expect(try folder.run(command, arguments).isSuccess)
    let whole = try contents()
    var n = 1
    while n < 4000 {
      try begin()
      let run = try folder.run(command, arguments, environment: ["BITBUDGET_FAULT": "\(kind):\(n)"])
      if run.errors.contains("was not reached by \(command.rawValue)") { break }
      guard run.end == .exited(1) || run.end == .exited(0) else {
        Issue.record("\(kind):\(n) \(arguments): \(run.end) \(run.errors)")
        return
      }
      if run.end == .exited(1) {
        #expect(run.errors.contains("error: "), "\(kind):\(n)")
        if appearsWhole {
          let left = try contents()
          #expect(left == before || left == whole, "\(kind):\(n): \(run.errors)")
        }
        // Where only the last save failed, everything is there already.
        if try contents() != whole || !appearsWhole {
          let again = try folder.run(command, arguments)
          #expect(again.isSuccess, "\(kind):\(n), then: \(again.errors)")
        }
      }
      #expect(try contents() == whole, "\(kind):\(n): \(run.errors)")
      n += n < 20 ? 1 : n / 5
    }
    #expect(n > 1, "nothing of kind \(kind) in \(arguments)")
  }

  /// The files of a folder by name, hidden ones included.
  private func files(of name: String) throws -> [String: Data] {
    let root = folder.url.appendingPathComponent(name)
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: root.path)) ?? []
    var found: [String: Data] = [:]
    for name in names {
      let url = root.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
        !isFolder.boolValue
      {
        found[name] = try Data(contentsOf: url)
      }
    }
    return found
  }

  @Test(arguments: FaultTests.kinds) func quantizing(kind: String) throws {
    try sweep(
      kind, .quantize,
      [
        "--model", Self.model, "--method", "rtn", "--threads", kind == "thread" ? "2" : "1",
        "--output",
        folder.path("model"),
      ],
      output: "model", appearsWhole: true, contents: { try files(of: "model") })
    #expect(try folder.names().allSatisfy { $0 == "model" || $0 == ".model.blocks" })
  }

  /// A model that is replaced is there before and after, one or the other.
  @Test(arguments: ["rename", "write"]) func replacing(kind: String) throws {
    let old = folder.path("old")
    #expect(
      try folder.run(
        .quantize, ["--model", Self.model, "--method", "rtn", "--bits", "8", "--output", old]
      ).isSuccess)
    try sweep(
      kind, .quantize,
      [
        "--model", Self.model, "--method", "rtn", "--threads", "1", "--force", "--output",
        folder.path("model"),
      ], output: "model", appearsWhole: true,
      prepare: { try FileManager.default.copyItem(atPath: old, toPath: folder.path("model")) },
      contents: { try files(of: "model") })
  }

  @Test(arguments: FaultTests.kinds) func evaluating(kind: String) throws {
    try sweep(
      kind, .evaluate,
      [
        "--model", Self.model, "--limit", "2", "--max-tokens", "6", "--threads", "1", "--batch",
        "1",
        "--journal", folder.path("run/a.jsonl"),
      ], output: "run", contents: { try journals(of: "run") })
  }

  @Test(arguments: ["open", "write", "sync", "rename"]) func studying(kind: String) throws {
    let study = """
      name: tiny
      title: A tiny study
      tasks: {nano-math: math}
      weights: {method: rtn}
      limit: 1
      grids:
        - {benchmarks: [nano-math], models: [nano-0.15m], bits: [4], kv: [bf16], budgets: [8], samples: [1]}

      """
    try Data(study.utf8).write(to: folder.url.appendingPathComponent("tiny.yaml"))
    try sweep(
      kind, .study,
      ["run", folder.path("tiny.yaml"), "--threads", "1", "--folder", folder.path("study")],
      output: "study", contents: { try journals(of: "study/journals") })
  }

  /// The journals of a folder without times.
  private func journals(of name: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for (file, bytes) in try files(of: name) where file.hasSuffix(".jsonl") {
      let text = String(decoding: bytes, as: UTF8.self)
      found[file] = Data(
        text.replacing(#/"cost":\{[^}]*\}/#, with: "").utf8)
    }
    return found
  }
}
