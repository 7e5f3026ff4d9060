import CCurl
import Foundation
import Synchronization

/// Requests by the system's libcurl, whose TLS, certificates and proxies (`http_proxy`,
/// `HTTPS_PROXY`, `NO_PROXY`) they use.
///
/// The asking thread reads its connection itself: a receiver that is slow holds the server back,
/// and nothing piles up.
public final class CurlTransport: HTTPTransport {
  /// Handles that wait for their next request, with their connections.
  private let idle = Mutex<[Handle]>([])

  /// A transport without connections.
  public init() {}

  deinit {
    for handle in idle.withLock({ $0 }) { CurlLibrary.shared?.remove(handle.pointer) }
  }

  /// See `HTTPTransport`.
  public func send(
    _ request: HTTPRequest, to receiver: some BodyReceiver, timeout: Double,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> HTTPResponse {
    guard let library = CurlLibrary.shared else { throw .noTransport }
    guard let handle = idle.withLock({ $0.popLast() }) ?? library.handle().map(Handle.init) else {
      throw .unreachable(url: request.url.shown, reason: "libcurl has no memory left")
    }
    let exchange = CurlExchange(receiver, timeout: timeout, isCancelled: isCancelled)
    library.reset(handle.pointer)
    exchange.prepare(handle.pointer, library)
    if let body = request.body { library.post(body, by: handle.pointer) }
    let lines = request.headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    // A body is sent at once, and not announced first.
    let more = ["Accept-Encoding: identity"] + (request.body == nil ? [] : ["Expect:"])
    let code = library.withList(lines + more) { list in
      _ = bb_curl_set_pointer(library.setOption, handle.pointer, Int32(BB_CURLOPT_HTTPHEADER), list)
      return request.url.absoluteString.withCString { address in
        _ = bb_curl_set_pointer(library.setOption, handle.pointer, Int32(BB_CURLOPT_URL), address)
        return library.perform(handle.pointer)
      }
    }
    let outcome = exchange.outcome(code, library)
    idle.withLock { $0.append(handle) }
    switch outcome {
    case .complete(let response): return response
    case .cancelled: throw .cancelled
    case .failed(let reason): throw .unreachable(url: request.url.shown, reason: reason)
    }
  }

  /// Sendable by rule: one thread has it at a time.
  private struct Handle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }
}

/// One request under way. The library calls back on the thread that performs it.
private final class CurlExchange {
  enum Outcome {
    case complete(HTTPResponse)
    case cancelled
    case failed(String)
  }

  /// Fields of a head.
  private static let fieldLimit = 1000
  /// Bytes of a redirect's body that are passed over; behind more the connection is given up.
  private static let passedOverLimit: Int64 = 1 << 20

  private let receiver: any BodyReceiver
  private let timeout: Duration
  private let isCancelled: () -> Bool
  private let message = UnsafeMutablePointer<CChar>.allocate(capacity: Int(BB_CURL_ERROR_SIZE))
  private var status = 0
  private var headers: [String: String] = [:]
  private var response: HTTPResponse?
  private var hasEnough = false
  private var wasCancelled = false
  private var isStalled = false
  private var received: Int64 = 0
  private var lastByte = ContinuousClock.now

  init(_ receiver: any BodyReceiver, timeout: Double, isCancelled: @escaping () -> Bool) {
    self.receiver = receiver
    self.timeout = .seconds(timeout)
    self.isCancelled = isCancelled
    message.initialize(repeating: 0, count: Int(BB_CURL_ERROR_SIZE))
  }

  deinit { message.deallocate() }

  /// Sets the options of a handle; it must not outlive this value's request.
  func prepare(_ handle: UnsafeMutableRawPointer, _ library: CurlLibrary) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    let set = library.setOption
    func number(_ option: Int, _ value: Int) {
      _ = bb_curl_set_number(set, handle, Int32(option), value)
    }
    func pointer(_ option: Int, _ value: UnsafeRawPointer) {
      _ = bb_curl_set_pointer(set, handle, Int32(option), value)
    }
    number(BB_CURLOPT_NOSIGNAL, 1)
    number(BB_CURLOPT_NOPROGRESS, 0)
    number(BB_CURLOPT_HTTP_VERSION, BB_CURL_HTTP_VERSION_1_1)
    number(BB_CURLOPT_PROTOCOLS, BB_CURLPROTO_HTTP | BB_CURLPROTO_HTTPS)
    number(BB_CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    number(BB_CURLOPT_BUFFERSIZE, 256 << 10)
    pointer(BB_CURLOPT_ERRORBUFFER, message)
    pointer(BB_CURLOPT_WRITEDATA, context)
    pointer(BB_CURLOPT_HEADERDATA, context)
    pointer(BB_CURLOPT_XFERINFODATA, context)
    _ = bb_curl_set_receive(set, handle, Int32(BB_CURLOPT_HEADERFUNCTION)) {
      bytes, size, count, context in
      CurlExchange.of(context)?.takeHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
        ?? 0
    }
    _ = bb_curl_set_receive(set, handle, Int32(BB_CURLOPT_WRITEFUNCTION)) {
      bytes, size, count, context in
      CurlExchange.of(context)?.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    _ = bb_curl_set_progress(set, handle) { context, _, now, _, _ in
      CurlExchange.of(context)?.goesOn(now) == true ? 0 : 1
    }
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
    context.map { Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
  }

  /// A line of a head; an empty one ends it.
  private func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
    let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    if line.hasPrefix("HTTP/") {
      // Each head begins anew: a server may send one of the hundreds first.
      status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      headers = [:]
    } else if let colon = line.firstIndex(of: ":") {
      guard headers.count < Self.fieldLimit else { return 0 }
      let name = line[..<colon].lowercased()
      headers[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    } else if line.isEmpty, status >= 200, response == nil {
      let response = HTTPResponse(status: status, headers: headers)
      self.response = response
      hasEnough = !response.isRedirect && !receiver.begin(response)
      if hasEnough { return 0 }
    }
    return bytes.count
  }

  private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let response else { return 0 }
    hasEnough =
      response.isRedirect ? received > Self.passedOverLimit : !receiver.take(bytes)
    return hasEnough ? 0 : bytes.count
  }

  /// Asked about once a second, and more often while bytes come.
  private func goesOn(_ now: Int64) -> Bool {
    if now != received {
      received = now
      lastByte = .now
    }
    isStalled = ContinuousClock.now - lastByte > timeout
    wasCancelled = isCancelled()
    return !isStalled && !wasCancelled
  }

  /// What came of it, after the library returned `code`.
  func outcome(_ code: Int32, _ library: CurlLibrary) -> Outcome {
    if wasCancelled { return .cancelled }
    if isStalled { return .failed("nothing came for \(timeout / .seconds(1)) seconds") }
    if let response, code == 0 || hasEnough { return .complete(response) }
    let detail = String(cString: message)
    return .failed(
      code == 0
        ? "the connection ended without an answer" : detail.isEmpty ? library.text(code) : detail)
  }
}
