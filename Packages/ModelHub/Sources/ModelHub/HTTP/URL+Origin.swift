import Foundation

extension URL {
  /// The address without its query, which may hold a signature.
  var shown: String {
    var parts = URLComponents(url: self, resolvingAgainstBaseURL: true)
    parts?.query = nil
    parts?.user = nil
    parts?.password = nil
    return parts?.string ?? path
  }

  /// Whether both name the same scheme, host and port.
  func hasOrigin(of other: URL) -> Bool {
    func port(_ url: URL) -> Int { url.port ?? (url.scheme?.lowercased() == "https" ? 443 : 80) }
    return scheme?.lowercased() == other.scheme?.lowercased()
      && host?.lowercased() == other.host?.lowercased() && port(self) == port(other)
  }
}
