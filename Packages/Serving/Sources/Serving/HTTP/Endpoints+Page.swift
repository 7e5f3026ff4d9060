import HTTPTypes
import Hummingbird

extension Endpoints {
  /// The page at `/`, and what it asks for besides texts.
  var pageRoutes: [Route] {
    [
      .get("/", isOpen: true) { _ in Self.file(PackageResources.page_html, "text/html") },
      .get("/page.css", isOpen: true) { _ in Self.file(PackageResources.page_css, "text/css") },
      .get("/page.js", isOpen: true) { _ in
        Self.file(PackageResources.page_js, "text/javascript")
      },
      .get("/memory", memory),
    ]
  }

  /// A file of the page, which may load and ask for nothing from elsewhere.
  private static func file(_ bytes: [UInt8], _ type: String) -> Response {
    var response = Response.text(
      String(decoding: bytes, as: UTF8.self), type: type + "; charset=utf-8")
    response.headers[.contentSecurityPolicy] =
      "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    response.headers[.cacheControl] = "no-cache"
    return response
  }

  /// `/memory`: what is held, and what texts of `prompt` and `reply` tokens would come to hold under
  /// the policy of `kv` and `kv_evict`.
  private func memory(_ call: Call) throws(APIError) -> Response {
    guard let memory = model.memory else {
      throw APIError(status: 404, message: "nothing is known of the memory here")
    }
    func number(_ key: String, _ most: Int) throws(APIError) -> Int {
      guard let text = call.query[key] else { return 1 }
      guard let number = Int(text), (1...most).contains(number) else {
        throw .invalid(key, "expected an integer from 1 to \(most), found '\(text)'")
      }
      return number
    }
    let prompt = try number("prompt", model.context)
    let reply = try number("reply", model.context)
    let texts = try number("texts", limits.texts)
    let kv = try model.caches.policy(call.query["kv"], evicting: call.query["kv_evict"])
    return .json(
      memory.value(
        engine.status, kv: kv ?? model.caches.usual, prompt: prompt,
        reply: max(1, min(reply, model.context - prompt)), texts: texts))
  }
}
