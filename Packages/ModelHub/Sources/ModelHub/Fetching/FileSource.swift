import Foundation
import Synchronization

/// Where the bytes of one file come from: the hub's address of it, and the place it sends to, which
/// is asked directly until it no longer answers. Such places are signed, and their signatures end.
///
/// Sendable by rule: a lock guards the place.
final class FileSource: Sendable {
  /// How a request for a piece ended.
  enum Answer {
    /// The piece is complete.
    case complete
    /// The server gives the file only as a whole.
    case rangesIgnored
  }

  private let file: HubFile
  private let repository: RepositoryName
  private let client: HubClient
  private let address: URL
  private let place = Mutex<URL?>(nil)

  init(_ file: HubFile, _ listing: HubListing, _ client: HubClient) throws(HubError) {
    self.file = file
    repository = listing.repository
    self.client = client
    address = try client.address(of: file, listing.repository, commit: listing.commit)
  }

  /// Fills a piece; a connection that breaks is taken up where it broke.
  ///
  /// - Parameters:
  ///   - piece: where it is in the file, and what has arrived of it.
  ///   - arrived: told how many bytes came, below 0 for those that come again.
  /// - Returns: whether the server gives parts of the file.
  /// - Throws: `HubError`.
  func fill(
    _ piece: PieceBuffer, arrived: @escaping @Sendable (Int) -> Void
  ) throws(HubError) -> Answer {
    var attempts = Attempts(client.settings)
    let isWhole = piece.length == file.size
    while !piece.isComplete {
      let before = piece.count
      do throws(HubError) {
        let first = piece.offset + before
        // A whole file needs no range, which a server may ignore.
        let range =
          isWhole && before == 0
          ? [:] : ["Range": "bytes=\(first)-\(piece.offset + piece.length - 1)"]
        let receiver = PieceReceiver(piece, of: file.size, arrived: arrived)
        let url = try get(range, to: receiver)
        if receiver.isIgnored { return .rangesIgnored }
        if let wrong = receiver.wrong {
          throw .wrongLength(file: url.shown, expected: file.size, found: wrong)
        }
        if let strange = receiver.strange {
          throw .malformed(
            url: url.shown, expected: "bytes \(first)-… of \(file.size)", found: strange)
        }
        if !piece.isComplete {
          throw .unreachable(
            url: url.shown,
            reason: "the connection ended after \(piece.count) of \(piece.length) bytes")
        }
      } catch {
        try attempts.failed(
          error, progressed: piece.count > before, isCancelled: client.isCancelled)
      }
    }
    return .complete
  }

  /// Reads all of the file as one body.
  ///
  /// - Throws: `HubError`.
  func read(to receiver: some BodyReceiver) throws(HubError) { _ = try get([:], to: receiver) }

  private func get(
    _ headers: [String: String], to receiver: some BodyReceiver
  ) throws(HubError) -> URL {
    if let known = place.withLock({ $0 }) {
      do throws(HubError) {
        return try client.get(known, headers: headers, of: repository, to: receiver).url
      } catch {
        guard case .status(_, let status, _) = error, (400..<500).contains(status) else {
          throw error
        }
        // The signature has ended, most likely: the hub makes a new one.
        place.withLock { if $0 == known { $0 = nil } }
      }
    }
    let url = try client.get(address, headers: headers, of: repository, to: receiver).url
    if !url.hasOrigin(of: client.settings.endpoint) { place.withLock { $0 = url } }
    return url
  }
}

/// Puts a body into a piece, if it is the part of the file that was asked for.
private final class PieceReceiver: BodyReceiver, @unchecked Sendable {
  /// Whether the server gives the whole file instead.
  private(set) var isIgnored = false
  /// The length that the file has there, if it is another.
  private(set) var wrong: Int?
  /// What the answer says of the part it is, if that is another.
  private(set) var strange: String?

  private let piece: PieceBuffer
  private let size: Int
  private let arrived: @Sendable (Int) -> Void

  init(_ piece: PieceBuffer, of size: Int, arrived: @escaping @Sendable (Int) -> Void) {
    self.piece = piece
    self.size = size
    self.arrived = arrived
  }

  func begin(_ response: HTTPResponse) -> Bool {
    guard response.status == 206 else {
      // The whole file: of use where it is the piece.
      isIgnored = piece.length != size
      if let length = response["Content-Length"].flatMap({ Int($0) }), length != size {
        wrong = length
      }
      arrived(-piece.count)
      piece.clear()
      return !isIgnored && wrong == nil
    }
    let text = response["Content-Range"] ?? "no Content-Range"
    guard let (first, total) = Self.range(text), first == piece.offset + piece.count else {
      strange = text
      return false
    }
    if let total, total != size { wrong = total }
    return wrong == nil
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let before = piece.count
    let isPart = piece.append(bytes)
    arrived(piece.count - before)
    if !isPart { strange = "more bytes than were asked for" }
    return isPart
  }

  /// The first byte and the length of the file in a text such as `bytes 0-99/1234`, whose length
  /// may be `*`.
  private static func range(_ text: String) -> (first: Int, total: Int?)? {
    let words = text.split(whereSeparator: { " -/".contains($0) }).map(String.init)
    guard words.count == 4, words[0].lowercased() == "bytes", let first = Int(words[1]),
      words[3] == "*" || Int(words[3]) != nil
    else { return nil }
    return (first, Int(words[3]))
  }
}
