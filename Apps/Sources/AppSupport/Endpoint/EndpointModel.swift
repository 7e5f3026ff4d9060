import Evaluation
import Foundation
import JSON
import KVLayout
import ModelHub
import ModelLoader

/// The model behind endpoints, as far as they tell.
public struct EndpointModel: Sendable {
  /// The endpoints, which all have it.
  let clients: [EndpointClient]
  /// How they are asked.
  let question: EndpointQuestion
  /// What decides replies besides questions and sampling, as scenarios record it.
  public let facts: [String: String]
  /// The model's `generation_config.json`, of a server that tells it.
  public let generationConfig: JSONObject?

  /// The model's name.
  public var name: String { facts["model"] ?? question.model }
  /// How the endpoints are asked.
  public var dialect: EndpointDialect { question.dialect }

  /// Asks endpoints which model they have.
  ///
  /// - Parameters:
  ///   - flags: the endpoints and how to ask them.
  ///   - form: how the benchmarks' questions reach the model.
  ///   - kv: what the KV cache is to keep, where somebody says; an endpoint has to confirm it, and our
  ///     own server keeps what it is asked for.
  ///   - thinking: whether replies have a thinking budget.
  ///   - forced: whether replies think for exactly it.
  ///   - scores: whether candidates are scored and nothing is generated.
  /// - Throws: `HubError` where an endpoint does not answer; `UserError` where it does not have the
  ///   model, does not confirm what is asked, or endpoints differ.
  public init(
    _ flags: EndpointFlags, form: PromptForm, kv: KVPolicy?, thinking: Bool, forced: Bool,
    scores: Bool = false
  ) throws {
    let clients = flags.place.clients()
    let listings = try clients.map { client throws(HubError) in try EndpointListing(client) }
    let name = try EndpointListing.name(flags.place.modelName, listings)
    let isOurs = listings.allSatisfy(\.isOurs)
    let dialect = flags.dialect ?? (isOurs ? .bitbudget : form == .chat ? .chat : .completions)
    if scores, form == .chat || dialect == .chat {
      throw UserError(
        "the dialect \(dialect.rawValue) scores no candidates of form \(form.rawValue): endpoints tell how likely texts are (--form text) in the dialects bitbudget and completions"
      )
    }
    self.clients = clients
    // What is asked for where it is not what the endpoints keep anyway.
    var other: KVPolicy?
    if dialect == .bitbudget {
      if flags.thinkingField != nil || flags.reasoningEffort != nil {
        throw UserError("--thinking-field and --reasoning-effort are of the dialect chat")
      }
      var told = try clients.map { client in try Self.replyFacts(client) }
      if let kv, told.contains(where: { $0.engine["kv"] != kv.description }) {
        told = try clients.map { client in try Self.replyFacts(client, kv) }
        other = kv
      }
      if let odd = told.first(where: { $0 != told[0] }) {
        let keys = Set(told[0].engine.keys).union(odd.engine.keys).sorted()
        let differing = keys.filter { told[0].engine[$0] != odd.engine[$0] }
        throw UserError("the endpoints differ in \(differing.joined(separator: ", "))")
      }
      var facts = told[0].engine
      facts[EngineFacts.forced] = EngineFacts.word(forced)
      self.facts = facts
      generationConfig = try told[0].generationConfig.map {
        try JSONObject(parsing: Array($0.utf8), file: "\(clients[0].base)/generation_config.json")
      }
    } else {
      try Self.check(dialect, flags, form: form, thinking: thinking, forced: forced)
      var facts = ["model": name, "dialect": dialect.rawValue, "program": Program.version]
      facts["kv"] = Self.common(listings.map { $0.kv(of: name) })
      if let kv, isOurs, facts["kv"] != kv.description {
        for client in clients { try Self.confirm(kv, client) }
        facts["kv"] = kv.description
        other = kv
      }
      facts["thinking field"] = flags.thinkingField?.rawValue
      facts["reasoning effort"] = flags.reasoningEffort
      self.facts = facts
      generationConfig = nil
    }
    question = EndpointQuestion(
      dialect: dialect, model: name, thinkingField: flags.thinkingField,
      reasoningEffort: flags.reasoningEffort, kv: other, forced: forced)
    if let kv, facts["kv"] != kv.description {
      throw UserError(
        facts["kv"].map { "the endpoint's KV cache is \($0); \(kv) was asked for" }
          ?? "the endpoint does not tell how it keeps its KV cache, so that \(kv) cannot be confirmed"
      )
    }
    guard scores else { return }
    let scorer = EndpointScorer(question: question) { Interrupts.isPending }
    for client in clients { try scorer.check(client) }
  }

  private static func common(_ values: [String?]) -> String? {
    Set(values).count == 1 ? values[0] : nil
  }

  /// Has our own server say that its caches could be kept by a policy.
  private static func confirm(_ kv: KVPolicy, _ client: EndpointClient) throws {
    let root = client.root
    let told = try root.get("memory", ["kv": "\(kv)"])["kv"]
    guard told?.string == kv.description else {
      throw root.malformed("memory", "KV caches of \(kv)", told?.summary ?? "none")
    }
  }

  /// What decides the replies of an endpoint, where its caches keep what a policy says.
  private static func replyFacts(
    _ client: EndpointClient, _ kv: KVPolicy? = nil
  ) throws -> ReplyFacts {
    let value = try client.get("replies", kv.map { ["kv": "\($0)"] } ?? [:])
    do { return try JSONDecoder().decode(ReplyFacts.self, from: Data(value.line.utf8)) } catch {
      throw client.malformed("replies", "what decides replies", value.summary)
    }
  }

  /// Objects to what a dialect has no words for.
  private static func check(
    _ dialect: EndpointDialect, _ flags: EndpointFlags, form: PromptForm, thinking: Bool,
    forced: Bool
  ) throws {
    if (dialect == .chat) != (form == .chat) {
      throw UserError(
        "the dialect \(dialect.rawValue) takes questions of --form \(dialect == .chat ? "chat" : "text"); these are of form \(form.rawValue)"
      )
    }
    if forced { throw UserError("--force: only our own server lets no thought end early") }
    if dialect == .completions, flags.thinkingField != nil || flags.reasoningEffort != nil {
      throw UserError("--thinking-field and --reasoning-effort are of the dialect chat")
    }
    if thinking, flags.thinkingField == nil {
      throw UserError(
        "the endpoint has to be told a thinking budget by a field of its own; --thinking-field says which"
      )
    }
  }
}
