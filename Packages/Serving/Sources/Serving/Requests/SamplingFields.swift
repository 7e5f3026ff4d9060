import JSON
import TextGeneration

/// The fields that say how texts are drawn and where they end; the same at every endpoint.
struct SamplingFields {
  /// How tokens are drawn.
  let options: SamplingOptions
  /// The seed of the random numbers, of the client's or of chance's choice.
  let seed: UInt64
  /// How many texts are wanted.
  let count: Int
  /// The most tokens of a reply; nil where nobody said.
  let maxTokens: Int?
  /// The field that said so.
  let maxTokensField: String
  /// The tokens that end a text.
  let stopTokens: Set<Int32>
  /// Whether the tokens that usually end a text do not.
  let ignoresEnd: Bool
  /// The texts that end a reply.
  let stops: [String]

  /// Reads the fields; the most tokens of a reply under the names `limitFields`, by which the
  /// endpoint calls them.
  init(
    _ fields: inout FieldReader, _ model: ServedModel, _ limits: ServerLimits,
    limitFields: [String]
  ) throws(APIError) {
    let most = Double(Int32.max)
    var penalties = model.sampling.penalties ?? Penalties()
    penalties.presence = try fields.number("presence_penalty", in: -100...100) ?? penalties.presence
    penalties.frequency =
      try fields.number("frequency_penalty", in: -100...100) ?? penalties.frequency
    penalties.repetition =
      try fields.number("repetition_penalty", in: 0.01...100) ?? penalties.repetition
    penalties.noRepeatNgram =
      try fields.integer("no_repeat_ngram_size", in: 0...Int(most)) ?? penalties.noRepeatNgram
    let temperature = try fields.number("temperature", in: 0...100)
    let topK = try fields.integer("top_k", in: -1...Int(most))
    let topP = try fields.number("top_p", in: Double(Float.leastNormalMagnitude)...1)
    let minP = try fields.number("min_p", in: 0...Double(Float(1).nextDown))
    do {
      options = try SamplingOptions(
        temperature: temperature ?? model.sampling.temperature,
        topK: topK.map { $0 <= 0 ? nil : $0 } ?? model.sampling.topK,
        topP: topP ?? model.sampling.topP, minP: minP ?? model.sampling.minP, penalties: penalties)
    } catch { throw .invalid(nil, "\(error)") }
    // JavaScript reads larger integers wrongly.
    seed =
      try fields.integer("seed", in: 0...Int.max).map { UInt64($0) }
      ?? UInt64.random(in: 0..<1 << 48)
    count = try fields.integer("n", in: 1...limits.texts) ?? 1
    var found: (name: String, tokens: Int)?
    for name in limitFields {
      guard let tokens = try fields.integer(name, in: 0...Int(most)) else { continue }
      if let found, found.tokens != tokens {
        throw .invalid(name, "is \(tokens), but \(found.name) is \(found.tokens)")
      }
      found = (name, tokens)
    }
    maxTokens = found?.tokens
    maxTokensField = found?.name ?? limitFields[0]
    stops = try Self.stops(&fields)
    ignoresEnd = try fields.bool("ignore_eos") ?? false
    var stopTokens = ignoresEnd ? [] : model.stopTokens
    for value in try fields.array("stop_token_ids") ?? [] {
      guard let id = value.integer.flatMap({ Int32(exactly: $0) }), id >= 0 else {
        throw .invalid("stop_token_ids", "expected token ids, found \(value.summary)")
      }
      stopTokens.insert(id)
    }
    self.stopTokens = stopTokens
  }

  private static func stops(_ fields: inout FieldReader) throws(APIError) -> [String] {
    guard let value = fields.value("stop") else { return [] }
    let values = value.array ?? [value]
    let stops = values.compactMap(\.string)
    guard stops.count == values.count, stops.count <= 16, !stops.contains("") else {
      throw .invalid("stop", "expected a text, or up to 16 of them, none empty")
    }
    if let long = stops.first(where: { $0.utf8.count > StopStrings.longest }) {
      throw .invalid(
        "stop", "a text has \(long.utf8.count) bytes; at most \(StopStrings.longest) are taken")
    }
    return stops
  }
}
