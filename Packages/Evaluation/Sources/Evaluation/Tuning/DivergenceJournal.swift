import Foundation
import SystemCalls

/// How far the policies that were measured diverge: one line each, so that a search that was
/// stopped goes on where it was.
public final class DivergenceJournal {
  /// The first line: what all measurements have in common.
  private struct Header: Codable, Equatable {
    var divergences = 1
    let key: String
  }

  /// A measurement.
  private struct Line: Codable {
    let policy: String
    let comparison: ModelComparison
  }

  /// What was measured, by the text of the policy.
  public private(set) var found: [String: ModelComparison] = [:]
  private let file: LockedFile

  /// Opens or begins a journal of measurements.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - key: Identifies model, texts and numerics; another one's measurements are refused.
  /// - Throws: ``EvaluationError``: a file that cannot be written or that another process writes,
  ///   damaged lines but for a torn last one, and measurements of another key.
  public init(_ url: URL, key: String) throws(EvaluationError) {
    let header = Header(key: key)
    let isThere = FileManager.default.fileExists(atPath: url.path)
    let lines = isThere ? try Self.lines(of: url, header: header) : nil
    for line in lines ?? [] { found[line.policy] = line.comparison }
    file = try LockedFile(url)
    if lines == nil { try append(header) }
  }

  /// The measurements of a journal, of which a torn last line is cut off; nil where not even its
  /// header is whole.
  private static func lines(of url: URL, header: Header) throws(EvaluationError) -> [Line]? {
    let bytes = try WholeFile.read(url, atMost: 1 << 28)
    let decoder = JSONDecoder()
    var (whole, lines) = (Data(), [Line]())
    for (index, text) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
      let isLast = text.endIndex == bytes.endIndex
      if index == 0 {
        guard let found = try? decoder.decode(Header.self, from: Data(text)) else {
          if isLast { break }
          throw .journalLine(
            file: url.path, line: 1, reason: "is no header of measured divergences")
        }
        guard found == header else {
          throw .otherRun(
            file: url.path,
            differences: ["it holds measurements of another model, task or setting"])
        }
      } else if let line = try? decoder.decode(Line.self, from: Data(text)) {
        lines.append(line)
      } else if isLast {
        continue
      } else {
        throw .journalLine(
          file: url.path, line: index + 1, reason: "is no measured divergence")
      }
      whole += text + Data("\n".utf8)
    }
    if whole != bytes {
      try EvaluationError.wrapping { () throws(FileError) in
        try AtomicFile.write(whole, to: url.path)
      }
    }
    return whole.isEmpty ? nil : lines
  }

  /// Records a measurement.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public func add(_ policy: String, _ comparison: ModelComparison) throws(EvaluationError) {
    try append(Line(policy: policy, comparison: comparison))
    found[policy] = comparison
  }

  private func append(_ value: some Encodable) throws(EvaluationError) {
    guard let bytes = CanonicalJSON.encode(value) else {
      throw .setting(name: "a divergence", value: "no number", expected: "finite figures")
    }
    try file.append(bytes + Data("\n".utf8))
  }
}
