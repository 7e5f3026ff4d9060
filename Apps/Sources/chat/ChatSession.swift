import AppSupport
import DecoderModels
import Foundation
import JSON
import KVCaches
import MemoryPlanner
import Serving
import TextGeneration
import Tokenizer

/// A conversation with a model whose cache is kept from turn to turn: only what is new is run.
struct ChatSession {
  let loaded: LoadedModel
  let tokenizer: TextTokenizer
  private let sampling: SamplingOptions
  private let seed: UInt64
  private let stopTokens: Set<Int32>
  private(set) var kv: KVPolicy
  private(set) var memory: MemoryFlags
  private(set) var kvByteBudget = 0
  private var batch: DecodingBatch
  /// The turns so far, the system's message first.
  private(set) var messages: [ChatMessage] = []
  /// The thinking budget: nil leaves it to the model, 0 wants no thought.
  var thinkBudget: Int?
  /// Most tokens of an answer; nil for what context and memory leave.
  var maxTokens: Int?

  /// What a turn took.
  struct Turn {
    let prompt: Int
    let cached: Int
    let tokens: Int
    let thought: Int
    let rate: Double
    let ending: FinishReason
  }

  init(
    _ loaded: LoadedModel, kv: KVPolicy, memory: MemoryFlags, sampling: SamplingFlags
  ) throws {
    self.loaded = loaded
    self.memory = memory
    self.kv = kv
    tokenizer = try loaded.requireTokenizer()
    stopTokens = try loaded.stopTokens()
    self.sampling = try sampling.optionsInForce(for: loaded.checkpoint)
    seed = sampling.seed
    batch = DecodingBatch(loaded.pass)
    try begin(kv, memory)
  }

  /// Begins with an empty cache under another policy or memory.
  private mutating func begin(_ kv: KVPolicy, _ memory: MemoryFlags) throws {
    try kv.check(loaded.decoder.shape.cacheShape)
    let kvByteBudget = try memory.kvByteBudget(beside: loaded, kv: kv, sequences: 1)
    try memory.checkRoom(kvByteBudget: kvByteBudget)
    (self.kv, self.memory, self.kvByteBudget) = (kv, memory, kvByteBudget)
    let tokenizer = tokenizer
    batch = DecodingBatch(
      loaded.pass, kv: kv,
      limits: .init(kvByteBudget: kvByteBudget, promptTokens: 256, keptPromptBytes: kvByteBudget),
      tokenLimit: loaded.tokenLimit
    ) { tokenizer.decode([$0]) }
  }

  /// Changes what the cache keeps, and how; it is empty then.
  mutating func setPolicy(_ text: String) throws { try begin(KVPolicy(parsing: text), memory) }

  /// Changes the memory that all of it may take.
  mutating func setMemory(_ text: String) throws {
    var memory = memory
    memory.memory = try ByteCount(parsing: text)
    try begin(kv, memory)
  }

  /// Bytes of KV cache that are held.
  var heldBytes: Int { batch.load.heldBytes }

  /// Sets the system's message, or takes it out.
  mutating func setSystem(_ text: String) {
    messages.removeAll { $0.role == "system" }
    if !text.isEmpty { messages.insert(ChatMessage(role: "system", content: text), at: 0) }
  }

  /// Forgets all turns but the system's message.
  mutating func clear() { messages.removeAll { $0.role != "system" } }

  /// Answers what the user says; `show` is told every piece of the reply as it comes.
  mutating func answer(
    _ words: String, show: (ReplyStream.Piece) -> Void
  ) throws -> Turn {
    let asked = messages + [ChatMessage(role: "user", content: words)]
    let builder = PromptBuilder(
      files: loaded.checkpoint.modelFiles, tokenizer: tokenizer, thinks: thinkBudget != 0)
    let request = try request(builder.ids(asked))
    var stream = ReplyStream(
      tokenizer: tokenizer, tags: loaded.thinkingTags, prompt: request.prompt)
    var (thought, answer) = ("", "")
    func take(_ pieces: [ReplyStream.Piece]) {
      for piece in pieces {
        if piece.part == .thought { thought += piece.text } else { answer += piece.text }
        show(piece)
      }
    }
    let id = try batch.submit(request)
    var finished: GenerationResult?
    let before = batch.timings
    while finished == nil {
      for event in try batch.step() {
        switch event {
        case .token(_, let token): take(stream.take(token.id, isCue: token.origin == .cue))
        case .finished(_, let result): finished = result
        case .branched: break
        }
      }
      if finished == nil, Interrupts.isPending { finished = batch.cancel(id) }
      if finished == nil, batch.isIdle { break }
    }
    take(stream.finish())
    guard let finished else { throw UserError("interrupted") }
    messages = asked
    var reply: OrderedObject<JSONValue> = [
      "role": .string("assistant"), "content": .string(answer),
    ]
    if !thought.isEmpty { reply["reasoning_content"] = .string(thought) }
    messages.append(try ChatMessage(.object(reply)))
    let seconds = batch.timings.generationSeconds - before.generationSeconds
    let tokens = batch.timings.generatedTokens - before.generatedTokens
    return Turn(
      prompt: finished.counts.prompt, cached: finished.sharedPromptTokens,
      tokens: finished.tokens.count, thought: finished.counts.thought,
      rate: seconds > 0 ? Double(tokens) / seconds : 0, ending: finished.finishReason)
  }

  private func request(_ prompt: [Int32]) throws -> GenerationRequest {
    let room = min(maxTokens ?? .max, loaded.decoder.shape.contextLength - prompt.count)
    var budget: ThinkingBudget?
    if let tokens = thinkBudget, tokens > 0 { budget = try self.budget(tokens, room: room) }
    var request = GenerationRequest(
      prompt: prompt, sampling: sampling, random: RandomStream(seed: seed, sample: 0),
      maxTokens: maxTokens ?? .max, stopTokens: stopTokens, tags: loaded.thinkingTags,
      budget: budget)
    do { try batch.check(request) } catch {
      // A reply that nobody bounds is as long as the memory allows.
      guard case .memoryExceeded(_, _, _, _, let fits) = error, maxTokens == nil, fits > 0 else {
        throw error
      }
      request.maxTokens = fits
    }
    return request
  }

  /// A budget whose answer may be as long as a reply of `room` tokens leaves, and no longer than
  /// usual.
  private func budget(_ tokens: Int, room: Int) throws -> ThinkingBudget {
    func budget(answerLimit: Int?) throws(GenerationError) -> ThinkingBudget {
      try ThinkingBudget(tokens: tokens, wording: .earlyStop, answerLimit: answerLimit) {
        tokenizer.encode($0, addSpecialTokens: false)
      }
    }
    let usual = try budget(answerLimit: nil)
    let left = room - tokens - usual.cue.count
    return left < usual.answerLimit && left > 0 ? try budget(answerLimit: left) : usual
  }

  /// The conversation as `generate --messages` and `/load` read it.
  var json: String {
    JSONValue.object(["messages": .array(messages.map { .object($0.fields) })]).text + "\n"
  }

  /// Takes up a conversation that was saved.
  mutating func load(_ path: String) throws {
    messages = try ChatConversation(parsing: TextInput.bytes(of: path), file: path).messages
  }
}
