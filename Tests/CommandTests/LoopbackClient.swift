import Foundation

/// A connection to a server on this machine, by hand, so that tests can send what no library would.
final class LoopbackClient {
  struct Reply {
    let status: Int
    let headers: [String: String]
    let body: Data

    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:]
    }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The events of a stream, the last `[DONE]` aside.
    var events: [[String: Any]] {
      text.split(separator: "\n").filter { $0.hasPrefix("data: {") }.compactMap {
        try? JSONSerialization.jsonObject(with: Data($0.dropFirst(6).utf8)) as? [String: Any]
      }
    }
  }

  struct Failure: Error { let reason: String }

  private let socket: Int32
  private var pending = Data()

  init(port: Int, seconds: Int = 60) throws {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    socket = Foundation.socket(AF_INET, kind, 0)
    var patience = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw Failure(reason: "connect: \(errno)") }
  }

  deinit { close() }

  private var isClosed = false

  /// Goes away.
  func close() {
    if !isClosed { Foundation.close(socket) }
    isClosed = true
  }

  /// Sends bytes as they are; false where the server has gone.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  /// Sends a request.
  func request(
    _ method: String, _ path: String, _ body: String = "", headers: [String: String] = [:]
  ) {
    let all = ["Host": "127.0.0.1", "Content-Length": "\(body.utf8.count)"].merging(headers) { $1 }
    let lines = all.map { "\($0): \($1)\r\n" }.joined()
    send("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n\(body)")
  }

  /// Reads a whole answer.
  func reply() throws -> Reply {
    let head = try read(until: "\r\n\r\n")
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
    guard let first = lines.first, first.hasPrefix("HTTP/1."),
      let status = Int(first.dropFirst(9).prefix(3))
    else { throw Failure(reason: "no status: \(lines)") }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] =
        parts.count == 2 ? parts[1].drop { $0 == " " }.description : ""
    }
    var body = Data()
    if headers["transfer-encoding"] == "chunked" {
      while true {
        let line = String(decoding: try read(until: "\r\n"), as: UTF8.self)
        // The line's end is one character.
        guard let size = Int(line.dropLast(), radix: 16) else {
          throw Failure(reason: "no size of a chunk: \(line)")
        }
        body += try read(size)
        _ = try read(2)
        if size == 0 { break }
      }
    } else if let count = headers["content-length"].flatMap({ Int($0) }) {
      body = try read(count)
    } else if first.hasPrefix("HTTP/1.0 ") {
      body = try readToEnd()
    }
    return Reply(status: status, headers: headers, body: body)
  }

  /// Waits for the server to close the connection; false where it sends more or takes too long.
  func isClosedByServer() -> Bool {
    var byte: UInt8 = 0
    return pending.isEmpty && recv(socket, &byte, 1, 0) <= 0 && errno != EAGAIN
  }

  /// Reads up to and with some text.
  func read(until end: String) throws -> Data {
    let end = Data(end.utf8)
    while true {
      if let range = pending.range(of: end) {
        defer { pending = Data(pending[range.upperBound...]) }
        return pending[..<range.upperBound]
      }
      try readMore()
    }
  }

  private func read(_ count: Int) throws -> Data {
    while pending.count < count { try readMore() }
    defer { pending = Data(pending.dropFirst(count)) }
    return pending.prefix(count)
  }

  /// Reads until the server closes the connection.
  private func readToEnd() throws -> Data {
    while try receive() > 0 {}
    defer { pending = Data() }
    return pending
  }

  private func readMore() throws {
    guard try receive() > 0 else { throw Failure(reason: "closed") }
  }

  /// Takes what has come, and waits for it; returns its bytes, 0 at the end.
  private func receive() throws -> Int {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &buffer, buffer.count, 0)
    guard count >= 0 else { throw Failure(reason: "recv: \(errno)") }
    pending += buffer.prefix(count)
    return count
  }
}
