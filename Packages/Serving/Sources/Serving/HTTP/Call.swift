import Hummingbird
import JSON
import Logging
import NIOCore
import TextGeneration

/// The connection that a request came by.
struct ServingContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// A request as endpoints see it.
struct Call: Sendable {
  let body: [UInt8]
  /// What follows the path's question mark.
  let query: [String: String]
  let channel: any Channel

  /// The body as JSON.
  func json() throws(APIError) -> JSONValue {
    do { return try JSONValue(parsing: body, file: "the body") } catch {
      throw .invalid(nil, "\(error)")
    }
  }
}

extension Response {
  /// An answer in JSON.
  static func json(_ value: JSONValue, status: Int = 200) -> Response {
    text(value.line, type: "application/json", status: status)
  }

  /// An answer as text of some type.
  static func text(_ text: String, type: String, status: Int = 200) -> Response {
    Response(
      status: .init(code: status), headers: [.contentType: type],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  /// The answer to a request that cannot be answered as it is.
  static func refusal(_ error: APIError) -> Response {
    var response = json(error.body, status: error.status)
    if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
    if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }
}

/// Writes server-sent events. Its errors are those of Hummingbird's writers, which are untyped.
struct EventWriter {
  private(set) var writer: any ResponseBodyWriter

  /// Sends an event, and says its type where it has one.
  mutating func send(_ value: JSONValue, type: String? = nil) async throws {
    let name = type.map { "event: \($0)\n" } ?? ""
    try await writer.write(ByteBuffer(string: "\(name)data: \(value.line)\n\n"))
  }

  /// Sends an event of some text on one line.
  mutating func send(_ line: String) async throws {
    try await writer.write(ByteBuffer(string: "data: \(line)\n\n"))
  }

  /// A stream of events that `write` sends; an error that it throws is the last. `isMarked` says
  /// that `[DONE]` marks the end.
  static func response(
    isMarked: Bool = true,
    _ write: @escaping @Sendable (inout EventWriter) async throws -> Void
  ) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache",
      ],
      body: ResponseBody { writer in
        var events = EventWriter(writer: writer)
        do {
          try await write(&events)
          if isMarked { try await events.send("[DONE]") }
        } catch let error as AnswerAbandoned {
          throw error
        } catch {
          try await events.send(APIError(error).body)
        }
        try await events.writer.finish(nil)
      })
  }
}

extension APIError {
  /// Any error as a client gets it.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as GenerationError: self = error.answer
    case EngineRefusal.request(let error): self = error.answer
    case EngineRefusal.busy(let waiting):
      self.init(
        status: 429, message: "\(waiting) texts wait already; try again later",
        code: "too_many_requests", retryAfter: 1)
    case EngineRefusal.draining, is AnswerAbandoned:
      self.init(
        status: 503, message: "the server is about to end", code: "ending", retryAfter: 5)
    default: self.init(status: 500, message: "\(error)")
    }
  }
}
