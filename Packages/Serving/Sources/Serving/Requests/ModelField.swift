/// Which parts of a streamed reply say how many tokens it took.
enum CountedParts { case nothing, lastPart, eachPart }

extension FieldReader {
  /// Reads which model is asked for, and objects to any but the one that is served.
  mutating func checkModel(_ model: ServedModel) throws(APIError) {
    guard let asked = try string("model"), asked != model.name else { return }
    throw APIError(
      status: 404, message: "model: there is no '\(asked)' here; '\(model.name)' is served",
      field: "model", code: "model_not_found")
  }

  /// Reads whether the reply is to be streamed, and with which parts go the tokens that it took.
  mutating func streaming() throws(APIError) -> (streams: Bool, counted: CountedParts) {
    let streams = try bool("stream") ?? false
    guard var options = try reader("stream_options") else { return (streams, .nothing) }
    let withUsage = try options.bool("include_usage") ?? false
    // As vLLM has it, where it changes nothing without the other.
    let withEach = try options.bool("continuous_usage_stats") ?? false
    options.pass("include_obfuscation")
    try options.finish()
    if !streams { throw .invalid("stream_options", "needs stream") }
    return (streams, withUsage ? withEach ? .eachPart : .lastPart : .nothing)
  }
}
