import Foundation
import JSON
import ModelHub

/// Sends requests to one endpoint, each once.
public struct EndpointClient: Sendable {
  /// The address under which the paths of the dialect lie.
  public let base: URL
  private let key: String?
  private let timeout: Double
  private let transport: CurlTransport

  /// Bytes of an answer; a longer one is refused.
  private static let answerLimit = 64 << 20

  init(base: URL, key: String?, timeout: Double, transport: CurlTransport) {
    self.base = base
    self.key = key
    self.timeout = timeout
    self.transport = transport
  }

  /// The client of the address above `/v1`, under which some paths lie.
  var root: EndpointClient {
    let above = base.lastPathComponent == "v1" ? base.deletingLastPathComponent() : base
    return EndpointClient(base: above, key: key, timeout: timeout, transport: transport)
  }

  /// What a path answers, behind which parameters may stand.
  ///
  /// - Throws: `HubError.status` or `.tooManyRequests` with what the endpoint says, `.malformed`
  ///   for what is no JSON, `.unreachable`, `.cancelled`.
  public func get(_ path: String, _ query: [String: String] = [:]) throws(HubError) -> JSONValue {
    try parsed(send(path, query, nil) { Interrupts.isPending }, path)
  }

  /// What a path answers to a body.
  ///
  /// - Throws: as above.
  public func post(
    _ path: String, _ body: Data, isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> Data {
    try send(path, [:], body, isCancelled: isCancelled)
  }

  /// Sends a body whose answer is a stream of events.
  ///
  /// - Returns: the stream, with the times at which pieces of the text came.
  /// - Throws: as above; `.malformed` for a stream that says an error or lacks its end.
  public func stream(
    _ path: String, _ body: Data, isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> TimedEvents {
    let events = TimedEvents()
    let response = try transport.send(
      request(path, [:], body), to: events, timeout: timeout, isCancelled: isCancelled)
    try refuse(response, events.refusal, path)
    if let fault = events.fault { throw malformed(path, "a stream of events", fault) }
    return events
  }

  /// An answer as JSON.
  public func parsed(_ bytes: Data, _ path: String) throws(HubError) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: bytes, file: path) } catch {
      throw malformed(path, "JSON", error.reason)
    }
  }

  /// The error for an answer that is not what the dialect says.
  func malformed(_ path: String, _ expected: String, _ found: String) -> HubError {
    .malformed(url: address(path).absoluteString, expected: expected, found: found)
  }

  /// A request to a path.
  func request(_ path: String, _ query: [String: String], _ body: Data?) -> HTTPRequest {
    var headers = key.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    if body != nil { headers["Content-Type"] = "application/json" }
    return HTTPRequest(address(path, query), headers: headers, body: body)
  }

  private func address(_ path: String, _ query: [String: String] = [:]) -> URL {
    let url = base.appendingPathComponent(path)
    guard !query.isEmpty else { return url }
    var components = URLComponents(url: url, resolvingAgainstBaseURL: false)
    // A plus is no space here.
    components?.percentEncodedQuery = query.sorted { $0.key < $1.key }.map {
      [$0.key, $0.value].map {
        $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? $0
      }.joined(separator: "=")
    }.joined(separator: "&")
    return components?.url ?? url
  }

  private func send(
    _ path: String, _ query: [String: String], _ body: Data?,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> Data {
    let answer = WholeBody(limit: Self.answerLimit)
    let response = try transport.send(
      request(path, query, body), to: answer, timeout: timeout, isCancelled: isCancelled)
    guard !answer.isTooLong else {
      throw malformed(path, "at most \(Self.answerLimit) bytes", "more")
    }
    try refuse(response, answer.bytes, path)
    return answer.bytes
  }

  private func refuse(
    _ response: HTTPResponse, _ body: Data, _ path: String
  ) throws(HubError) {
    let url = address(path).absoluteString
    switch response.status {
    case 200...299: return
    case 429: throw .tooManyRequests(url: url, seconds: response.retryAfter())
    default:
      throw .status(url: url, status: response.status, message: Self.message(of: body))
    }
  }

  /// What a refusal says, on one short line without anything that a terminal would obey.
  private static func message(of body: Data) -> String {
    let value = try? JSONValue(parsing: body, file: "refusal")
    let said = value?["error"]?["message"]?.string ?? value?["error"]?.string
    let text =
      said ?? value?["message"]?.string ?? String(decoding: body.prefix(1000), as: UTF8.self)
    if said == nil, text.hasPrefix("<") { return "" }
    let words = text.split { $0.isWhitespace }.joined(separator: " ")
    let plain = words.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return String(String.UnicodeScalarView(plain).prefix(300))
  }
}
