import Crypto
import Foundation
import Synchronization
import Testing

@testable import ModelHub

/// A hub in memory that misbehaves as it is told.
final class FakeHub: HTTPTransport, @unchecked Sendable {
  /// What goes wrong.
  enum Fault: Hashable {
    /// The next answers with bytes end after so many of them.
    case cut(bytes: Int, times: Int)
    /// Ranges are ignored.
    case noRanges
    /// The first byte of files is another.
    case flip
    /// Answers have other bytes than were asked for.
    case wrongRange
    /// The next answers with bytes have this status.
    case status(Int, times: Int)
    /// Files are one byte longer than they are listed.
    case long
    /// Signed addresses end after so many requests.
    case expire(Int)
    /// No request is answered after so many.
    case dies(after: Int)
  }

  static let commit = String(repeating: "c0ffee12", count: 5)
  let files: [String: Data]
  private let state: Mutex<State>
  private let faults: Set<Fault>
  private let retryAfter: String?

  struct State {
    var requests: [HTTPRequest] = []
    var counts: [String: Int] = [:]
    var signed = 0
  }

  init(_ files: [String: Data], _ faults: Set<Fault> = [], retryAfter: String? = nil) {
    self.files = files
    self.faults = faults
    self.retryAfter = retryAfter
    state = Mutex(State())
  }

  /// What was asked so far.
  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// The files as the hub lists them; those of 100 bytes and more are large.
  func listing(_ name: String = "org/model") throws -> HubListing {
    HubListing(
      repository: try RepositoryName(parsing: name), commit: Self.commit,
      files: try files.sorted { $0.key < $1.key }.map { path, bytes in
        var digest = BlobDigest(
          of: try HubFile(
            path: path, size: bytes.count, blobID: String(repeating: "0", count: 40), in: "r"))
        bytes.withUnsafeBytes { digest.add($0) }
        let sha = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
        return try HubFile(
          path: path, size: bytes.count, blobID: digest.text,
          sha256: bytes.count >= 100 ? sha : nil, in: "r")
      })
  }

  private func strikes(_ name: String, _ times: Int) -> Bool {
    state.withLock { state in
      state.counts[name, default: 0] += 1
      return state.counts[name, default: 0] <= times
    }
  }

  func send(
    _ request: HTTPRequest, to receiver: some BodyReceiver, timeout: Double,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> HTTPResponse {
    let number = state.withLock { state in
      state.requests.append(request)
      return state.requests.count
    }
    if isCancelled() { throw .cancelled }
    for case .dies(let after) in faults where number > after {
      throw .unreachable(url: request.url.shown, reason: "no answer")
    }
    let parts = request.url.path.split(separator: "/").map(String.init)
    if let place = parts.firstIndex(of: "resolve") {
      let path = parts[(place + 2)...].joined(separator: "/")
      guard let bytes = files[path] else { return answer(404, receiver) }
      guard bytes.count >= 100 else { return send(bytes, request, receiver) }
      let signed = state.withLock { state in
        state.signed += 1
        return state.signed
      }
      return HTTPResponse(
        status: 302, headers: ["location": "https://store.example/\(path)?signature=\(signed)"])
    }
    let path = parts.joined(separator: "/")
    for case .expire(let uses) in faults
    where !strikes(request.url.query ?? "", uses) { return answer(403, receiver) }
    guard let bytes = files[path] else { return answer(404, receiver) }
    return try outcome(bytes, request, receiver)
  }

  private func outcome(
    _ bytes: Data, _ request: HTTPRequest, _ receiver: some BodyReceiver
  ) throws(HubError) -> HTTPResponse {
    for case .status(let status, let times) in faults where strikes("status", times) {
      return answer(status, receiver)
    }
    for case .cut(let count, let times) in faults where strikes("cut", times) {
      _ = send(bytes, request, receiver, most: count)
      throw .unreachable(url: request.url.shown, reason: "cut")
    }
    return send(bytes, request, receiver)
  }

  private func answer(_ status: Int, _ receiver: some BodyReceiver) -> HTTPResponse {
    var headers = ["Content-Length": "0"]
    headers["Retry-After"] = retryAfter
    let response = HTTPResponse(status: status, headers: headers)
    _ = receiver.begin(response)
    return response
  }

  private func send(
    _ whole: Data, _ request: HTTPRequest, _ receiver: some BodyReceiver, most: Int = .max
  ) -> HTTPResponse {
    var whole = whole
    if faults.contains(.flip), whole.count >= 100 { whole[0] ^= 1 }
    if faults.contains(.long) { whole.append(0) }
    var headers: [String: String] = [:]
    var (status, bytes) = (200, whole)
    if let range = request.headers["Range"], !faults.contains(.noRanges) {
      let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
      let first = ends[0] + (faults.contains(.wrongRange) ? 1 : 0)
      bytes = whole[first..<min(ends[1] + 1, whole.count)]
      status = 206
      headers["content-range"] = "bytes \(first)-\(first + bytes.count - 1)/\(whole.count)"
    }
    headers["content-length"] = "\(bytes.count)"
    let response = HTTPResponse(status: status, headers: headers)
    guard receiver.begin(response) else { return response }
    var rest = bytes.prefix(most)
    while !rest.isEmpty {
      let piece = Data(rest.prefix(1 << 16))
      rest = rest.dropFirst(piece.count)
      guard piece.withUnsafeBytes({ receiver.take($0) }) else { break }
    }
    return response
  }
}

extension FakeHub {
  /// A client of this hub whose pauses are short.
  func client(
    _ folder: TemporaryFolder, token: String? = nil, attempts: Int = 3, connections: Int = 3,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> HubClient {
    let endpoint = try #require(URL(string: "https://hub.example"))
    return HubClient(
      HubSettings(
        endpoint: endpoint, cache: HubCache(root: folder.url), token: token, firstPause: 0.001,
        attempts: attempts, connections: connections), transport: self, isCancelled: isCancelled)
  }
}
