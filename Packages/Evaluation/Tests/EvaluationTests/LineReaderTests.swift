import Foundation
import Testing

@testable import Evaluation

struct LineReaderTests {
  @Test func linesKnowWhereTheyStand() throws {
    let folder = try TemporaryFolder()
    // The second line is longer than one read.
    let long = String(repeating: "x", count: 3 << 20)
    let file = try folder.file("a.txt", "one\n\(long)\n\nlast")
    var reader = try LineReader(file)
    var lines: [LineReader.Line] = []
    while let line = try reader.next() { lines.append(line) }
    #expect(lines.map(\.number) == [1, 2, 3, 4])
    #expect(lines.map(\.offset) == [0, 4, 5 + (3 << 20), 6 + (3 << 20)])
    #expect(lines.map(\.bytes.count) == [3, 3 << 20, 0, 4])
    #expect(lines.map(\.isTerminated) == [true, true, true, false])
  }

  @Test func whatCannotBeReadIsNamed() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appending(path: "missing")
    #expect(
      throws: EvaluationError.file(
        path: missing.path, reason: "cannot be opened: No such file or directory")
    ) { _ = try LineReader(missing) }
    #expect(throws: EvaluationError.self) {
      var reader = try LineReader(folder.url)
      _ = try reader.next()
    }
  }
}
