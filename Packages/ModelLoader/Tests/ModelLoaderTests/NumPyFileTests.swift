import Foundation
import ModelLoader
import Testing

@Suite("NumPy files")
struct NumPyFileTests {
  @Test("rows are read again as they were written, for headers of any length")
  func rows() throws {
    let folder = try TemporaryFolder()
    for (rows, columns) in [(1, 1), (3, 5), (2, 100_003)] {
      let url = folder.url.appendingPathComponent("\(rows).npy")
      let file = try NumPyFile(url.path, rows: rows, columns: columns)
      var expected: [Float] = []
      for row in 0..<rows {
        let values = (0..<columns).map { Float(row) + Float($0 % 251) / 256 }
        try file.append(values)
        expected += values
      }
      #expect(!FileManager.default.fileExists(atPath: url.path))
      try file.finish()
      let found = try NumPyArray(url)
      #expect(found.shape == [rows, columns])
      #expect(found.values == expected)
      let header = try Data(contentsOf: url).count - 4 * rows * columns
      #expect(header % 64 == 0)
    }
  }
}
