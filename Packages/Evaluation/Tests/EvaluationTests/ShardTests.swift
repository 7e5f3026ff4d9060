import Foundation
import Testing

@testable import Evaluation

struct ShardTests {
  @Test func partsCoverEverythingOnce() throws {
    for count in [1, 2, 3, 7] {
      for item in 0..<5 {
        for sample in 0..<3 {
          let owners = try (1...count).filter {
            try Shard(index: $0, count: count).contains(item: item, sample: sample, of: 3)
          }
          #expect(owners == [(item * 3 + sample) % count + 1])
        }
      }
    }
  }

  @Test(arguments: ["4/3", "0/3", "-1/3", "1/0", "0", "1", "", "1/2/3", "a/b", "1/ 2", "1.0/2"])
  func nonsenseIsRefused(text: String) {
    #expect(throws: EvaluationError.self) { try Shard(text) }
  }

  @Test func isReadAsItIsWritten() throws {
    let shard = try Shard("2/5")
    #expect(shard.description == "2/5")
    #expect(try JSONDecoder().decode(Shard.self, from: JSONEncoder().encode(shard)) == shard)
  }
}
