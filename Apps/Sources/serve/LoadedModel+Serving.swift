import AppSupport
import Evaluation
import JSON
import KVCaches
import ModelLoader
import Serving
import Synchronization
import TextGeneration
import Tokenizer

extension LoadedModel {
  /// The model as a server knows it.
  ///
  /// - Throws: `UserError` for a model without tokenizer; what is wrong with its files.
  func served(kv: KVPolicy, replyTokens: Int? = nil, name: String? = nil) throws -> ServedModel {
    let tokenizer = try requireTokenizer()
    let files = checkpoint.modelFiles
    let builders = [true, false].map {
      PromptBuilder(files: files, tokenizer: tokenizer, thinks: $0)
    }
    var served = ServedModel(
      name: name ?? self.name, tokenizer: tokenizer, stopTokens: try stopTokens(),
      tags: thinkingTags, sampling: try SamplingFlags.parse([]).optionsInForce(for: checkpoint),
      context: decoder.shape.contextLength, kv: kv.description, evicts: kv.eviction != nil
    ) { conversation, thinks throws(PromptRefusal) in
      let builder = builders[thinks ? 0 : 1]
      do { return builder.ids(try builder.prompt(conversation)) } catch {
        throw PromptRefusal("\(error)")
      }
    }
    served.replyTokens = replyTokens
    served.replies = try replies(kv: kv)
    served.toolCalls = ToolCallForm(
      template: (try? ChatTemplate.load(files: files, usesTools: true))?.source)
    return served
  }

  /// What answers the questions of benchmarks. The model's digest is made when it is first asked
  /// for.
  private func replies(kv: KVPolicy) throws -> ServedReplies {
    let maker = try ReplyMaker(self, sampling: .greedy)
    let known = Mutex<ReplyFacts?>(nil)
    return ServedReplies(
      facts: { [checkpoint, precision] in
        try known.withLock { known in
          if let known { return known }
          let facts = ReplyFacts(
            engine: try EngineFacts.of(checkpoint, precision, kv: kv),
            generationConfig: checkpoint.generationConfig.map {
              JSONValue.object($0.members).line
            })
          known = facts
          return facts
        }
      },
      requests: { order in
        if let fault = order.fault { throw UserError(fault) }
        return try order.requests.map {
          var request = try maker.generation($0, forced: order.forced)
          request.branches = []
          return request
        }
      },
      response: { maker.response($0, $1) })
  }

  /// What the memory of a server holds, of whose `total` bytes KV caches may take `kvByteBudget`.
  func memory(kv: KVPolicy, total: Int, kvByteBudget: Int) -> ServedMemory {
    let shape = decoder.shape
    let others = ["bf16", "int8", "int4", "rkv:1024", "rkv:1024+int4"].compactMap {
      try? KVPolicy(parsing: $0)
    }
    let policies =
      [kv]
      + others.filter { other in
        other != kv && (try? other.check(shape.cacheShape)) != nil
      }
    return ServedMemory(weights: decoder.weightBytes, total: total, kvByteBudget: kvByteBudget) {
      prompt, reply, texts in
      policies.map { policy in
        let charge = KVForecast(
          shape: shape.cacheShape, policy: policy, heads: shape.heads.queries
        ).charge(prompt: prompt, reply: reply, isShared: texts > 1)
        return ServedMemory.Policy(
          kv: "\(policy)", flags: CacheFlags.words(policy).joined(separator: " "),
          bytes: charge.shared + texts * charge.own)
      }
    }
  }

  /// An engine that decodes with the model.
  ///
  /// - Throws: `UserError` for a model without tokenizer.
  func engine(
    kv: KVPolicy, limits: DecodingBatch.Limits, queuedTexts: Int, proposer: LoadedProposer?
  ) throws -> TextEngine {
    let tokenizer = try requireTokenizer()
    return TextEngine(concurrency: limits.concurrency, queuedTexts: queuedTexts) {
      [pass, tokenLimit] in
      DecodingBatch(
        pass, kv: kv, limits: limits, proposer: proposer?.proposer, tokenLimit: tokenLimit
      ) { tokenizer.decode([$0]) }
    }
  }
}
