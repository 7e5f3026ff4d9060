import Foundation
import Tokenizer

// Prints JSON lines for compare.py:
//   tokenizer-bench DIR load            seconds and resident MiB of loading DIR
//   tokenizer-bench DIR encode FILE...  for each file: best seconds, tokens, a digest of the ids
//   tokenizer-bench DIR lines FILE...   the same, encoding each line by itself
//   tokenizer-bench DIR decode FILE...  the same for decoding the ids of each file

/// Resident memory of this process in MiB, or 0 where /proc is absent.
func residentMiB() -> Double {
  guard let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
    return 0
  }
  let fields = statm.split(separator: " ")
  guard fields.count > 1, let pages = Double(fields[1]) else { return 0 }
  return pages * 4096 / 1_048_576
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let duration = try clock.measure(body)
  let (whole, fraction) = duration.components
  return Double(whole) + Double(fraction) * 1e-18
}

/// FNV-1a over the ids, so that both programs can show they agree.
func digest(_ ids: [Int32]) -> String {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for id in ids { hash = (hash ^ UInt64(UInt32(bitPattern: id))) &* 0x100_0000_01B3 }
  return String(hash, radix: 16)
}

func best(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
  var best = Double.infinity
  for _ in 0..<runs { best = min(best, try seconds(body)) }
  return best
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  FileHandle.standardError.write(
    Data("usage: tokenizer-bench DIR load|encode|lines|decode [FILE...]\n".utf8))
  exit(2)
}
let directory = URL(fileURLWithPath: arguments[1])
let before = residentMiB()
var loaded: TextTokenizer?
let loading = try seconds { loaded = try TextTokenizer(directory: directory) }
guard let tokenizer = loaded else { exit(1) }
let memory = residentMiB() - before

switch arguments[2] {
case "load":
  print(#"{"seconds": \#(loading), "mib": \#(memory), "vocabulary": \#(tokenizer.vocabularySize)}"#)
default:
  for file in arguments.dropFirst(3) {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    var ids = tokenizer.encode(text, addSpecialTokens: false)
    var decoded = ""
    let lines = text.utf8.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    let time = best(of: 7) {
      switch arguments[2] {
      case "encode": ids = tokenizer.encode(text, addSpecialTokens: false)
      case "lines": ids = lines.flatMap { tokenizer.encode($0, addSpecialTokens: false) }
      default: decoded = tokenizer.decode(ids, skipSpecialTokens: false)
      }
    }
    print(
      #"{"seconds": \#(time), "tokens": \#(ids.count), "digest": "\#(digest(ids))", "#
        + #""characters": \#(decoded.unicodeScalars.count)}"#)
  }
}
