import JSON

/// An answer other than 200, as the OpenAI dialect has it.
struct APIError: Error, Equatable {
  /// The status code.
  let status: Int
  /// What is wrong, for the person who wrote the client.
  let message: String
  /// The field that is wrong, where it is one.
  var field: String?
  /// A word for programs.
  var code: String?
  /// Seconds after which to try again.
  var retryAfter: Int?

  /// A request whose field is wrong.
  static func invalid(_ field: String?, _ message: String) -> APIError {
    APIError(status: 400, message: field.map { "\($0): \(message)" } ?? message, field: field)
  }

  /// The kind of error, by its status.
  private var type: String {
    switch status {
    case 401: "authentication_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 429: "rate_limit_error"
    case 400..<500: "invalid_request_error"
    default: "server_error"
    }
  }

  /// The error as a client gets it.
  var body: JSONValue {
    .object([
      "error": .object([
        "message": .string(message), "type": .string(type),
        "param": field.map { .string($0) } ?? .null, "code": code.map { .string($0) } ?? .null,
      ])
    ])
  }
}
