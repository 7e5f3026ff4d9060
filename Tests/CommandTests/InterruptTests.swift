import Foundation
import Testing

/// Ctrl-C, termination and a reader that goes away end a command soon and leave nothing behind.
@Suite struct InterruptTests {
  private let folder: TemporaryFolder
  /// The model with a context that nothing here fills.
  private let endless: ModelCopy

  init() throws {
    folder = try TemporaryFolder()
    endless = try ModelCopy(in: folder, named: "endless")
    try endless.configure("max_position_embeddings", "1000000")
  }

  private func expectEnd(_ running: TestProcess, by signal: StopSignal) {
    let sent = Date()
    running.send(signal.number)
    let outcome = running.finish()
    #expect(outcome.end == .exited(signal.exitCode), "\(outcome.errors)")
    #expect(Date().timeIntervalSince(sent) < 5)
  }

  @Test(arguments: StopSignal.allCases) func generating(signal: StopSignal) throws {
    let running = try folder.start(
      .generate, ["--model", endless.path, "--prompt", Nano.problem, "--ignore-eos"])
    try #require(running.waits { !running.output.isEmpty }, "\(running.errors)")
    expectEnd(running, by: signal)
  }

  /// What only reads ends at once: a plan that went on to its end would print its table.
  @Test(arguments: StopSignal.allCases) func planning(signal: StopSignal) throws {
    let running = try folder.start(.plan, ["--memory", "64GiB", "--bandwidth", "50GB"])
    #expect(running.waits { running.handles(signal.number) })
    usleep(100_000)
    expectEnd(running, by: signal)
    #expect(running.output == "")
  }

  @Test(arguments: StopSignal.allCases) func quantizing(signal: StopSignal) throws {
    let running = try folder.start(
      .quantize, ["--model", Nano.model, "--bits", "4", "--output", folder.path("model")])
    try #require(running.waits { running.errors.contains("block") }, "\(running.errors)")
    #expect(try folder.names().contains(".model.partial"))
    expectEnd(running, by: signal)
    #expect(running.output == "")
    #expect(try folder.names() == ["endless"])
  }

  @Test func killedWhileQuantizing() throws {
    let arguments = [
      "--model", Nano.model, "--bits", "4", "--samples", "8", "--length", "128", "--output",
      folder.path("model"),
    ]
    let running = try folder.start(.quantize, arguments)
    try #require(running.waits { running.errors.contains("block") }, "\(running.errors)")
    running.send(SIGKILL)
    #expect(running.finish().end == .killed(SIGKILL))
    #expect(!(try folder.names().contains("model")))
    #expect(try folder.run(.quantize, arguments).isSuccess)
    #expect(try folder.names() == ["endless", "model"])
    // As one that was killed when the model had its name, but before the blocks were gone.
    try FileManager.default.createDirectory(
      atPath: folder.path(".model.blocks.done/block-0"), withIntermediateDirectories: true)
    expectRefusal(try folder.run(.quantize, arguments), naming: ["exists"])
    #expect(try folder.names() == ["endless", "model"])
  }

  /// With the signal that usually ends a writer, and with a parent that ignores it.
  @Test(arguments: ["", "trap '' PIPE; "]) func readerGone(trap: String) throws {
    let outcome = try folder.shell(
      "\(trap)generate --model '\(endless.path)' --prompt '\(Nano.problem)' --ignore-eos | head -1")
    #expect(outcome.isSuccess)
    #expect(outcome.output.split(separator: "\n").count == 1)
    #expect(!outcome.errors.contains("Fatal"))
    #expect(!outcome.errors.contains("Signal"))
  }

  /// From the first moment on: before anything is read or said. Only the loader, which runs before any code of the program,
  /// cannot handle it.
  @Test(arguments: StopSignal.allCases) func atTheStart(signal: StopSignal) throws {
    for milliseconds: UInt32? in [4, 8, 12, 16, 24, 32, nil] {
      let running = try folder.start(
        .generate, ["--model", endless.path, "--prompt", Nano.problem, "--ignore-eos"])
      if let milliseconds {
        usleep(milliseconds * 1000)
      } else {
        try #require(running.waits { running.handles(signal.number) }, "\(running.errors)")
      }
      let isHandled = running.handles(signal.number)
      running.send(signal.number)
      let end = running.finish().end
      #expect(
        end == .exited(signal.exitCode) || (!isHandled && end == .killed(signal.number)),
        "after \(milliseconds.map { "\($0) ms" } ?? "its first step")")
    }
  }

  /// What a study started ends with it, however that ends, so that it can be given again at once.
  @Test func aKilledStudyLeavesNobodyBehind() throws {
    let study = """
      name: long
      title: A long study
      tasks: {nano-math: math}
      limit: 40
      grids:
        - {benchmarks: [nano-math], models: [nano-0.5m], bits: [16], kv: [bf16], budgets: [400], samples: [4]}

      """
    try Data(study.utf8).write(to: folder.url.appendingPathComponent("long.yaml"))
    let arguments = ["run", "long.yaml", "--folder", folder.path("study")]
    let journal = "study/journals/nano-math-nano-0.5m-16bit-bf16-400.jsonl"
    for round in 1...4 {
      let running = try folder.start(.study, arguments)
      try #require(
        running.waits { folder.text(journal).filter { $0 == "\n" }.count > round },
        "\(running.errors)")
      running.send(SIGKILL)
      #expect(running.finish().end == .killed(SIGKILL))
    }
    usleep(200_000)
    let holders = try folder.shell("pgrep -f '\(folder.path("study"))' || true")
    #expect(holders.output.split(separator: "\n").count <= 1, "\(holders.output)")
  }
}
