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
}
