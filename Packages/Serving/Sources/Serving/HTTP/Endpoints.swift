import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import TextGeneration
import Tokenizer

/// One method of one path.
struct Route: Sendable {
  let method: HTTPRequest.Method
  let path: String
  /// Whether it needs no key.
  var isOpen = false
  let answer: @Sendable (Call) async throws(APIError) -> Response

  static func get(
    _ path: String, isOpen: Bool = false,
    _ answer: @escaping @Sendable (Call) async throws(APIError) -> Response
  ) -> Route {
    Route(method: .get, path: path, isOpen: isOpen, answer: answer)
  }

  static func post(
    _ path: String, _ answer: @escaping @Sendable (Call) async throws(APIError) -> Response
  ) -> Route {
    Route(method: .post, path: path, answer: answer)
  }
}

/// What a server answers.
struct Endpoints: Sendable {
  let model: ServedModel
  let engine: TextEngine
  let configuration: ServerConfiguration

  /// All endpoints.
  var routes: [Route] {
    [
      .get("/health", isOpen: true) { _ in health() },
      .get("/v1/models") { _ in .json(models) },
      .get("/v1/models/\(model.name)") { _ in .json(entry) },
      .post("/v1/chat/completions", chat),
      .post("/v1/completions", completion),
      .post("/v1/responses", responses),
      .get("/v1/replies", replyFacts),
      .post("/v1/replies", reply),
      .post("/tokenize", tokenize),
      .post("/detokenize", detokenize),
      .get("/tokenizer_info") { _ in .json(tokenizerInfo) },
      .get("/openapi.json") { _ in
        .json(
          APIDescription(model: model, limits: limits, version: configuration.version).document)
      },
      .get("/metrics") { _ in
        .text(Metrics(engine.status).text, type: "text/plain; version=0.0.4; charset=utf-8")
      },
    ] + pageRoutes
  }

  var limits: ServerLimits { configuration.limits }

  private func health() -> Response {
    engine.isEnding
      ? .json(.object(["status": .string("ending")]), status: 503)
      : .json(.object(["status": .string("ok")]))
  }

  private var models: JSONValue {
    .object(["object": .string("list"), "data": .array([entry])])
  }

  private var entry: JSONValue {
    .object([
      "id": .string(model.name), "object": .string("model"), "created": .integer(0),
      "owned_by": .string("bitbudget"), "max_model_len": .integer(model.context),
      "kv_cache": .string("\(model.caches.usual)"),
    ])
  }

  func head(_ prefix: String, _ request: TextRequest) -> AnswerHead {
    AnswerHead(
      prefix: prefix, model, seed: request.sampling.seed, kv: request.kv ?? model.caches.usual,
      version: configuration.version)
  }

  /// Submits the texts of a request, which end when the client of the connection goes away.
  ///
  /// Replies that nobody bounds are as long as the memory allows.
  func submit(
    _ requests: [GenerationRequest], bounded: Bool, _ channel: any Channel
  ) async throws(APIError) -> Submission {
    var requests = requests
    do throws(EngineRefusal) {
      let submission: Submission
      do throws(EngineRefusal) {
        submission = try await engine.submit(requests)
      } catch .request(.memoryExceeded(_, _, _, _, let fits)) where !bounded && fits > 0 {
        for index in requests.indices {
          requests[index].maxTokens = min(requests[index].maxTokens, fits)
        }
        submission = try await engine.submit(requests)
      }
      channel.onGone { submission.cancel() }
      return submission
    } catch {
      throw APIError(error)
    }
  }
}
