import TextGeneration
import Tokenizer

/// Why a conversation makes no prompt, which the client is told.
public struct PromptRefusal: Error, Sendable, Equatable {
  /// The reason, in a sentence.
  public let reason: String

  /// A refusal.
  public init(_ reason: String) { self.reason = reason }
}

/// The model behind a server: all that turning requests into prompts and tokens into answers takes.
public struct ServedModel: Sendable {
  /// The name by which clients ask for it.
  public var name: String
  /// Its tokenizer.
  public var tokenizer: TextTokenizer
  /// The tokens that end a text.
  public var stopTokens: Set<Int32>
  /// Its thinking tags; nil for models without.
  public var tags: ThinkingTags?
  /// How tokens are drawn where a request does not say.
  public var sampling: SamplingOptions
  /// The most tokens of prompt and reply.
  public var context: Int
  /// The most tokens of a reply where a request does not say; nil for what context and memory
  /// leave.
  public var replyTokens: Int?
  /// What its KV caches keep.
  public var caches: ServedCaches
  /// Roles of messages that its chat template takes beside the usual ones.
  public var furtherRoles: [String] = []
  /// How it writes calls of tools.
  public var toolCalls = ToolCallForm.tagged
  /// What the memory holds; nil where nobody is told.
  public var memory: ServedMemory?
  /// What answers the questions of benchmarks; nil where none are taken.
  public var replies: ServedReplies?
  /// The grammars that requests have asked for.
  let grammars: GrammarStore
  /// Turns a conversation into the prompt's ids; the flag asks for an answer without a thought.
  public var prompt: @Sendable (ChatConversation, _ thinks: Bool) throws(PromptRefusal) -> [Int32]

  /// A model; see the members.
  public init(
    name: String, tokenizer: TextTokenizer, stopTokens: Set<Int32>, tags: ThinkingTags?,
    sampling: SamplingOptions, context: Int, caches: ServedCaches? = nil,
    prompt:
      @escaping @Sendable (
        ChatConversation, _ thinks: Bool
      ) throws(PromptRefusal) -> [Int32]
  ) {
    self.name = name
    self.tokenizer = tokenizer
    self.stopTokens = stopTokens
    self.tags = tags
    self.sampling = sampling
    self.context = context
    self.caches = caches ?? ServedCaches(context: context)
    self.prompt = prompt
    grammars = GrammarStore(tokenizer)
  }
}
