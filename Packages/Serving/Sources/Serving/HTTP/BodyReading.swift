import Hummingbird
import NIOCore
import NIOHTTP1

extension Request {
  /// Whether a body follows the header.
  var announcesBody: Bool {
    headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
  }

  /// The body, as long as it stays within a number of bytes and of seconds.
  ///
  /// - Throws: `APIError` with 400, 408, 413 or 415; the connection is of no use then.
  func bodyBytes(
    _ limits: ServerLimits, _ channel: any Channel
  ) async throws(APIError) -> [UInt8] {
    let most = limits.bodyBytes
    let tooLarge = APIError(status: 413, message: "the body has more than \(most) bytes")
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > most { throw tooLarge }
    if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
      throw APIError(
        status: 415,
        message: "Content-Encoding: '\(coding)' is not read here; send the body as it is")
    }
    if headers[.expect]?.lowercased() == "100-continue" { channel.inviteBody() }
    let body = body
    do {
      return try await withThrowingTaskGroup(of: [UInt8].self) { group in
        group.addTask {
          var bytes: [UInt8] = []
          for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= most else { throw tooLarge }
            bytes += buffer.readableBytesView
          }
          return bytes
        }
        group.addTask {
          try await Task.sleep(for: .seconds(limits.bodySeconds))
          throw APIError(
            status: 408, message: "the body did not arrive within \(limits.bodySeconds) seconds")
        }
        defer { group.cancelAll() }
        return try await group.next() ?? []
      }
    } catch let error as HTTPParserError {
      throw .invalid(nil, "the body cannot be read: \(error)")
    } catch {
      throw APIError(error)
    }
  }
}
