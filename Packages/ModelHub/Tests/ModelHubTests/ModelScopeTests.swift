import Crypto
import Foundation
import Synchronization
import Testing

@testable import ModelHub

/// A ModelScope in memory; large files lie at another host.
private final class FakeModelScope: HTTPTransport {
  let files: [String: Data]
  let message: String?
  let requests = Mutex<[HTTPRequest]>([])

  init(_ files: [String: Data], message: String? = nil) {
    self.files = files
    self.message = message
  }

  private var listing: Data {
    if let message { return Data(#"{"Code":404,"Message":"\#(message)","Data":null}"#.utf8) }
    let entries = files.map { path, bytes in
      let digest = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
      return
        #"{"Type":"blob","Name":"x","Path":"\#(path)","Size":\#(bytes.count),"Sha256":"\#(digest)"}"#
    }
    let folder = #"{"Type":"tree","Name":"sub","Path":"sub","Size":0,"Sha256":""}"#
    return Data(
      #"{"Code":200,"Success":true,"Data":{"Files":[\#((entries + [folder]).joined(separator: ","))]}}"#
        .utf8)
  }

  func send(
    _ request: HTTPRequest, to receiver: some BodyReceiver, timeout: Double,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws(HubError) -> HTTPResponse {
    requests.withLock { $0.append(request) }
    let items = URLComponents(url: request.url, resolvingAgainstBaseURL: true)?.queryItems ?? []
    let path = items.first { $0.name == "FilePath" }?.value
    if request.url.host == "hub.example", path?.hasSuffix(".safetensors") == true {
      let place = "https://store.example/f?\(request.url.query ?? "")"
      return HTTPResponse(status: 302, headers: ["location": place])
    }
    let body: Data? =
      request.url.path == "/api/v1/models/org/model/repo/files"
      ? listing : path.flatMap { files[$0] }
    guard var bytes = body else { return HTTPResponse(status: 404, headers: [:]) }
    var status = 200
    var headers: [String: String] = [:]
    if let range = request.headers["Range"] {
      let ends = range.dropFirst(6).split(separator: "-").compactMap { Int($0) }
      headers["content-range"] = "bytes \(ends[0])-\(ends[1])/\(bytes.count)"
      bytes = bytes[ends[0]...ends[1]]
      status = 206
    }
    headers["content-length"] = "\(bytes.count)"
    let response = HTTPResponse(status: status, headers: headers)
    if receiver.begin(response) { _ = Data(bytes).withUnsafeBytes { receiver.take($0) } }
    return response
  }
}

@Suite("ModelScope")
struct ModelScopeTests {
  private func client(_ hub: FakeModelScope, _ folder: TemporaryFolder) throws -> HubClient {
    var settings = HubSettings(
      endpoint: try #require(URL(string: "https://hub.example")),
      cache: HubCache(root: folder.url), token: nil, firstPause: 0.001)
    settings.dialect = .modelScope
    return HubClient(settings, transport: hub)
  }

  @Test func filesArriveInTheSameCache() throws {
    let files = [
      "config.json": Data("{}".utf8), "model.safetensors": Data(repeating: 7, count: 9_000_000),
      "sub/a b.txt": Data("x".utf8),
    ]
    let (hub, folder) = (FakeModelScope(files), try TemporaryFolder())
    let client = try client(hub, folder)
    let listing = try client.listing(of: RepositoryName(parsing: "org/model"))
    #expect(Set(listing.files.map(\.path)) == Set(files.keys))
    let snapshot = try client.fetch(listing.files, of: listing)
    for (path, bytes) in files {
      #expect(try Data(contentsOf: snapshot.appendingPathComponent(path)) == bytes)
    }
    let reference = folder.path("models--org--model/refs/main")
    #expect(try String(contentsOfFile: reference, encoding: .utf8) == listing.commit)
    #expect(RepositoryName.isCommit(listing.commit))
    let asked = hub.requests.withLock { $0 }
    #expect(asked.first?.url.query == "Revision=master&Recursive=true")
    #expect(try client.listing(of: RepositoryName(parsing: "org/model")).commit == listing.commit)
  }

  @Test func whatIsNotThereIsSaid() throws {
    let folder = try TemporaryFolder()
    let hub = FakeModelScope([:], message: "no such model")
    #expect {
      try client(hub, folder).listing(of: RepositoryName(parsing: "org/model"))
    } throws: {
      "\($0)".contains("no such model")
    }
    #expect {
      try client(hub, folder).listing(of: RepositoryName(parsing: "org/model", kind: .dataset))
    } throws: {
      "\($0)".contains("data sets")
    }
  }

  @Test func theEnvironmentChoosesIt() throws {
    let home = URL(fileURLWithPath: "/home/u")
    for (name, value) in [
      ("VLLM_USE_MODELSCOPE", "True"), ("HF_ENDPOINT", "https://www.modelscope.cn"),
    ] {
      let settings = try HubSettings(
        environment: [name: value, "HF_TOKEN": "secret"], home: home)
      #expect(settings.dialect == .modelScope)
      #expect(settings.endpoint.host?.hasSuffix("modelscope.cn") == true)
      #expect(settings.token == nil)
    }
    #expect(try HubSettings(environment: [:], home: home).dialect == .huggingFace)
  }
}
