extension FieldReader {
  /// Reads which model is asked for, and objects to any but the one that is served.
  mutating func checkModel(_ model: ServedModel) throws(APIError) {
    guard let asked = try string("model"), asked != model.name else { return }
    throw APIError(
      status: 404, message: "model: there is no '\(asked)' here; '\(model.name)' is served",
      field: "model", code: "model_not_found")
  }

  /// Reads whether the reply is to be streamed, and whether with the tokens that it took.
  mutating func streaming() throws(APIError) -> (streams: Bool, withUsage: Bool) {
    let streams = try bool("stream") ?? false
    guard var options = try reader("stream_options") else { return (streams, false) }
    let withUsage = try options.bool("include_usage") ?? false
    options.pass("include_obfuscation")
    try options.finish()
    if !streams { throw .invalid("stream_options", "needs stream") }
    return (streams, withUsage)
  }
}
