import ArgumentParser
import DecoderModels
import Foundation
import KVLayout
import MemoryPlanner
import TextGeneration

/// The flags that ask for several tokens to be proposed and verified in one pass; the same in every
/// command.
public struct SpeculationFlags: ParsableArguments {
  /// Whether tokens are looked up.
  @Flag(
    help:
      "Propose what followed the last tokens when they stood in the prompt or the text before, and verify several in one pass. The text stays the same; it comes faster where it repeats itself."
  )
  public var speculate = false
  /// The model that proposes tokens; nil for none.
  @Option(
    help: ArgumentHelp(
      "Let a smaller model with the same tokens propose, and verify several in one pass. The text stays the same; it comes faster where the two agree.",
      valueName: "model"))
  public var draft: String?

  /// For ArgumentParser.
  public init() {}

  /// Whether tokens are proposed at all.
  public var isGiven: Bool { speculate || draft != nil }

  /// Checks that the flags go together.
  public func validate() throws {
    if speculate && draft != nil {
      throw ValidationError("--speculate and --draft both propose tokens; leave one out")
    }
  }

  /// Says where so many texts together leave nothing to propose.
  public func noteBatch(_ batch: Int) {
    let most = DecodingBatch.Limits().speculatingTexts
    guard isGiven, batch > most else { return }
    Console.note(
      "note: tokens are proposed while at most \(most) texts run together, which --batch \(most) keeps to"
    )
  }

  /// What proposes tokens for a model; nil where no flag asks for it.
  ///
  /// - Throws: `UserError` naming a draft of other tokens, or one that cannot be cut back; what is
  ///   wrong with its files.
  public func proposer(for loaded: LoadedModel, _ flags: ModelFlags) throws -> LoadedProposer? {
    guard let flag = draft.map({ "--draft \($0)" }) ?? (speculate ? "--speculate" : nil) else {
      return nil
    }
    guard let draft else { return LoadedProposer(proposer: PromptLookup(), draft: nil, of: loaded) }
    var own = flags
    own.named = draft
    let model = try LoadedModel(own, on: loaded.pool)
    if let difference = try Self.difference(model, loaded) {
      throw UserError("\(flag): \(model.name) has other tokens than \(loaded.name): \(difference)")
    }
    do {
      let proposer = try DraftModel(
        model.pass, for: loaded.decoder, tokenLimit: loaded.tokenLimit)
      return LoadedProposer(proposer: proposer, draft: model, of: loaded)
    } catch {
      throw UserError("\(flag): \(error)")
    }
  }

  /// Where the tokens of two models differ; nil where they do not.
  private static func difference(_ one: LoadedModel, _ other: LoadedModel) throws -> String? {
    guard let (own, its) = one.tokenizer.flatMap({ own in other.tokenizer.map { (own, $0) } })
    else {
      // Without tokenizers ids are all there is.
      let sizes = [one, other].map(\.decoder.shape.vocabularySize)
      return sizes[0] == sizes[1] ? nil : "\(sizes[0]) of them instead of \(sizes[1])"
    }
    return own.firstDifference(from: its).map { id in
      let names = [own, its].map { $0.piece(of: id).map(\.debugDescription) ?? "absent" }
      return "id \(id) is \(names[0]) instead of \(names[1])"
    }
  }
}

/// What proposes tokens for a loaded model, and what that takes.
public struct LoadedProposer {
  /// The proposer of one batch.
  public let proposer: any Proposer
  /// The model that drafts; nil where tokens are looked up.
  public let draft: LoadedModel?
  private let target: LoadedModel

  init(proposer: any Proposer, draft: LoadedModel?, of target: LoadedModel) {
    self.proposer = proposer
    self.draft = draft
    self.target = target
  }

  /// Bytes of the draft's weights.
  public var weightBytes: Int { draft?.decoder.weightBytes ?? 0 }

  /// Bytes of working memory on top of what `sequences` texts take without: rows of logits for all
  /// proposals, and what the draft computes in.
  func workingBytes(sequences: Int) throws -> Int {
    let texts = min(max(sequences, 1), DecodingBatch.Limits().speculatingTexts)
    let rows = texts * DecodingBatch.Limits.longestProposal
    let logits = Saturating.product(
      rows, target.decoder.shape.vocabularySize, MemoryLayout<Float>.size)
    guard let draft else { return logits }
    let shape = try draft.decoder.family.memoryShape(named: draft.name)
    let memory = LoadedMemory(shape, .full, weights: weightBytes, resident: 0)
    let load = try Load(thinkBudget: 0, answer: 0, samples: texts)
    return Saturating.sum(logits, memory.workingBytes(load))
  }

  /// What was proposed and accepted, in one line.
  public static func text(_ timings: GenerationTimings) -> String {
    let share =
      timings.proposedTokens > 0
      ? " (\(100 * timings.acceptedTokens / timings.proposedTokens) %)" : ""
    return "\(timings.proposedTokens) tokens proposed, \(timings.acceptedTokens) accepted\(share), "
      + "proposing took \(String(format: "%.2f", timings.draftSeconds)) s"
  }
}
