import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import TextGeneration

/// `evaluate similarity RUN RUN`: how alike the texts of two runs are.
struct CompareTexts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "similarity",
    abstract:
      "Says how alike the texts of two runs on the same problems are: ROUGE, and with --model BERTScore and STS.",
    discussion: """
      The texts of the first run are the references; ROUGE is F1 as the package rouge_score has it without its stemmer. \
      With --model, BERTScore (F1) and the similarity of sentences (STS) are computed over the last states of that model, \
      which is a decoder: figures over an encoder's states are others.
      """)

  @Argument(help: "The journal of the run whose texts are the references.")
  var reference: String
  @Argument(help: "The journal of the other run.")
  var candidate: String
  @OptionGroup(title: "Model") var model: ModelFlags

  func validate() throws {
    if model.cache.isGiven {
      throw ValidationError("--kv: the states of texts are read with a whole cache in BF16")
    }
    let isAutomatic = if case .auto = model.numerics { true } else { false }
    if model.named == nil, model.threads != nil || !isAutomatic || model.headBits.value != nil {
      throw ValidationError("--threads, --numerics and --head-bits need --model")
    }
  }

  func run() throws {
    let texts = try TextPairs(
      reference: URL(fileURLWithPath: reference), candidate: URL(fileURLWithPath: candidate))
    let similarity = TextSimilarity(texts)
    var rows = [
      ("ROUGE-1", similarity.rouge1), ("ROUGE-2", similarity.rouge2),
      ("ROUGE-L", similarity.rougeL), ("the same text", similarity.identical),
    ]
    if model.named != nil {
      let loaded = try LoadedModel(model)
      let states = try StateSimilarity(texts) { try Self.states(of: $0, loaded) }
      rows += [
        ("BERTScore by \(loaded.name)", states.bertScore),
        ("STS by \(loaded.name)", states.sentences),
      ]
    }
    print(
      Text.table(
        [["", "mean", "SE"]]
          + rows.map { name, estimate in
            [
              name, String(format: "%.4f", estimate.value),
              estimate.standardError.map { String(format: "%.4f", $0) } ?? "-",
            ]
          }))
    for setting in texts.settings { print("  \(setting)") }
  }

  /// The states of a text's own tokens, as far as the context goes: of what the model wants before a
  /// text nothing is compared.
  private static func states(of text: String, _ loaded: LoadedModel) throws -> TokenStates {
    try Interrupts.check()
    let tokenizer = try loaded.requireTokenizer()
    let whole = tokenizer.encode(
      text, addSpecialTokens: true, specialText: .treatSpecialTextAsPlain)
    let own = tokenizer.encode(text, addSpecialTokens: false, specialText: .treatSpecialTextAsPlain)
    let before = whole.firstRange(of: own)?.lowerBound ?? 0
    let tokens = Array(whole[..<min(before + own.count, loaded.decoder.shape.contextLength)])
    let width = loaded.decoder.shape.hiddenSize
    guard tokens.count > before else { return TokenStates([], width: width) }
    return TokenStates(
      Array(try loaded.pass.states(of: tokens).dropFirst(before * width)), width: width)
  }
}
