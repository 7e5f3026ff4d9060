import Foundation

extension HubClient {
  /// What a status and the hub's own headers say, as an error with what helps.
  ///
  /// Source: `huggingface_hub/utils/_http.py` for `X-Error-Code`.
  func refusal(
    _ response: HTTPResponse, _ message: String, at url: URL, of repository: RepositoryName
  ) -> HubError {
    let hasToken = settings.token != nil
    let isHub = url.hasOrigin(of: settings.endpoint)
    let prefix = repository.kind == .dataset ? "datasets/" : ""
    let page = settings.endpoint.absoluteString + "/" + prefix + repository.path
    switch (response.status, response["X-Error-Code"]) {
    case (_, "GatedRepo"):
      return .gated(
        repository: repository.path, page: page, hasToken: hasToken, message: message)
    case (_, "RevisionNotFound"):
      return .noRevision(repository: repository.path, revision: repository.revisionInForce)
    case (_, "EntryNotFound"):
      return .status(url: url.shown, status: response.status, message: message)
    case (_, "RepoNotFound"):
      return .noRepository(
        repository: repository.path, endpoint: settings.endpoint.absoluteString, hasToken: hasToken)
    case (401, _) where isHub && hasToken:
      return .badToken(url: url.shown, message: message)
    case (401, _) where isHub:
      // The hub says so of whatever it does not show to everybody, also where there is nothing.
      return .noRepository(
        repository: repository.path, endpoint: settings.endpoint.absoluteString, hasToken: false)
    case (403, _) where isHub:
      return .gated(
        repository: repository.path, page: page, hasToken: hasToken, message: message)
    case (404, _) where isHub && url.path.contains("/api/"):
      return .noRepository(
        repository: repository.path, endpoint: settings.endpoint.absoluteString, hasToken: hasToken)
    case (429, _):
      return .tooManyRequests(url: url.shown, seconds: response.retryAfter())
    default:
      return .status(url: url.shown, status: response.status, message: message)
    }
  }
}
