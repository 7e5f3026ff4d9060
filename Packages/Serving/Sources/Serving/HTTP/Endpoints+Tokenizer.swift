import Hummingbird
import JSON
import TextGeneration

extension Endpoints {
  /// `/tokenize`: the ids of a text (`prompt`, `content`), or of a conversation (`messages`).
  func tokenize(_ call: Call) throws(APIError) -> Response {
    var fields = try FieldReader(call.json())
    try fields.checkModel(model)
    let texts = (try fields.string("prompt"), try fields.string("content"))
    if texts.0 != nil, texts.1 != nil {
      throw .invalid("content", "says the same as prompt; give one of them")
    }
    let withPieces = try fields.bool("return_token_strs") ?? false
    let ids: [Int32]
    if let text = texts.0 ?? texts.1 {
      let adds = try fields.bool("add_special_tokens") ?? true
      let parses = try fields.bool("parse_special") ?? true
      try fields.finish()
      ids = model.tokenizer.encode(
        text, addSpecialTokens: adds, specialText: parses ? .isToken : .treatSpecialTextAsPlain)
    } else {
      let conversation = try ChatRequest.conversation(&fields)
      try fields.finish()
      ids = try conversation.prompt(model, thinks: true)
    }
    return .json(
      .object([
        "count": .integer(ids.count), "max_model_len": .integer(model.context),
        "tokens": .array(ids.map { .integer(Int($0)) }),
        "token_strs": withPieces
          ? .array(ids.map { .string(model.tokenizer.piece(of: $0) ?? "") }) : .null,
      ]))
  }

  /// `/tokenizer_info`: the special tokens and the chat template.
  var tokenizerInfo: JSONValue {
    let configuration = model.tokenizer.configuration
    var info: OrderedObject<JSONValue> = [:]
    for name in configuration.specialTokens.keys.sorted() {
      info[name] = configuration.specialTokens[name].map { .string($0) }
    }
    info["chat_template"] = configuration.chatTemplates["default"].map { .string($0) } ?? .null
    info["model_max_length"] = .integer(model.context)
    return .object(info)
  }

  /// `/detokenize`: the text of ids.
  func detokenize(_ call: Call) throws(APIError) -> Response {
    var fields = try FieldReader(call.json())
    try fields.checkModel(model)
    guard let value = fields.value("tokens") else { throw .invalid("tokens", "is missing") }
    try fields.finish()
    let text = model.tokenizer.decode(try TokenIDs.read(value, field: "tokens", model))
    return .json(.object(["prompt": .string(text), "content": .string(text)]))
  }
}
