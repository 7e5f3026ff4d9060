import Evaluation
import Foundation
import JSON
import KVLayout

/// A benchmark's question in a dialect, and the replies that an answer holds.
struct EndpointQuestion: Sendable {
  /// How endpoints are asked.
  let dialect: EndpointDialect
  /// The name of the model there.
  let model: String
  /// The field of the thinking budget in the dialect chat.
  let thinkingField: ThinkingField?
  /// What is sent as `reasoning_effort`.
  let reasoningEffort: String?
  /// What the KV cache is to keep, where that is not what the endpoint's own keep; our own server
  /// takes it in every dialect.
  let kv: KVPolicy?
  /// Whether every reply thinks for exactly its thinking budget.
  let forced: Bool

  /// Why an answer is no reply.
  struct Fault: Error {
    let expected: String
    let found: String
  }

  /// Where a question goes.
  var path: String {
    switch dialect {
    case .bitbudget: "replies"
    case .chat: "chat/completions"
    case .completions: "completions"
    }
  }

  /// The body that asks for replies to one question, the first and those that follow it.
  ///
  /// - Throws: `EncodingError` for numbers that JSON does not hold.
  func body(_ request: SampleRequest, _ others: some Collection<SampleRequest>) throws -> Data {
    if dialect == .bitbudget {
      return try JSONEncoder().encode(
        ReplyOrder(
          model: model, forced: forced, kv: kv?.description, request: request,
          others: Array(others)))
    }
    var body = dialect == .chat ? chat(request) : completion(request)
    body["n"] = .integer(1 + others.count)
    body["kv"] = kv.map { .string("\($0)") }
    return Data(JSONValue.object(body).line.utf8)
  }

  /// The replies that an answer holds, without their time; nil for an answer that holds another
  /// number than the several that were asked for.
  func replies(_ body: Data, count: Int) throws(Fault) -> [SampleResponse]? {
    guard dialect != .bitbudget else {
      let decoder = JSONDecoder()
      do {
        guard count > 1 else { return [try decoder.decode(SampleResponse.self, from: body)] }
        let replies = try decoder.decode([SampleResponse].self, from: body)
        return replies.count == count ? replies : nil
      } catch { throw Fault(expected: count > 1 ? "replies" : "a reply", found: "\(error)") }
    }
    let value = try value(body, of: path)
    if count > 1, let choices = value["choices"]?.array, choices.count != count { return nil }
    let choices = try choices(value, count: count)
    return try replies(
      choices.indices.map { place in
        choices.first { $0["index"]?.integer == place } ?? choices[place]
      }, usage: value["usage"])
  }

  /// An answer as JSON.
  func value(_ answer: Data, of path: String) throws(Fault) -> JSONValue {
    do throws(JSONError) { return try JSONValue(parsing: answer, file: path) } catch {
      throw Fault(expected: "JSON", found: error.reason)
    }
  }

  /// The choices of an answer of the model.
  func choices(_ value: JSONValue, count: Int) throws(Fault) -> [JSONValue] {
    if let answering = value["model"]?.string, !isModel(answering) {
      throw Fault(expected: "an answer of the model '\(model)'", found: "one of '\(answering)'")
    }
    if let kv, value["kv_cache"]?.string != kv.description {
      throw Fault(
        expected: "an answer of a KV cache of \(kv)",
        found: value["kv_cache"].map { "one of \($0.summary)" } ?? "one that names none")
    }
    guard let choices = value["choices"]?.array, choices.count == count else {
      throw Fault(
        expected: count == 1 ? "one choice" : "\(count) choices",
        found: value["choices"].map { $0.summary } ?? value.summary)
    }
    return choices
  }

  // MARK: Questions

  private func chat(_ request: SampleRequest) -> OrderedObject<JSONValue> {
    let question = request.question
    var messages = question.conversation().map { message($0.role, $0.text) }
    var body: OrderedObject<JSONValue> = ["model": .string(model)]
    if !question.prefill.isEmpty {
      // The fields of vLLM and SGLang: the last message is gone on with.
      messages.append(message("assistant", question.prefill))
      body["add_generation_prompt"] = .bool(false)
      body["continue_final_message"] = .bool(true)
    }
    body["messages"] = .array(messages)
    if let thinking = request.limits.thinking, let field = thinkingField {
      body[field.rawValue] = .integer(thinking)
      if field == .dashScope { body["enable_thinking"] = .bool(true) }
    }
    if let reasoningEffort { body["reasoning_effort"] = .string(reasoningEffort) }
    addSampling(request, to: &body)
    return body
  }

  private func message(_ role: String, _ text: String) -> JSONValue {
    .object(["role": .string(role), "content": .string(text)])
  }

  private func completion(_ request: SampleRequest) -> OrderedObject<JSONValue> {
    var body: OrderedObject<JSONValue> = [
      "model": .string(model), "prompt": .string(request.question.text()),
    ]
    addSampling(request, to: &body)
    return body
  }

  /// What nobody said is left to the endpoint.
  private func addSampling(_ request: SampleRequest, to body: inout OrderedObject<JSONValue>) {
    let sampling = request.sampling
    body["max_tokens"] = .integer(request.limits.tokens)
    // Some servers hold seeds in 32 bits, with a sign. Of several replies our own server and vLLM draw
    // each from the seed one higher than the last, so that it is all the same whether they are asked for
    // together.
    let seed =
      request.itemSeed.map { ($0 & 0x3FFF_FFFF) + UInt64(request.sample) } ?? request.seed
    body["seed"] = .integer(Int(seed & 0x7FFF_FFFF))
    body["temperature"] = sampling.temperature.map { .number($0) }
    body["top_p"] = sampling.topP.map { .number($0) }
    body["top_k"] = sampling.topK.map { .integer($0) }
    body["min_p"] = sampling.minP.map { .number($0) }
    if let penalties = sampling.penalties {
      let zero: [(String, Float)] = [
        ("presence_penalty", penalties.presence), ("frequency_penalty", penalties.frequency),
      ]
      for (name, value) in zero where value != 0 { body[name] = .number(Double(value)) }
      if penalties.repetition != 1 {
        body["repetition_penalty"] = .number(Double(penalties.repetition))
      }
      if penalties.noRepeatNgram != 0 {
        body["no_repeat_ngram_size"] = .integer(penalties.noRepeatNgram)
      }
    }
    let stops = request.question.stops
    if !stops.isEmpty { body["stop"] = .array(stops.map { .string($0) }) }
  }

  // MARK: Answers

  /// Whether a model that answers is the one that was asked for; dated versions of it are.
  private func isModel(_ answering: String) -> Bool {
    answering.hasPrefix(model) || answering.hasSuffix("/" + model)
  }

  /// The replies of choices. Where tokens are counted for all of them together, each gets a part as
  /// large as that of its text; our own server counts those of each.
  private func replies(
    _ choices: [JSONValue], usage: JSONValue?
  ) throws(Fault) -> [SampleResponse] {
    let promptTokens = try count(usage?["prompt_tokens"])
    var replies: [SampleResponse] = []
    for choice in choices {
      let (thought, answer) = try parts(choice)
      replies.append(
        SampleResponse(
          thought: thought, answer: answer, promptTokens: promptTokens, thoughtTokens: 0,
          injectedTokens: 0, answerTokens: 0, finish: try finish(choice),
          cost: SampleCost(seconds: 0)))
    }
    let own = choices.compactMap { $0["usage"] }
    if own.count == choices.count {
      for (place, usage) in own.enumerated() {
        let (thought, answer) = try tokens(usage)
        (replies[place].thoughtTokens, replies[place].answerTokens) = (thought, answer)
      }
      return replies
    }
    let (ofThoughts, ofAnswers) = try tokens(usage)
    let thoughts = replies.map { $0.thought.utf8.count }
    let answers = replies.map {
      $0.answer.utf8.count + (ofThoughts == 0 ? $0.thought.utf8.count : 0)
    }
    let shares = zip(Self.shares(of: ofThoughts, thoughts), Self.shares(of: ofAnswers, answers))
    for (place, (thought, answer)) in shares.enumerated() {
      replies[place].thoughtTokens = thought
      replies[place].answerTokens = answer
    }
    return replies
  }

  /// The tokens of thoughts and of answers that a count tells.
  private func tokens(_ usage: JSONValue?) throws(Fault) -> (thought: Int, answer: Int) {
    let thought = try count(usage?["completion_tokens_details"]?["reasoning_tokens"])
    return (thought, max(0, try count(usage?["completion_tokens"]) - thought))
  }

  /// Whole parts of a total in the proportion of weights, which add up to it.
  static func shares(of total: Int, _ weights: [Int]) -> [Int] {
    let all = weights.reduce(0, +)
    let weights = all > 0 ? weights : weights.map { _ in 1 }
    let sum = Double(max(1, weights.reduce(0, +)))
    var (given, passed, shares) = (0, 0, [Int]())
    for weight in weights {
      passed += weight
      let end = Int((Double(total) * Double(passed) / sum).rounded())
      shares.append(end - given)
      given = end
    }
    return shares
  }

  private func finish(_ choice: JSONValue) throws(Fault) -> FinishReason {
    let ending = choice["finish_reason"]?.string ?? "stop"
    guard ["stop", "length", "eos", "eos_token", "stop_sequence"].contains(ending) else {
      throw Fault(expected: "a finish_reason of stop or length", found: "'\(ending)'")
    }
    return ending == "length" ? .length : .stop
  }

  /// Thought and answer of a message, whose server may have taken them apart or not; of a
  /// completion all is answer.
  private func parts(
    _ choice: JSONValue
  ) throws(Fault) -> (thought: String, answer: String) {
    if dialect == .completions {
      guard let text = choice["text"]?.string else {
        throw Fault(expected: "a text", found: choice["text"]?.summary ?? "none")
      }
      return ("", text)
    }
    guard let message = choice["message"], message.object != nil else {
      throw Fault(expected: "a message", found: choice["message"]?.summary ?? "none")
    }
    let thought = message["reasoning_content"]?.string ?? message["reasoning"]?.string
    guard let content = message["content"]?.string ?? thought.map({ _ in "" }) else {
      throw Fault(expected: "a content", found: message["content"]?.summary ?? "none")
    }
    if let thought, !thought.isEmpty { return (thought, content) }
    guard let end = content.range(of: "</think>") else { return ("", content) }
    return (String(content[..<end.upperBound]), String(content[end.upperBound...]))
  }

  /// A count of tokens; 0 where the endpoint counts none.
  private func count(_ value: JSONValue?) throws(Fault) -> Int {
    guard let value, !value.isNull else { return 0 }
    guard let count = value.integer, (0...1 << 40).contains(count) else {
      throw Fault(expected: "a count of tokens", found: value.summary)
    }
    return count
  }
}
