import Foundation
import Synchronization
import Testing

/// An endpoint on loopback that answers as a test says, well or badly.
final class StubEndpoint: Sendable {
  /// A request as it came.
  struct Request: Sendable {
    let path: String
    /// Header fields by their names in lower case.
    let headers: [String: String]
    let body: String

    /// A member of the body.
    func field(_ name: String) -> Any? {
      (try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])?[name]
    }
  }

  /// What comes of a request.
  enum Answer: Sendable {
    case body(String, status: Int = 200, headers: [String: String] = [:])
    /// Announces a length and closes behind the body.
    case cut(String, announced: Int)
    /// Says nothing for some seconds, then closes.
    case silence(seconds: Double)
    /// Pieces of a body with pauses between, of unknown length.
    case pieces([String], pause: Double)
  }

  let port: Int
  private let socket: Int32
  private let log = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Answer

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let listening = Foundation.socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listening, $0, length) == 0 && listen(listening, 64) == 0
          && getsockname(listening, $0, &length) == 0
      }
    }
    try #require(isBound)
    socket = listening
    port = Int(in_port_t(bigEndian: address.sin_port))
    self.answer = answer
    Thread { [self] in
      while true {
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else { break }
        Thread { [self] in serve(connection) }.start()
      }
      close(socket)
    }.start()
  }

  func end() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// The address as a command takes it.
  var address: String { "http://127.0.0.1:\(port)" }

  /// The requests so far.
  var requests: [Request] { log.withLock { $0 } }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var pending = Data()
    while let request = Self.read(connection, &pending) {
      log.withLock { $0.append(request) }
      switch answer(request) {
      case .body(let body, let status, let headers):
        let lines = headers.map { "\($0): \($1)\r\n" }.joined()
        Self.send(
          connection,
          "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\(lines)\r\n\(body)")
      case .cut(let body, let announced):
        return Self.send(
          connection, "HTTP/1.1 200 OK\r\nContent-Length: \(announced)\r\n\r\n\(body)")
      case .silence(let seconds):
        usleep(UInt32(seconds * 1_000_000))
        return
      case .pieces(let pieces, let pause):
        Self.send(connection, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for piece in pieces {
          usleep(UInt32(pause * 1_000_000))
          Self.send(connection, piece)
        }
        return
      }
    }
  }

  private static func send(_ connection: Int32, _ text: String) {
    let bytes = Data(text.utf8)
    _ = bytes.withUnsafeBytes {
      Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  private static func read(_ connection: Int32, _ data: inout Data) -> Request? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = data.range(of: Data("\r\n\r\n".utf8)) {
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
          .components(separatedBy: "\r\n")
        let fields = head.dropFirst().map { $0.split(separator: ":", maxSplits: 1) }
        let headers = Dictionary(
          fields.map { ($0[0].lowercased(), $0[1].trimmingCharacters(in: .whitespaces)) }
        ) { $1 }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        if data.count >= end.upperBound - data.startIndex + length {
          let body = data[end.upperBound..<(end.upperBound + length)]
          defer { data = Data(data[(end.upperBound + length)...]) }
          return Request(
            path: String(head[0].split(separator: " ")[1]), headers: headers,
            body: String(decoding: body, as: UTF8.self))
        }
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      data += buffer.prefix(count)
    }
  }
}
