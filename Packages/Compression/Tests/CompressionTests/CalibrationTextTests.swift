import Foundation
import Testing

@testable import Compression

@Suite struct CalibrationTextTests {
  func file(_ name: String, _ text: String) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let url = folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: url)
    return url
  }

  func encode(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }

  @Test func rowsAreSamplesCutToLength() throws {
    let url = try file(
      "a.jsonl", "{\"text\": \"abcdef\"}\r\n\n{\"text\": \"xy\"}\n{\"text\": \"\"}")
    let text = try CalibrationText(contentsOf: url)
    let found = try text.sequences(samples: 9, length: 4, file: "a", encode: encode)
    #expect(found == [encode("abcd"), encode("xy")])
  }

  @Test func oneTextIsCutIntoWindowsAtEvenDistances() throws {
    let text = try CalibrationText(contentsOf: file("a.txt", "aabbccddeef"))
    let all = try text.sequences(samples: 9, length: 2, file: "a", encode: encode)
    #expect(all == ["aa", "bb", "cc", "dd", "ee", "f"].map(encode))
    let some = try text.sequences(samples: 3, length: 2, file: "a", encode: encode)
    #expect(some == ["aa", "cc", "ee"].map(encode))
  }

  @Test func badFilesAreNamedWithTheLine() throws {
    let url = try file("b.jsonl", "{\"text\": \"a\"}\n{\"txet\": 1}\n")
    #expect {
      try CalibrationText(contentsOf: url)
    } throws: {
      "\($0)" == "\(url.path), line 2: text: expected a string, found nothing"
    }
    #expect(throws: CompressionError.self) {
      try CalibrationText(contentsOf: URL(fileURLWithPath: "/nonexistent/x.txt"))
    }
    #expect(throws: CompressionError.self) {
      try CalibrationText(contentsOf: file("c.txt", "")).sequences(
        samples: 1, length: 1, file: "c", encode: encode)
    }
  }
}
