import Foundation
import Testing

/// Paths that are no regular files: what is written goes through them or is refused by name, what
/// is read is refused at once, and nothing that was there is ever replaced or deleted.
@Suite struct NodeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func kind(_ name: String) -> mode_t {
    var status = stat()
    return lstat(folder.path(name), &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  private func logits(to path: String) throws -> Outcome {
    try folder.run(.generate, ["--model", Nano.model, "--ids", "1,2", "--logits", path])
  }

  /// A device with the numbers of `/dev/full` or `/dev/null`; nil where this user may not make or
  /// open one.
  private func device(_ name: String, minor: Int) -> String? {
    #if os(Linux)
      let path = folder.path(name)
      guard mknod(path, S_IFCHR | 0o600, dev_t(1 << 8 | minor)) == 0 else { return nil }
      let file = open(path, O_WRONLY)
      guard file >= 0 else { return nil }
      close(file)
      return path
    #else
      return nil
    #endif
  }

  @Test func devicesStayDevices() throws {
    guard let full = device("full", minor: 7), let null = device("null", minor: 3) else { return }
    expectRefusal(try logits(to: full), naming: [full, "cannot be written", "No space left"])
    #expect(try logits(to: null).isSuccess)
    for path in [full, null] {
      let run = try folder.run(
        .evaluate, ["--model", Nano.model, "--limit", "1", "--journal", path])
      expectRefusal(run, naming: [path, "no regular file"])
      let model = try folder.run(
        .quantize, ["--model", Nano.model, "--method", "rtn", "--force", "--output", path])
      expectRefusal(model, naming: [path, "not a folder"])
    }
    #expect(kind("full") == S_IFCHR && kind("null") == S_IFCHR)
    #expect(try folder.names() == ["full", "null"])
  }

  @Test func pipesAreWrittenThroughAndNeverWaitedFor() throws {
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    let started = Date()
    expectRefusal(try logits(to: folder.path("pipe")), naming: [folder.path("pipe")])
    let read = try folder.shell(
      "cat pipe > read & generate --model \(Nano.model) --ids 1,2 --logits /dev/stdout > out; "
        + "for i in 1 2 3 4 5; do generate --model \(Nano.model) --ids 1,2 --logits pipe && break; "
        + "sleep 0.2; done; wait; cmp read out")
    #expect(read.isSuccess, "\(read.errors)")
    for arguments in [
      ["evaluate", "--model", Nano.model, "--limit", "1", "--journal", "pipe"],
      ["evaluate", "show", "pipe"], ["evaluate", "table", "pipe"],
      ["evaluate", "--compare", Nano.model, Nano.model, "--text", "pipe"],
      ["evaluate", "--bench", "pipe.yaml", "--model", Nano.model],
      ["quantize", "--model", Nano.model, "--calibration", "pipe", "--output", "model"],
      ["quantize", "--model", Nano.model, "--scheme", "pipe", "--output", "model"],
      ["study", "status", "pipe"], ["plan", "--memory", "1GiB", "--study", "pipe"],
    ] {
      if arguments.contains("pipe.yaml") { #expect(mkfifo(folder.path("pipe.yaml"), 0o600) == 0) }
      let outcome = try folder.shell("exec \(arguments.joined(separator: " "))")
      expectRefusal(outcome, naming: ["pipe", "no regular file"])
    }
    #expect(Date().timeIntervalSince(started) < 60)
    #expect(kind("pipe") == S_IFIFO)
  }

  /// A text may come through a pipe, but is not waited for where nobody writes it; other files may not.
  @Test func pipesAndDevicesInPlaceOfModelFilesAndTexts() throws {
    let model = try ModelCopy(in: folder)
    for name in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
      let file = model.folder.appendingPathComponent(name)
      let bytes = try Data(contentsOf: file)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
      for more in [["-n", "1"], ["--show-prompt"]] where !(name.hasPrefix("gen") && more.count == 1)
      {
        let outcome = try folder.run(.generate, ["--model", model.path, "--prompt", "hi"] + more)
        expectRefusal(outcome, naming: [name, "regular file"])
      }
      try FileManager.default.removeItem(at: file)
      try bytes.write(to: file)
    }
    for name in ["pipe", "pipe.gguf"] { #expect(mkfifo(folder.path(name), 0o600) == 0) }
    for name in ["pipe", "pipe.gguf", "/dev/zero"] {
      expectRefusal(try folder.run(.generate, ["--model", name, "--prompt", "hi"]), naming: [name])
      let settings = try folder.run(
        .generate, ["--prompt", "hi"], environment: ["BITBUDGET_CONFIG": folder.path(name)])
      expectRefusal(
        settings, code: 2,
        naming: name.hasPrefix("/") ? ["No such file"] : [name, "no regular file"])
      for flag in ["--prompt-file", "--messages"] {
        expectRefusal(
          try folder.run(.generate, ["--model", Nano.model, flag, name]), naming: [name])
      }
    }
    let piped = try folder.shell(
      "generate --model \(Nano.model) --prompt-file <(sleep 0.2; echo hi) --show-prompt")
    #expect(piped.isSuccess && piped.output.contains("hi"), "\(piped.errors)")
    let endless = try folder.shell("cat /dev/zero | generate --model \(Nano.model)")
    expectRefusal(endless, naming: ["standard input", "larger than"])
  }

  /// A file that could be absent is not taken for absent where a link to it leads nowhere, as in a cache that lost it.
  @Test(arguments: [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "kv-policy.json", "model.safetensors",
  ])
  func linksThatLeadNowhereAreNamed(name: String) throws {
    let model = try ModelCopy(in: folder)
    try? model.remove(name)
    try FileManager.default.createSymbolicLink(
      atPath: "\(model.path)/\(name)", withDestinationPath: "../blobs/nothing")
    expectRefusal(
      try folder.run(.generate, ["--model", model.path, "--prompt", "hi", "-n", "1"]),
      naming: [name, "a link that leads nowhere"])
  }

  @Test func linksStayLinks() throws {
    try Data("old".utf8).write(to: folder.url.appendingPathComponent("target.npy"))
    for (link, target) in [("link.npy", "target.npy"), ("run.jsonl", "runs.jsonl")] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path(link), withDestinationPath: target)
    }
    #expect(try logits(to: folder.path("link.npy")).isSuccess)
    #expect(kind("link.npy") == S_IFLNK)
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("target.npy")).starts(with: [
        0x93, 0x4E,
      ]))
    // Replies of several at a time come in any order, so that the journal is sorted in the end.
    let run = try folder.run(
      .evaluate,
      [
        "--model", Nano.model, "--limit", "8", "--max-tokens", "64", "--journal",
        folder.path("run.jsonl"),
      ])
    #expect(run.isSuccess, "\(run.errors)")
    #expect(kind("run.jsonl") == S_IFLNK && kind("runs.jsonl") == S_IFREG)
  }

  @Test func forceDeletesNothingThatIsNoModelOfOurs() throws {
    func quantize() throws -> Outcome {
      try folder.run(
        .quantize,
        ["--model", Nano.model, "--method", "rtn", "--force", "--output", folder.path("model")])
    }
    #expect(try quantize().isSuccess)
    try Data("mine".utf8).write(to: folder.url.appendingPathComponent("model/notes.txt"))
    try FileManager.default.createDirectory(
      atPath: folder.path("model/more"), withIntermediateDirectories: false)
    expectRefusal(try quantize(), naming: ["notes.txt", "more", "will not be replaced"])
    #expect(folder.text("model/notes.txt") == "mine")
    try FileManager.default.removeItem(atPath: folder.path("model/notes.txt"))
    try FileManager.default.removeItem(atPath: folder.path("model/more"))
    #expect(try quantize().isSuccess)
    // A model that somebody else wrote.
    try FileManager.default.removeItem(atPath: folder.path("model/bitbudget.json"))
    expectRefusal(try quantize(), naming: ["model", "will not be replaced"])
    #expect(try folder.names() == ["model"])
  }

  @Test func aJournalsFolderIsMade() throws {
    let run = try folder.run(
      .evaluate,
      ["--model", Nano.model, "--limit", "1", "--max-tokens", "4", "--journal", "new/deep/a.jsonl"])
    #expect(run.isSuccess, "\(run.errors)")
    #expect(folder.text("new/deep/a.jsonl").contains("fingerprint"))
  }

  @Test func textsThatAreNoUTF8AreRefusedWithThePlace() throws {
    try Data("Three and four \u{E9}".utf8.dropLast()).write(
      to: folder.url.appendingPathComponent("a.txt"))
    for arguments in [
      ["quantize", "--model", Nano.model, "--calibration", "a.txt", "--output", "model"],
      ["evaluate", "--compare", Nano.model, Nano.model, "--text", "a.txt"],
    ] {
      let outcome = try folder.shell("exec \(arguments.joined(separator: " "))")
      expectRefusal(outcome, naming: ["a.txt", "offset 15", "UTF-8"])
    }
  }

  /// What identifies a reply, or how it was graded, cannot be edited without a word.
  @Test func editedRepliesAreNoticed() throws {
    let arguments = [
      "--model", Nano.model, "--limit", "3", "--max-tokens", "48", "--journal", "run.jsonl",
    ]
    #expect(try folder.run(.evaluate, arguments).isSuccess)
    let text = folder.text("run.jsonl")
    let lines = text.split(separator: "\n").map(String.init)
    let verdict = lines[2].contains(#""correct":true"#) ? "false" : "true"
    for (pattern, changed) in [
      (#""correct":(true|false)"#, #""correct":"# + verdict), (#""seed":[0-9]+"#, #""seed":7"#),
      (#""item":"[^"]*""#, #""item":"another""#),
      (#""answerTokens":[0-9]+"#, #""answerTokens":1000"#),
    ] {
      var edited = lines
      edited[2] = edited[2].replacing(try Regex(pattern), with: changed)
      try Data((edited.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.url.appendingPathComponent("run.jsonl"))
      expectRefusal(
        try folder.run(.evaluate, arguments), naming: ["run.jsonl, line 3", "was edited"])
      // What comes before is shown.
      let shown = try folder.run(.evaluate, ["show", "run.jsonl"])
      #expect(shown.end == .exited(1) && shown.errors.contains("line 3: was edited"))
    }
    // Grading again takes the texts as they stand, and says that they were edited.
    let regraded = try folder.run(.evaluate, ["regrade", "run.jsonl", "--output", "new.jsonl"])
    #expect(regraded.isSuccess && regraded.errors.contains("1 replies were edited"))
    // Journals of earlier versions have no digests, which is said.
    let digest = try Regex(#","digest":"[0-9a-f]{32}""#)
    let old = lines.map {
      $0.replacing(digest, with: "").replacing(#""format":2"#, with: #""format":1"#)
    }
    try Data((old.joined(separator: "\n") + "\n").utf8)
      .write(to: folder.url.appendingPathComponent("run.jsonl"))
    let read = try folder.run(.evaluate, arguments)
    #expect(read.isSuccess && read.errors.contains("3 replies were recorded without a digest"))
  }
}
