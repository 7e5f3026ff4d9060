import Foundation
import Testing

@testable import ModelHub

@Suite("What the hub refuses")
struct RefusalTests {
  @Test(
    "each status gives the sentence that helps",
    arguments: [
      (403, "GatedRepo", nil, "HF_TOKEN"), (403, "GatedRepo", "t", "whose token is set"),
      (401, nil, nil, "private"), (401, nil, "t", "not accepted"),
      (404, "RepoNotFound", nil, "no such repository"), (404, "RevisionNotFound", nil, "'v9'"),
      (404, "EntryNotFound", nil, "404"), (429, nil, nil, "too many requests"),
      (500, nil, nil, "answered 500"), (418, nil, nil, "418"),
    ] as [(Int, String?, String?, String)])
  func sentence(status: Int, code: String?, token: String?, words: String) throws {
    let folder = try TemporaryFolder()
    let client = try FakeHub([:]).client(folder, token: token)
    var headers: [String: String] = [:]
    headers["x-error-code"] = code
    let url = try #require(URL(string: "https://hub.example/org/model/resolve/x/y?signature=z"))
    let error = client.refusal(
      HTTPResponse(status: status, headers: headers), "", at: url,
      of: try RepositoryName(parsing: "org/model@v9"))
    #expect("\(error)".contains(words), "\(error)")
    // A signature opens the file to whoever reads it.
    #expect(!"\(error)".contains("signature"))
  }

  @Test func retryAfter() throws {
    func seconds(_ text: String?, now: Date = Date()) -> Double? {
      let headers = text.map { ["Retry-After": $0] } ?? [:]
      return HTTPResponse(status: 429, headers: headers).retryAfter(now: now)
    }
    #expect(seconds("7") == 7)
    #expect(seconds("-7") == nil)
    #expect(seconds("nan") == nil)
    #expect(seconds("1e300") == 31_536_000.0)
    #expect(seconds("soon") == nil)
    #expect(seconds(nil) == nil)
    let now = Date(timeIntervalSince1970: 784_111_777)
    #expect(seconds("Sun, 06 Nov 1994 08:49:47 GMT", now: now) == 10)
  }

  @Test func pages() throws {
    let url = try #require(
      URL(string: "https://hub.example/api/models/o/n/tree/main?recursive=true"))
    let link = #"<https://hub.example/api/x?cursor=2>; rel="next", <https://e/>; rel="last""#
    #expect(
      HubClient.nextPage(link, after: url)?.absoluteString == "https://hub.example/api/x?cursor=2")
    #expect(HubClient.nextPage(#"<?cursor=2>; rel="next""#, after: url)?.query == "cursor=2")
    #expect(HubClient.nextPage(#"<https://e/>; rel="prev""#, after: url) == nil)
    #expect(HubClient.nextPage(nil, after: url) == nil)
  }

  @Test("origins") func origins() throws {
    func isSame(_ first: String, _ second: String) throws -> Bool {
      try #require(URL(string: first)).hasOrigin(of: try #require(URL(string: second)))
    }
    #expect(try isSame("https://a/x", "https://A:443/y"))
    #expect(try !isSame("https://a", "http://a"))
    #expect(try !isSame("https://a", "https://a:444"))
    #expect(try !isSame("https://a", "https://a.b"))
  }
}
