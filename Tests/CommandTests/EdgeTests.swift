import Foundation
import Testing

/// At the edge of memory, and where nothing comes: a command ends with a message, never by a signal
/// and never never.
@Suite struct EdgeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Limits on the address space around what the programs themselves take. Below, the system's
  /// loader refuses (127).
  @Test func noLimitOnTheAddressSpaceEndsByASignal() throws {
    let outcome = try folder.shell(
      """
      generate --model nano-0.15m --ids 1,2 --max-tokens 1 --print-ids >/dev/null || exit 9
      for kibibytes in $(seq 78000 6000 190000); do
        for command in \
          "generate --model nano-0.15m --prompt 'What is 2 + 3?' --max-tokens 8" \
          "quantize --model nano-0.15m --samples 4 --length 64 --force --output model"; do
          (ulimit -v $kibibytes; eval "exec timeout 60 $command") >out 2>errors </dev/null
          code=$?
          case $code in
            0|127) ;;
            1) grep -q 'error: ' errors || echo "$kibibytes: $command: no message" ;;
            *) echo "$kibibytes: $command: $code"; tail -3 errors ;;
          esac
        done
      done
      """)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  /// Where nearly nothing is left the runtime itself could not begin.
  @Test func noLimitNearTheBeginningEndsByASignal() throws {
    let outcome = try folder.shell(
      """
      for kibibytes in $(seq 70000 1000 160000); do
        (ulimit -v $kibibytes; exec generate --version) >out 2>errors
        code=$?
        case $code in
          0|127) ;;
          1) grep -q 'error: ' errors || echo "$kibibytes: no message" ;;
          *) echo "$kibibytes: $code" ;;
        esac
      done
      """)
    #expect(outcome.isSuccess && outcome.output == "", "\(outcome.output) \(outcome.errors)")
  }

  /// What the limit leaves is known before the work begins, and both numbers are said.
  @Test func quantizingIsRefusedUnderALimitThatIsTooTight() throws {
    let outcome = try folder.shell(
      """
      for kibibytes in $(seq 90000 5000 400000); do
        (ulimit -v $kibibytes; exec quantize --model nano-4m --samples 64 --output model 2>&1) > said
        if grep -q 'are free' said; then cat said; exit 0; fi
      done
      exit 1
      """)
    #expect(outcome.isSuccess && outcome.output.contains("error: needs"), "\(outcome.output)")
  }

  /// A command that waits for what never comes hears the first signal.
  @Test(arguments: StopSignal.allCases) func waitingForInput(signal: StopSignal) throws {
    let number = signal.number
    let outcome = try folder.shell(
      """
      mkfifo pipe; exec 3<>pipe
      generate --model nano-0.15m --tokenize-jsonl <pipe 3<&- &
      sleep 1; kill -\(number) $!; wait $!; echo $?
      """)
    #expect(outcome.output.hasSuffix("\(signal.exitCode)\n"), "\(outcome.output) \(outcome.errors)")
  }
}
