import Foundation
import Testing

/// Fetching from a hub on loopback that misbehaves.
@Suite("The hub", .enabled(if: StubHub.isAvailable, "the hub on loopback is a program of Python"))
struct HubTests {
  private static let prompt = ["--prompt", Nano.problem, "--greedy", "--max-tokens", "20"]

  @Test(
    "a model is fetched, listed, run and removed, whatever goes wrong on the way",
    arguments: [
      [], ["cut:3"], ["status:503:2", "retry-after:0"], ["status:429:2", "retry-after:0"],
      ["api:500:1", "retry-after:0"], ["pages"], ["expire:1"], ["no-ranges"], ["cross"],
      ["stall:1"],
    ])
  func chain(faults: [String]) throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder, faults: faults)
    let pulled = try hub.run(["pull", "org/nano"], ["HF_HUB_DOWNLOAD_TIMEOUT": "2"])
    #expect(pulled.isSuccess, "\(pulled.errors)")
    let place = pulled.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(place.hasPrefix(folder.path("cache/models--org--nano/snapshots/")))
    let original = try Data(
      contentsOf: folder.url.appendingPathComponent("hub/org/nano/model.safetensors"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: place + "/model.safetensors")) == original)
    guard faults.isEmpty else { return }

    let listed = try hub.run(["models"])
    #expect(listed.output.contains("org/nano"))
    #expect(listed.output.contains("BF16"))
    let asked = try hub.requests().count
    let generated = try hub.run(["generate", "--model", "org/nano", "--offline"] + Self.prompt)
    let direct = try hub.run(["generate", "--model", Nano.model] + Self.prompt)
    #expect(generated.isSuccess && generated.output == direct.output, "\(generated.errors)")
    #expect(try hub.requests().count == asked)
    let refused = try hub.run(["rm", "org/nano"])
    expectRefusal(refused, naming: ["--yes"])
    let removed = try hub.run(["rm", "--yes", "org/nano"])
    #expect(removed.isSuccess, "\(removed.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("cache/models--org--nano")))
  }

  @Test("nothing is fetched without leave; --pull gives it, --offline and HF_HUB_OFFLINE forbid it")
  func leave() throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder)
    let arguments = ["generate", "--model", "org/nano"] + Self.prompt
    expectRefusal(try hub.run(arguments), naming: ["org/nano", "pull org/nano", "--pull"])
    expectRefusal(try hub.run(arguments + ["--offline"]), naming: ["org/nano"])
    expectRefusal(
      try hub.run(arguments + ["--offline", "--pull"]), code: 2, naming: ["--offline"])
    expectRefusal(
      try hub.run(arguments + ["--pull"], ["HF_HUB_OFFLINE": "1"]), naming: ["HF_HUB_OFFLINE"])
    expectRefusal(
      try hub.run(["pull", "org/nano"], ["HF_HUB_OFFLINE": "1"]), naming: ["HF_HUB_OFFLINE"])
    #expect(try hub.requests().isEmpty)
    let outcome = try hub.run(arguments + ["--pull"])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let quantized = try hub.run([
      "quantize", "--model", "org/nano", "--bits", "8", "--method", "rtn", "--output",
      folder.path("out"),
    ])
    #expect(quantized.isSuccess, "\(quantized.errors)")
  }

  @Test("what was fetched before kill -9 is not fetched again")
  func killed() throws {
    let folder = try TemporaryFolder()
    try folder.publish("org/big/config.json", bytes: 10)
    try folder.publish("org/big/model.safetensors", bytes: 30_000_000)
    var hub = try StubHub(folder, faults: ["slow:8000000"])
    let first = try hub.start(["pull", "org/big"])
    func growing() -> Int {
      let blobs = folder.url.appendingPathComponent("cache/models--org--big/blobs")
      let names = (try? FileManager.default.contentsOfDirectory(atPath: blobs.path)) ?? []
      let sizes = names.filter { $0.hasSuffix(".incomplete") }.map { name in
        let attributes = try? FileManager.default.attributesOfItem(
          atPath: blobs.appendingPathComponent(name).path)
        return (attributes?[.size] as? Int) ?? 0
      }
      return sizes.max() ?? 0
    }
    #expect(first.waits { growing() >= 8 << 20 })
    first.send(SIGKILL)
    #expect(first.finish().end == .killed(SIGKILL))
    let kept = growing()
    #expect(kept >= 8 << 20 && kept < 30_000_000)
    hub = try StubHub(folder)
    let second = try hub.run(["pull", "org/big"])
    #expect(second.isSuccess, "\(second.errors)")
    let ranges = try hub.requests().compactMap(\.range)
    #expect(!ranges.isEmpty)
    #expect(
      ranges.allSatisfy { range in
        Int(range.dropFirst(6).prefix { $0 != "-" }).map { $0 >= kept } == true
      })
    let place = second.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: place + "/model.safetensors"))
        == Data(contentsOf: folder.url.appendingPathComponent("hub/org/big/model.safetensors")))
  }

  @Test(
    "what the hub refuses, and what is not what it should be, ends with the sentence that helps",
    arguments: [
      (["gated"], "org/nano", ["accept", "HF_TOKEN"]),
      (["private"], "org/nano", ["private", "HF_TOKEN"]),
      ([], "org/none", ["org/none", "no such repository"]),
      ([], "org/nano@v9", ["v9"]),
      ([], "org/nano:Q4_0", ["Q4_0"]),
      (["hostile-path"], "org/nano", ["../../outside"]),
      (["not-json"], "org/nano", ["expected JSON"]),
      (["flip"], "org/nano", ["digest"]),
      (["short"], "org/nano", ["bytes expected"]),
      (["long"], "org/nano", ["bytes expected"]),
      (["loop"], "org/nano", ["redirects"]),
      (["status:404:1000"], "org/nano", ["404"]),
      (["status:429:1000", "retry-after:9999"], "org/nano", ["9999"]),
    ] as [([String], String, [String])])
  func refusals(faults: [String], name: String, words: [String]) throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder, faults: faults)
    expectRefusal(try hub.run(["pull", name]), naming: words)
    #expect(
      !FileManager.default.fileExists(atPath: folder.path("cache/models--org--nano/refs/main")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("outside")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("cache/outside")))
  }

  @Test("the token opens the hub and goes nowhere else")
  func token() throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder, faults: ["private"])
    // The store refuses requests with a token, and in this fault whoever comes without one: so it
    // is private here too.
    let refused = try hub.run(["pull", "org/nano"], ["HF_TOKEN": "wrong"])
    expectRefusal(refused, naming: ["HF_TOKEN"])
    #expect(!refused.errors.contains("wrong"))
    let open = try StubHub(folder)
    let outcome = try open.run(["pull", "org/nano"], ["HF_TOKEN": "good"])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let requests = try open.requests()
    let hubPort = URL(string: open.address)?.port
    for request in requests {
      #expect(request.token == (request.port == hubPort ? "Bearer good" : nil), "\(request.path)")
    }
    #expect(requests.contains { $0.port != hubPort })
  }

  @Test("a server that is not there is said to be so")
  func nobody() throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder)
    let outcome = try hub.run(
      ["pull", "org/nano"], ["HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DOWNLOAD_TIMEOUT": "1"])
    expectRefusal(outcome, naming: ["127.0.0.1:9"])
  }

  @Test("the data of a benchmark: of the hub's data sets, of the web, and behind terms")
  func data() throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let rows = (1...3).map { "{\"problem\": \"What is \($0) + 1?\", \"answer\": \"\($0 + 1)\"}" }
    try folder.publish("datasets/org/sums/test.jsonl", text: rows.joined(separator: "\n") + "\n")
    let hub = try StubHub(folder)
    func definition(_ name: String, _ source: String) throws {
      try folder.publish(
        "../\(name).yaml",
        text: """
          name: \(name)
          title: Sums
          version: 1
          size: 3
          fetch: --pull does.
          data:
            - files: [test.jsonl]
          \(source)
              fields: {question: problem, answer: answer}
          prompt: "{question}"
          extraction: [box, last-number]
          grading: {rule: mathematics}
          samples: 1
          sampling: {temperature: 0}
          limits: {tokens: 8}
          """)
    }
    try definition("sums", "    hub: org/sums")
    let address = "\(hub.address)/datasets/org/sums/resolve/\(StubHub.commit)/test.jsonl"
    let file = folder.url.appendingPathComponent("hub/datasets/org/sums/test.jsonl")
    let digest = try folder.shell("sha256sum \(file.path)").output.prefix(64)
    try definition("web-sums", "    web: {url: \"\(address)\", sha256: \(digest)}")
    let wrong = String(repeating: "0", count: 64)
    try definition("wrong-sums", "    web: {url: \"\(address)\", sha256: \(wrong)}")
    let variables = ["XDG_DATA_HOME": folder.path("own")]
    func evaluate(_ name: String, _ more: [String] = []) throws -> Outcome {
      try hub.run(
        ["evaluate", "--model", Nano.model, "--bench", "\(name).yaml"] + more, variables)
    }
    expectRefusal(try evaluate("sums"), naming: ["the data of sums is not here", "--pull does"])
    #expect(try hub.requests().isEmpty)
    for name in ["sums", "web-sums"] {
      let outcome = try evaluate(name, ["--pull"])
      #expect(outcome.isSuccess, "\(outcome.errors)")
    }
    expectRefusal(try evaluate("wrong-sums", ["--pull"]), naming: ["digest", wrong])
    #expect(
      FileManager.default.fileExists(atPath: folder.path("own/bitbudget/data/web-sums/test.jsonl")))
    #expect(
      FileManager.default.fileExists(
        atPath: folder.path("cache/datasets--org--sums/snapshots/\(StubHub.commit)/test.jsonl")))

    let gated = try StubHub(folder, faults: ["gated"])
    try folder.publish("datasets/org/closed/test.jsonl", text: "{}")
    try definition("closed", "    hub: org/closed")
    let refused = try gated.run(
      ["evaluate", "--model", Nano.model, "--bench", "closed.yaml", "--pull"], variables)
    expectRefusal(refused, naming: ["\(gated.address)/datasets/org/closed", "HF_TOKEN"])
  }

  @Test("plan fetches the configuration alone")
  func configuration() throws {
    let folder = try TemporaryFolder()
    try folder.publish()
    let hub = try StubHub(folder)
    let arguments = ["plan", "--fits", "--model", "org/nano", "--bits", "8", "--budget", "100"]
    expectRefusal(try hub.run(arguments), naming: ["org/nano"])
    let outcome = try hub.run(arguments + ["--pull"])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(try hub.requests().filter { $0.path.contains("/resolve/") }.count == 1)
    // What runs it says what is missing.
    let generated = try hub.run(["generate", "--model", "org/nano"] + Self.prompt)
    expectRefusal(generated, naming: ["model.safetensors", "pull org/nano"])
    let again = try hub.run(arguments + ["--offline"])
    #expect(again.isSuccess, "\(again.errors)")
  }
}
