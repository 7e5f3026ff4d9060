import Foundation
import HTTPTypes

/// Who may use a server.
struct AccessRules: Sendable {
  private let key: [UInt8]?
  private let origins: Set<String>
  private let isLocal: Bool

  init(_ configuration: ServerConfiguration) {
    key = configuration.apiKey.map { Array($0.utf8) }
    origins = Set(configuration.origins)
    isLocal = configuration.isLocal
  }

  /// Objects to requests that other sites make through a browser, and to those without the key.
  ///
  /// A server that only this machine reaches and that asks for no key takes requests under the
  /// names of this machine alone, so that no site can point a name of its own at it. What names no
  /// host, as monitors of HTTP/1.0 do, is no browser.
  func check(_ request: HTTPRequest, isOpen: Bool) throws(APIError) {
    if isLocal, key == nil, let host = request.authority {
      guard ServerConfiguration.localNames.contains(Self.name(of: host)) else {
        throw APIError(status: 403, message: "Host: '\(host)' is no name of this machine")
      }
    }
    if let origin = request.headerFields[.origin], !origins.contains(origin) {
      guard Self.place(of: origin) == request.authority else {
        throw APIError(
          status: 403, message: "Origin: '\(origin)' may not use this server; --origin would let it"
        )
      }
    }
    guard let key, !isOpen else { return }
    guard let given = Self.key(of: request), Self.areEqual(Array(given.utf8), key) else {
      throw APIError(
        status: 401, message: "the API key is missing or wrong; send 'Authorization: Bearer KEY'",
        code: "invalid_api_key")
    }
  }

  /// The headers by which a browser lets a page of an allowed origin see the answer.
  func headers(for request: HTTPRequest) -> HTTPFields {
    guard let origin = request.headerFields[.origin], origins.contains(origin) else { return [:] }
    return [
      .accessControlAllowOrigin: origin, .vary: "Origin",
      .accessControlAllowMethods: "GET, POST",
      .accessControlAllowHeaders: "Authorization, Content-Type",
    ]
  }

  private static func key(of request: HTTPRequest) -> Substring? {
    guard let field = request.headerFields[.authorization] else { return nil }
    let words = field.split(separator: " ", maxSplits: 1)
    return words.count == 2 && words[0].lowercased() == "bearer" ? words[1] : nil
  }

  /// Compares in a time that tells nothing of where two keys differ.
  private static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    var difference = one.count ^ other.count
    for index in other.indices {
      difference |= Int(other[index] ^ (index < one.count ? one[index] : 0))
    }
    return difference == 0
  }

  /// A host without its port.
  private static func name(of host: String) -> String {
    if host.hasPrefix("[") { return String(host.prefix { $0 != "]" }) + "]" }
    return String(host.prefix { $0 != ":" })
  }

  /// Host and port of an origin.
  private static func place(of origin: String) -> String {
    origin.range(of: "://").map { String(origin[$0.upperBound...]) } ?? origin
  }
}
