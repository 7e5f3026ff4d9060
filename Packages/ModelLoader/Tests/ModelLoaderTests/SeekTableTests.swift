import Foundation
import Testing

@testable import ModelLoader

@Suite("Seek tables")
struct SeekTableTests {
  @Test("tables that lie are refused before memory is taken")
  func lyingTables() throws {
    let folder = try TemporaryFolder()
    let good = SeekTable.Frame(compressedSize: 9, contentSize: 5, transform: .none, hash: 0)
    let path = folder.path("f")
    func open(_ frames: [SeekTable.Frame], data: Int) throws -> SeekTable {
      try folder.write(
        [UInt8](repeating: 0, count: data) + SeekTable(frames: frames).encoded(file: path), to: "f")
      return try SeekTable(of: FileSource(path: path, what: "test"))
    }
    #expect(try open([good, good], data: 18) == SeekTable(frames: [good, good]))
    #expect(throws: CheckpointError.self) { try open([good], data: 10) }
    #expect(throws: CheckpointError.self) { try open([good], data: 8) }
    for (content, transform) in [
      (0, SeekTable.Transform.none), (SeekTable.contentLimit + 1, .none), (5, .bytePlanes),
    ] {
      let frame = SeekTable.Frame(
        compressedSize: 9, contentSize: content, transform: transform, hash: 0)
      #expect(throws: CheckpointError.self) { try open([frame], data: 9) }
    }
  }
}
