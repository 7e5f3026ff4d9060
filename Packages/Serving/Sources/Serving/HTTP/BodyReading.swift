import Hummingbird

extension Request {
  /// The body, as long as it stays within a number of bytes and of seconds.
  ///
  /// - Throws: `APIError` with 413 or 408; the connection is of no use then.
  func bodyBytes(_ limits: ServerLimits) async throws(APIError) -> [UInt8] {
    let most = limits.bodyBytes
    let tooLarge = APIError(
      status: 413, message: "the body has more than \(most) bytes", closes: true)
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > most { throw tooLarge }
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
            status: 408, message: "the body did not arrive within \(limits.bodySeconds) seconds",
            closes: true)
        }
        defer { group.cancelAll() }
        return try await group.next() ?? []
      }
    } catch {
      throw APIError(error)
    }
  }
}
