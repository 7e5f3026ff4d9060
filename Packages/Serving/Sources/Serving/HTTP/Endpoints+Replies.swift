import Evaluation
import Foundation
import Hummingbird
import JSON
import TextGeneration
import Tokenizer

extension Endpoints {
  /// `GET /v1/replies`: what decides the replies besides the questions, where `kv` says what caches
  /// keep or nothing does.
  func replyFacts(_ call: Call) throws(APIError) -> Response {
    let replies = try replies()
    let kv = try model.caches.policy(call.query["kv"], evicting: call.query["kv_evict"])
    do { return try Self.encoded(replies.facts(kv)) } catch { throw APIError(error) }
  }

  /// `POST /v1/replies`: the reply to a benchmark's question, or a list of several, with the bits
  /// that the engine gives in the benchmark's own process.
  func reply(_ call: Call) async throws(APIError) -> Response {
    let replies = try replies()
    var fields = try FieldReader(call.json())
    try fields.checkModel(model)
    fields.pass("forced", "request", "others")
    let kv = try fields.cachePolicy(model)
    try fields.finish()
    let order = try Self.order(call.body)
    let count = 1 + (order.others ?? []).count
    guard count <= limits.texts else {
      throw .invalid(
        "others", "are \(count) replies with the first; at most \(limits.texts) are taken")
    }
    var requests: [GenerationRequest]
    do { requests = try replies.requests(order) } catch {
      throw error is GenerationError ? APIError(error) : .invalid("request", "\(error)")
    }
    if let most = limits.promptTokens, let long = requests.first(where: { $0.prompt.count > most })
    {
      throw APIError.invalid(
        "request", "the prompt has \(long.prompt.count) tokens; at most \(most) are taken")
    }
    for place in requests.indices { requests[place].kv = kv }
    let submission = try await submit(requests, bounded: true, call.channel)
    let watch = StopWatch(stops: order.request.question.stops, tokenizer: model.tokenizer)
    var watches = Array(repeating: watch, count: count)
    var done: [Int: SampleResponse] = [:]
    do {
      for try await step in submission.events {
        for (place, event) in step {
          switch event {
          case .token(let token):
            if watches[place].take(token.id) { submission.cancel(place) }
          case .finished(let result):
            done[place] = replies.response(watches[place].cut(result), watches[place].stops)
          }
        }
        guard done.count == count else { continue }
        call.channel.onGone(nil)
        let all = done.sorted { $0.key < $1.key }.map(\.value)
        return try order.others == nil ? Self.encoded(all[0]) : Self.encoded(all)
      }
    } catch {
      throw APIError(error)
    }
    throw APIError(AnswerAbandoned())
  }

  private func replies() throws(APIError) -> ServedReplies {
    guard let replies = model.replies else {
      throw APIError(status: 404, message: "this server takes no questions of benchmarks")
    }
    return replies
  }

  /// Seeds take 64 bits without a sign, so that the body is read as what it stands for.
  private static func order(_ body: [UInt8]) throws(APIError) -> ReplyOrder {
    do { return try JSONDecoder().decode(ReplyOrder.self, from: Data(body)) } catch {
      let key: String
      switch error as? DecodingError {
      case .keyNotFound(let missing, let context)?:
        key = (context.codingPath + [missing]).map(\.stringValue).joined(separator: ".")
      case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?,
        .dataCorrupted(let context)?:
        key = context.codingPath.map(\.stringValue).joined(separator: ".")
      default: key = "request"
      }
      throw .invalid(key, "is missing or of a wrong type")
    }
  }

  private static func encoded(_ value: some Encodable) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    return .text(text, type: "application/json")
  }
}

/// Looks for stop strings in a text as it grows, and remembers where one ended it: the engine may
/// be some tokens further by the time it is told.
private struct StopWatch {
  private(set) var stops: StopStrings
  private var detokenizer: StreamingDetokenizer
  private var tokens = 0

  init(stops: [String], tokenizer: TextTokenizer) {
    self.stops = StopStrings(stops)
    detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
  }

  /// Takes the next token; true where it ends the text.
  mutating func take(_ id: Int32) -> Bool {
    guard !stops.strings.isEmpty, !stops.isHit else { return false }
    tokens += 1
    _ = stops.push(detokenizer.push(id))
    return stops.isHit
  }

  /// The text up to where it ended.
  func cut(_ result: GenerationResult) -> GenerationResult {
    stops.isHit ? result.prefix(tokens) : result
  }
}
