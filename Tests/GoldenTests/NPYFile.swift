import Foundation

/// A NumPy array file (format 1.0, C order, little-endian), as the goldens are stored.
struct NPYFile {
  let shape: [Int]
  let type: String
  private let data: Data

  struct Malformed: Error { let path: String }

  init(_ url: URL) throws {
    let file = try Data(contentsOf: url)
    guard file.count > 10, file.starts(with: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1]) else {
      throw Malformed(path: url.path)
    }
    let length = Int(file[8]) | Int(file[9]) << 8
    let header = String(decoding: file[10..<10 + length], as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr': '([^']+)'/),
      let shape = header.firstMatch(of: /'shape': \(([^)]*)\)/),
      header.contains("'fortran_order': False")
    else { throw Malformed(path: url.path) }
    self.type = String(type.1)
    self.shape = shape.1.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    data = Data(file.dropFirst(10 + length))
  }

  private func elements<Element>(_ name: String, as type: Element.Type) -> [Element] {
    precondition(self.type == name, "\(self.type) where \(name) was expected")
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<Element>.size).map {
        bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: type)
      }
    }
  }

  var floats: [Float] { elements("<f4", as: Float.self) }
  /// Bytes, signed ones by their bits.
  var bytes: [UInt8] { elements(type == "|i1" ? "|i1" : "|u1", as: UInt8.self) }
  var ints: [Int32] { elements("<i4", as: Int32.self) }
}
