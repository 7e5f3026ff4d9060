import AppSupport
import Evaluation
import Foundation
import SystemCalls

/// The results of a run as stored beside its journal.
struct RunResult: Codable {
  let summary: Summary
  /// Tokens generated a second, over all replies that ran side by side, in the session that last
  /// generated any.
  var tokensPerSecond: Double?

  /// A larger file is no result.
  private static let mostBytes = 64 << 20

  /// The journal beside such a file.
  static func journal(of file: URL) -> URL {
    file.deletingLastPathComponent().appendingPathComponent(file.runName + ".jsonl")
  }

  init(summary: Summary, tokensPerSecond: Double? = nil) {
    self.summary = summary
    self.tokensPerSecond = tokensPerSecond
  }

  init(contentsOf file: URL) throws {
    do {
      let bytes = try RegularFile.contents(of: file.path, atMost: Self.mostBytes)
      self = try JSONDecoder().decode(RunResult.self, from: bytes)
    } catch let error as FileError {
      throw UserError("\(file.path): cannot be read: \(error.reason)")
    } catch {
      throw UserError("\(file.path): is no result of 'evaluate'")
    }
    guard summary.isPlausible else {
      throw UserError("\(file.path): holds figures that cannot be")
    }
  }

  /// Stores the result beside its journal; where nothing was generated the stored rate stays.
  mutating func save(beside journal: URL) throws {
    let file = EvaluationRun.resultFile(of: journal)
    if let earlier = try? RunResult(contentsOf: file),
      earlier.summary.fingerprint == summary.fingerprint
    {
      tokensPerSecond = tokensPerSecond ?? earlier.tokensPerSecond
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try AtomicFile.write(encoder.encode(self) + Data("\n".utf8), to: file.path)
    } catch {
      let reason = (error as? FileError)?.reason ?? "\(error)"
      throw UserError("\(file.path): cannot be written: \(reason)")
    }
  }

  /// The result as part of a table.
  func row(named name: String) -> SummaryTable.Run {
    SummaryTable.Run(name: name, summary: summary, tokensPerSecond: tokensPerSecond)
  }
}

extension URL {
  /// What a journal, or the result beside it, is called in tables: its name without the kind.
  var runName: String {
    deletingPathExtension().lastPathComponent.replacingOccurrences(
      of: ".result", with: "", options: [.anchored, .backwards])
  }
}
