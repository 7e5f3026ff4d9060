import Foundation
import Synchronization
import Testing

@testable import ModelHub

/// A server on loopback that answers every request with what it was sent.
private final class EchoServer: Sendable {
  let port: Int
  private let socket: Int32
  private let heads = Mutex<[String]>([])

  init() throws {
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
        bind(listening, $0, length) == 0 && listen(listening, 8) == 0
          && getsockname(listening, $0, &length) == 0
      }
    }
    try #require(isBound)
    socket = listening
    port = Int(in_port_t(bigEndian: address.sin_port))
    Thread { [self] in run() }.start()
  }

  func end() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// The heads of the requests so far.
  var requests: [String] { heads.withLock { $0 } }

  private func run() {
    while true {
      let connection = accept(socket, nil, nil)
      guard connection >= 0 else { break }
      while let (head, body) = Self.read(connection) {
        heads.withLock { $0.append(head) }
        let answer =
          Data("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
        _ = answer.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
      }
      close(connection)
    }
    close(socket)
  }

  private static func read(_ connection: Int32) -> (head: String, body: Data)? {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = data.range(of: Data("\r\n\r\n".utf8)) {
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
        let line = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        let length = line.flatMap { Int($0.dropFirst(16)) } ?? 0
        if data.count >= end.upperBound + length { return (head, data[end.upperBound...]) }
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      data += buffer.prefix(count)
    }
  }
}

@Suite(.enabled(if: CurlLibrary.shared != nil, "the system has no libcurl"))
struct CurlTransportTests {
  private func send(_ request: HTTPRequest, by transport: CurlTransport) throws -> Data {
    let body = WholeBody(limit: 1 << 20)
    let response = try transport.send(request, to: body, timeout: 10) { false }
    #expect(response.status == 200)
    return body.bytes
  }

  /// A body is sent as it is, and the request behind it on the same connection has none.
  @Test func bodiesArePosted() throws {
    let server = try EchoServer()
    defer { server.end() }
    let transport = CurlTransport()
    let url = try #require(URL(string: "http://127.0.0.1:\(server.port)/v1"))
    for body in [Data("{\"a\": 1}".utf8), Data(), Data((0..<300_000).map { UInt8($0 & 255) })] {
      let request = HTTPRequest(url, headers: ["Content-Type": "application/json"], body: body)
      #expect(try send(request, by: transport) == body)
      #expect(try send(HTTPRequest(url), by: transport).isEmpty)
    }
    let heads = server.requests
    #expect(heads.map { $0.hasPrefix("POST /v1") } == [true, false, true, false, true, false])
    #expect(heads.allSatisfy { !$0.contains("Expect") })
    #expect(heads[0].contains("Content-Type: application/json"))
  }
}
