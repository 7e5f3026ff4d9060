import Foundation
import JSON

/// Asks the hub: which commit a revision is, which files it has, and for their bytes.
public struct HubClient: Sendable {
  /// Where the hub is and what opens it.
  public let settings: HubSettings
  /// Asked often; true ends what is under way.
  let isCancelled: @Sendable () -> Bool
  private let transport: any HTTPTransport

  /// Bytes of an answer that lists files.
  static let answerLimit = 64 << 20
  /// Files of a repository.
  static let fileLimit = 1_000_000
  /// Redirects of one request.
  static let redirectLimit = 10

  /// A client.
  ///
  /// - Parameters:
  ///   - settings: where the hub is.
  ///   - transport: sends the requests.
  ///   - isCancelled: asked often; true ends what is under way.
  public init(
    _ settings: HubSettings, transport: any HTTPTransport,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    self.settings = settings
    self.transport = transport
    self.isCancelled = isCancelled
  }

  /// The same client, which stops when `condition` holds too.
  func stopping(when condition: @escaping @Sendable () -> Bool) -> HubClient {
    let before = isCancelled
    return HubClient(settings, transport: transport) { before() || condition() }
  }

  /// All files of a repository at the revision that its name means.
  ///
  /// - Throws: `HubError`: what the hub refused and what helps.
  public func listing(of repository: RepositoryName) throws(HubError) -> HubListing {
    if let by = settings.offlineBy { throw .offline(repository: repository.description, by: by) }
    if settings.dialect == .modelScope { return try modelScopeListing(of: repository) }
    let api = settings.endpoint.appendingPathComponent("api/\(repository.kind.plural)")
      .appendingPathComponent(repository.path)
    var commit = repository.revisionInForce
    if !RepositoryName.isCommit(commit) {
      let url = try Self.url(api, "revision", Self.escaped(commit))
      let answer = try json(url, of: repository).value
      guard let sha = answer["sha"]?.string, RepositoryName.isCommit(sha) else {
        throw .malformed(
          url: url.shown, expected: "'sha', the commit", found: answer["sha"]?.summary ?? "none")
      }
      commit = sha
    }
    var files: [HubFile] = []
    var next: URL? = try Self.url(api, "tree", commit, query: "recursive=true")
    var seen: Set<URL> = []
    while let url = next {
      let (value, response) = try json(url, of: repository)
      files += try Self.files(value, url, repository.path)
      guard files.count <= Self.fileLimit, seen.insert(url).inserted else {
        throw .malformed(
          url: url.shown, expected: "at most \(Self.fileLimit) files",
          found: "more, or pages in a circle")
      }
      next = Self.nextPage(response["Link"], after: url)
    }
    return HubListing(repository: repository, commit: commit, files: files)
  }

  /// The address of a file at a commit.
  func address(of file: HubFile, _ repository: RepositoryName, commit: String) throws(HubError)
    -> URL
  {
    if settings.dialect == .modelScope { return try modelScopeAddress(of: file, repository) }
    let prefix = repository.kind == .dataset ? "datasets/" : ""
    return try Self.url(
      settings.endpoint.appendingPathComponent(prefix + repository.path), "resolve", commit,
      file.path.split(separator: "/").map { Self.escaped(String($0)) }.joined(separator: "/"))
  }

  /// Sends a request about a repository and follows where it leads. The token goes to the hub
  /// alone.
  ///
  /// - Returns: the response and the address that gave it.
  /// - Throws: `HubError` for everything but a success.
  func get(
    _ start: URL, headers: [String: String] = [:], of repository: RepositoryName,
    to receiver: some BodyReceiver
  ) throws(HubError) -> (response: HTTPResponse, url: URL) {
    try get(start, headers: headers, to: receiver) { response, message, url in
      refusal(response, message, at: url, of: repository)
    }
  }

  /// Sends a request and follows where it leads. The token goes to the hub alone.
  ///
  /// - Parameters:
  ///   - start: the first address.
  ///   - headers: more fields of the request.
  ///   - receiver: takes the body of a success.
  ///   - refusal: makes the error of a response that is no success, of what it says and where it
  ///     came from.
  /// - Returns: the response and the address that gave it.
  /// - Throws: what `refusal` makes, or `HubError`.
  func get(
    _ start: URL, headers: [String: String] = [:], to receiver: some BodyReceiver,
    refusal: (HTTPResponse, String, URL) -> HubError
  ) throws(HubError) -> (response: HTTPResponse, url: URL) {
    var url = start
    for _ in 0...Self.redirectLimit {
      var request = HTTPRequest(url, headers: headers)
      request.headers["User-Agent"] = "bitbudget"
      if let token = settings.token, url.hasOrigin(of: settings.endpoint) {
        request.headers["Authorization"] = "Bearer \(token)"
      }
      let body = GuardedBody(receiver)
      let response = try transport.send(
        request, to: body, timeout: settings.timeout, isCancelled: isCancelled)
      guard response.isRedirect else {
        if (200...299).contains(response.status) { return (response, url) }
        throw refusal(response, body.message(response), url)
      }
      guard let location = response["Location"],
        let target = URL(string: location, relativeTo: url)?.absoluteURL,
        ["http", "https"].contains(target.scheme?.lowercased())
      else {
        throw .malformed(
          url: url.shown, expected: "an address in Location",
          found: response["Location"]?.debugDescription ?? "none")
      }
      url = target
    }
    throw .malformed(
      url: start.shown, expected: "at most \(Self.redirectLimit) redirects", found: "more")
  }

  /// A JSON document about a repository; an answer that may be another the next time is asked for
  /// again.
  func json(
    _ url: URL, of repository: RepositoryName
  ) throws(HubError) -> (value: JSONValue, response: HTTPResponse) {
    var attempts = Attempts(settings)
    while true {
      do throws(HubError) {
        let body = WholeBody(limit: Self.answerLimit)
        let response = try get(url, of: repository, to: body).response
        guard !body.isTooLong else {
          throw .malformed(
            url: url.shown, expected: "at most \(Self.answerLimit) bytes", found: "more")
        }
        return (try Self.parsed(body.bytes, from: url), response)
      } catch {
        try attempts.failed(error, isCancelled: isCancelled)
      }
    }
  }

  private static func parsed(_ bytes: Data, from url: URL) throws(HubError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: bytes, file: url.shown)
    } catch {
      throw .malformed(url: url.shown, expected: "JSON", found: error.reason)
    }
  }

  private static func files(
    _ value: JSONValue, _ url: URL, _ repository: String
  ) throws(HubError) -> [HubFile] {
    guard let entries = value.array else {
      throw .malformed(url: url.shown, expected: "a list of files", found: value.summary)
    }
    var files: [HubFile] = []
    for entry in entries where entry["type"]?.string == "file" {
      let large = entry["lfs"]
      guard let path = entry["path"]?.string, let id = entry["oid"]?.string,
        let size = (large?["size"] ?? entry["size"])?.integer
      else {
        throw .malformed(
          url: url.shown, expected: "path, oid and size of a file", found: entry.summary)
      }
      files.append(
        try HubFile(
          path: path, size: size, blobID: id, sha256: large?["oid"]?.string,
          xetHash: entry["xetHash"]?.string, in: repository))
    }
    return files
  }

  /// The address of the next page in a `Link` header such as `<https://…>; rel="next"`.
  static func nextPage(_ link: String?, after url: URL) -> URL? {
    for entry in (link ?? "").components(separatedBy: ",") where entry.contains("rel=\"next\"") {
      guard let open = entry.firstIndex(of: "<"), let close = entry.firstIndex(of: ">"),
        open < close
      else { continue }
      return URL(string: String(entry[entry.index(after: open)..<close]), relativeTo: url)?
        .absoluteURL
    }
    return nil
  }

  /// A text as one part of a path: a slash in it is no border.
  static func escaped(_ text: String) -> String {
    let plain = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
  }

  /// An address of parts that are escaped already.
  static func url(
    _ base: URL, _ parts: String..., query: String? = nil
  ) throws(HubError) -> URL {
    let text =
      ([base.absoluteString] + parts).joined(separator: "/") + (query.map { "?\($0)" } ?? "")
    guard let url = URL(string: text) else {
      throw .malformed(url: text, expected: "an address", found: "none")
    }
    return url
  }
}
