import Foundation
import Tensors
import Testing

/// Random blocks of every type and their values by another implementation (see `generator` in the
/// file).
private struct Reference: Decodable {
  struct Case: Decodable {
    let name: String
    let id: UInt32
    let blocks: [UInt8]
    /// Bit patterns of F32.
    let values: [UInt32]
  }
  let cases: [Case]

  static func load() throws -> Reference {
    // Packages/Tensors/Tests/TensorsTests/BlockTypeTests.swift in the repository.
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    let url = root.appendingPathComponent("Tests/Goldens/block-types.json")
    return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
  }
}

@Suite("Types of blocks")
struct BlockTypeTests {
  @Test("blocks have the reference's values, bit for bit")
  func values() throws {
    let reference = try Reference.load()
    #expect(Set(reference.cases.map(\.id)) == Set(BlockType.all.map(\.id)))
    for example in reference.cases {
      let type = try #require(BlockType(id: example.id))
      #expect(type.name == example.name)
      let count = example.blocks.count / type.bytes * type.elements
      #expect(count == example.values.count)
      let values = [Float](unsafeUninitializedCapacity: count) { target, filled in
        if let base = target.baseAddress {
          example.blocks.withUnsafeBytes { type.decode($0, into: base) }
        }
        filled = count
      }
      let expected = example.values.map(Float.init(bitPattern:))
      #expect(values == expected, "\(type.name)")
    }
  }

  @Test("types that are no blocks are not known")
  func unknown() {
    for id: UInt32 in [0, 1, 4, 5, 9, 15, 16, 30, 40, 144, .max] {
      #expect(BlockType(id: id) == nil, "\(id)")
    }
  }
}
