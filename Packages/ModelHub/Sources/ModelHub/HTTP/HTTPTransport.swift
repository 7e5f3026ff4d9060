import Foundation

/// A GET request, or a POST request where there is a body.
public struct HTTPRequest: Sendable {
  /// What is asked for.
  public var url: URL
  /// Header fields by name.
  public var headers: [String: String]
  /// What is sent, of the type that `Content-Type` says; nil asks without sending anything.
  public var body: Data?

  /// A request.
  public init(_ url: URL, headers: [String: String] = [:], body: Data? = nil) {
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// What stands before a body.
public struct HTTPResponse: Sendable {
  /// The status code.
  public let status: Int
  private let headers: [String: String]

  /// A response with these header fields; their names may be written in any case.
  public init(status: Int, headers: [String: String]) {
    self.status = status
    self.headers = Dictionary(
      headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// The value of a header field, whatever case its name is written in.
  public subscript(field: String) -> String? { headers[field.lowercased()] }

  /// Whether it sends the client elsewhere.
  public var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
}

/// Takes the body of one response as it arrives; called from one thread at a time. Bodies of
/// redirects are dropped.
public protocol BodyReceiver: AnyObject, Sendable {
  /// The response has begun.
  ///
  /// - Returns: false where the rest is of no use: the transfer then ends, and no error is thrown.
  func begin(_ response: HTTPResponse) -> Bool

  /// More bytes of the body.
  ///
  /// - Returns: false where the rest is of no use, as above.
  func take(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Sends requests. Redirects are not followed: whoever asks decides what a new place may be told.
public protocol HTTPTransport: Sendable {
  /// Sends a request and waits until its body has arrived or the receiver has enough.
  ///
  /// - Parameters:
  ///   - request: what to ask for.
  ///   - receiver: takes the body.
  ///   - timeout: seconds without a byte after which the connection counts as dead.
  ///   - isCancelled: asked at least about once a second; true ends the transfer.
  /// - Returns: the response.
  /// - Throws: `HubError.unreachable` for a connection that could not be made or that broke,
  ///   `HubError.noTransport`, `HubError.cancelled`.
  func send(
    _ request: HTTPRequest, to receiver: some BodyReceiver, timeout: Double,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> HTTPResponse
}

/// Keeps a body of limited length in memory.
public final class WholeBody: BodyReceiver, @unchecked Sendable {
  /// What arrived so far.
  public private(set) var bytes = Data()
  /// Whether there is more than the limit.
  public private(set) var isTooLong = false
  private let limit: Int

  /// A receiver of at most `limit` bytes.
  public init(limit: Int) { self.limit = limit }

  /// See `BodyReceiver`.
  public func begin(_ response: HTTPResponse) -> Bool { true }

  /// See `BodyReceiver`.
  public func take(_ more: UnsafeRawBufferPointer) -> Bool {
    isTooLong = bytes.count + more.count > limit
    if !isTooLong { bytes.append(contentsOf: more) }
    return !isTooLong
  }
}
