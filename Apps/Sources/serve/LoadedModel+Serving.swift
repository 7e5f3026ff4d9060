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
      context: decoder.shape.contextLength,
      caches: ServedCaches(
        usual: kv, evictions: Known.evictions, context: decoder.shape.contextLength
      ) { [decoder] kv throws(KVPolicyError) in _ = try decoder.makeCache(kv, meter: KVMeter()) }
    ) { conversation, thinks throws(PromptRefusal) in
      let builder = builders[thinks ? 0 : 1]
      do { return builder.ids(try builder.prompt(conversation)) } catch {
        throw PromptRefusal("\(error)")
      }
    }
    served.replyTokens = replyTokens
    served.replies = try replies(kv: kv)
    served.furtherRoles = (try? ChatTemplate.load(files: files))?.furtherRoles ?? []
    served.toolCalls = ToolCallForm(
      template: (try? ChatTemplate.load(files: files, usesTools: true))?.source)
    return served
  }

  /// What answers the questions of benchmarks. The model's digest is made when it is first asked
  /// for.
  private func replies(kv: KVPolicy) throws -> ServedReplies {
    let maker = try ReplyMaker(self, sampling: .greedy)
    let known = Mutex<[String: String]?>(nil)
    return ServedReplies(
      facts: { [checkpoint, precision] asked in
        let engine = try known.withLock { known in
          let facts = try known ?? EngineFacts.of(checkpoint, precision, kv: kv)
          known = facts
          return facts
        }
        return ReplyFacts(
          engine: EngineFacts.of(engine, kv: asked ?? kv),
          generationConfig: checkpoint.generationConfig.map { JSONValue.object($0.members).line })
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
        other != kv && (try? decoder.makeCache(other, meter: KVMeter())) != nil
      }
    @Sendable func forecast(_ kv: KVPolicy) -> KVForecast {
      KVForecast(shape: shape.cacheShape, policy: kv, heads: shape.heads.queries)
    }
    let usual = forecast(kv)
    return ServedMemory(
      weights: decoder.weightBytes, total: total, kvByteBudget: kvByteBudget, policies: policies
    ) { policy, prompt, reply, texts in
      let asked = forecast(policy)
      let charge = asked.charge(prompt: prompt, reply: reply, isShared: texts > 1)
      return Saturating.sum(charge.bytes(ofTexts: texts), usual.slackBytes(of: [asked]))
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
