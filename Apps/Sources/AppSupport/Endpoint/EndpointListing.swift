import Foundation
import JSON
import ModelHub

/// What `/v1/models` of an endpoint lists.
public struct EndpointListing: Sendable {
  /// The address.
  let base: URL
  /// The entries by name; empty where the endpoint has no list.
  let models: [String: JSONValue]

  /// Asks an endpoint.
  ///
  /// - Throws: `HubError` where it does not answer.
  public init(_ client: EndpointClient) throws(HubError) {
    base = client.base
    do throws(HubError) {
      let entries = try client.get("models")["data"]?.array ?? []
      models = Dictionary(
        entries.compactMap { entry in entry["id"]?.string.map { ($0, entry) } }
      ) { first, _ in first }
    } catch .status(_, 404, _), .status(_, 405, _), .status(_, 501, _) {
      models = [:]
    }
  }

  var names: String { models.keys.sorted().joined(separator: ", ") }

  /// Whether it is our own server.
  var isOurs: Bool { models.values.contains { $0["owned_by"]?.string == "bitbudget" } }

  func kv(of name: String) -> String? { models[name]?["kv_cache"]?.string }

  /// The model's name: the one given, or the only one that there is.
  ///
  /// - Throws: `UserError` listing the models there are.
  public static func name(_ given: String?, _ listings: [EndpointListing]) throws -> String {
    if let given {
      for listing in listings where !listing.models.isEmpty && listing.models[given] == nil {
        throw UserError(
          "\(listing.base) has no model '\(given)'; it lists \(listing.names)")
      }
      return given
    }
    let names = Set(listings.flatMap(\.models.keys))
    guard names.count == 1, let name = names.first else {
      let list = names.isEmpty ? "no model" : listings.map(\.names).joined(separator: "; ")
      throw UserError("the endpoint lists \(list); say which with --model-name")
    }
    return name
  }
}
