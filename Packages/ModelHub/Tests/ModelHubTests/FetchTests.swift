import Foundation
import Testing

@testable import ModelHub

@Suite("Fetching files")
struct FetchTests {
  private static let piece = PieceBuffer.capacity

  /// A large file of three pieces and a bit, one of a piece, a small and an empty one.
  private static let files: [String: Data] = {
    func bytes(_ count: Int) -> Data {
      var state: UInt64 = 88_172_645_463_325_252
      var data = Data(capacity: count)
      while data.count < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
      }
      return data.prefix(count)
    }
    return [
      "big.safetensors": Data(bytes(3 * piece + 12345)), "one.safetensors": Data(bytes(piece)),
      "sub/small.json": Data("{}".utf8), "empty.txt": Data(),
    ]
  }()

  /// What the cache holds of the files.
  private func expectWhole(_ folder: TemporaryFolder, _ hub: FakeHub) throws {
    let listing = try hub.listing()
    let snapshot = folder.url.appendingPathComponent(
      "models--org--model/snapshots/\(FakeHub.commit)")
    for file in listing.files {
      let place = snapshot.appendingPathComponent(file.path)
      #expect(try Data(contentsOf: place) == hub.files[file.path], "\(file.path)")
      let target = try FileManager.default.destinationOfSymbolicLink(atPath: place.path)
      let up = file.path.contains("/") ? "../../../" : "../../"
      #expect(target == up + "blobs/" + file.etag)
    }
    let reference = folder.path("models--org--model/refs/main")
    #expect(try String(contentsOfFile: reference, encoding: .utf8) == FakeHub.commit)
    #expect(
      try !folder.paths().contains { $0.hasSuffix(".incomplete") || $0.hasSuffix(".partial") })
  }

  @Test(
    "all files arrive, whatever goes wrong on the way",
    arguments: [
      [], [.cut(bytes: 100_000, times: 7)], [.status(503, times: 2)], [.expire(1)],
      [.noRanges], [.cut(bytes: 5, times: 2), .expire(2)],
    ] as [Set<FakeHub.Fault>])
  func whole(faults: Set<FakeHub.Fault>) throws {
    let (folder, hub) = (try TemporaryFolder(), FakeHub(Self.files, faults))
    let listing = try hub.listing()
    var last: FetchProgress?
    try hub.client(folder, attempts: 12).fetch(listing.files, of: listing) { last = $0 }
    try expectWhole(folder, hub)
    let total = Self.files.values.reduce(0) { $0 + $1.count }
    #expect(last?.bytes == total)
    #expect(last?.files == Self.files.count)
    // What is there is not asked for again.
    let asked = hub.requests.count
    try hub.client(folder).fetch(listing.files, of: listing)
    #expect(hub.requests.count == asked)
  }

  @Test("the token goes to the hub and to nobody else")
  func token() throws {
    let (folder, hub) = (try TemporaryFolder(), FakeHub(Self.files))
    let listing = try hub.listing()
    try hub.client(folder, token: "secret").fetch(listing.files, of: listing)
    for request in hub.requests {
      let isHub = request.url.host == "hub.example"
      #expect((request.headers["Authorization"] == "Bearer secret") == isHub)
    }
    #expect(hub.requests.contains { $0.url.host == "store.example" })
  }

  @Test("what an earlier process left is not fetched again")
  func resumes() throws {
    let folder = try TemporaryFolder()
    let hub = FakeHub(Self.files)
    let listing = try hub.listing()
    let dying = FakeHub(Self.files, [.dies(after: 3)])
    #expect(
      throws: HubError.self,
      performing: { try dying.client(folder, connections: 1).fetch(listing.files, of: listing) })
    let growing = try folder.paths().filter { $0.hasSuffix(".incomplete") }
    #expect(growing.count == 1)
    let size = try FileManager.default.attributesOfItem(atPath: folder.path(growing[0]))[.size]
    let kept = try #require(size as? Int)
    #expect(kept > 0 && kept % Self.piece == 0)
    #expect(try !folder.paths().contains { $0.hasSuffix("refs/main") })
    try hub.client(folder).fetch(listing.files, of: listing)
    try expectWhole(folder, hub)
    let ranges = hub.requests.compactMap { $0.headers["Range"] }
    #expect(!ranges.contains { $0.hasPrefix("bytes=0-") })
  }

  @Test("what an earlier process left is begun anew where it is damaged")
  func damagedRest() throws {
    let (folder, hub) = (try TemporaryFolder(), FakeHub(Self.files))
    let listing = try hub.listing()
    let big = try #require(listing.files.first { $0.path == "big.safetensors" })
    try folder.write(
      String(repeating: "x", count: 1000), to: "models--org--model/blobs/\(big.etag).incomplete")
    try hub.client(folder).fetch(listing.files, of: listing)
    try expectWhole(folder, hub)
  }

  @Test(
    "wrong bytes, lengths and ranges are refused and leave nothing behind that looks whole",
    arguments: [
      // Of a file in several pieces whichever is answered first.
      (.flip, "digest"), (.wrongRange, ", found bytes "), (.long, "bytes expected"),
      (.status(404, times: 1000), "404"),
    ] as [(FakeHub.Fault, String)])
  func refused(fault: FakeHub.Fault, words: String) throws {
    let (folder, hub) = (try TemporaryFolder(), FakeHub(Self.files, [fault]))
    let listing = try hub.listing()
    let text = message { try hub.client(folder).fetch(listing.files, of: listing) }
    #expect(text?.contains(words) == true, "\(text ?? "nothing thrown")")
    let paths = try folder.paths()
    #expect(!paths.contains { $0.hasSuffix("refs/main") || $0.hasSuffix("big.safetensors") })
  }

  @Test("a server that asks to wait for too long is left alone")
  func waits() throws {
    let folder = try TemporaryFolder()
    let hub = FakeHub(Self.files, [.status(429, times: 1)], retryAfter: "3600")
    let listing = try hub.listing()
    let text = message { try hub.client(folder).fetch(listing.files, of: listing) }
    #expect(text?.contains("wait 3600 s") == true)
    let patient = FakeHub(Self.files, [.status(429, times: 2)], retryAfter: "0")
    try patient.client(folder).fetch(listing.files, of: listing)
    try expectWhole(folder, patient)
  }

  @Test("an interrupted fetch ends at once and keeps what it has")
  func cancelled() throws {
    let (folder, hub) = (try TemporaryFolder(), FakeHub(Self.files))
    let listing = try hub.listing()
    #expect(throws: HubError.cancelled) {
      try hub.client(folder, isCancelled: { true }).fetch(listing.files, of: listing)
    }
  }
}
