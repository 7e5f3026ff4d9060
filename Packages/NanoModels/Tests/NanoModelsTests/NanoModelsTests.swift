import Foundation
import NanoModels
import Testing

/// What a model folder's `config.json` must say for the weights to be read rightly.
private struct Config: Decodable {
  let modelType: String
  let architectures: [String]
  let hiddenSize, intermediateSize, numHiddenLayers: Int
  let numAttentionHeads, numKeyValueHeads, headDim, vocabSize: Int
  let tieWordEmbeddings: Bool
  let torchDtype: String

  /// Parameters of the architecture: matrices, two norms and two head norms a layer, one at the
  /// end.
  var parameters: Int {
    let attention = 2 * hiddenSize * headDim * (numAttentionHeads + numKeyValueHeads)
    let layer = attention + 3 * hiddenSize * intermediateSize + 2 * hiddenSize + 2 * headDim
    return vocabSize * hiddenSize + numHiddenLayers * layer + hiddenSize
  }
}

private struct Row: Decodable {
  let id, question, answer: String
}

private func decoder() -> JSONDecoder {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return decoder
}

private func lines<T: Decodable>(of file: URL, as _: T.Type) throws -> [T] {
  try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map {
    try JSONDecoder().decode(T.self, from: Data($0))
  }
}

@Test(arguments: NanoModels.families.flatMap(\.names))
func everyModelFolderIsComplete(name: String) throws {
  let folder = try #require(NanoModels.directory(of: name))
  let config = try decoder().decode(
    Config.self, from: Data(contentsOf: folder.appending(path: "config.json")))
  #expect(config.modelType == "qwen3")
  #expect(config.architectures == ["Qwen3ForCausalLM"])
  #expect(config.tieWordEmbeddings)
  #expect(config.torchDtype == "bfloat16")
  for file in ["generation_config.json", "tokenizer.json", "tokenizer_config.json"] {
    let data = try Data(contentsOf: folder.appending(path: file))
    #expect(try JSONSerialization.jsonObject(with: data) is [String: Any], "\(file)")
  }

  let weights = try Data(contentsOf: folder.appending(path: "model.safetensors"))
  let headerSize = weights.prefix(8).enumerated().reduce(0) {
    $0 | Int($1.element) << (8 * $1.offset)
  }
  let header = try #require(
    try JSONSerialization.jsonObject(with: weights.dropFirst(8).prefix(headerSize))
      as? [String: Any])
  #expect(header["lm_head.weight"] == nil)
  #expect(header["model.embed_tokens.weight"] != nil)
  #expect(weights.count == 8 + headerSize + 2 * config.parameters)
}

@Test func aModelHasOneFamily() throws {
  #expect(NanoModels.family(of: "nano")?.names == NanoModels.first.names)
  for family in NanoModels.families {
    for name in family.names { #expect(NanoModels.family(of: name)?.names == family.names) }
  }
  #expect(NanoModels.family(of: "nano2") == nil)
}

@Test func theDefaultModelIsOneOfThem() throws {
  #expect(NanoModels.names.contains(NanoModels.defaultName))
  #expect(NanoModels.directory(of: "nano") == NanoModels.directory(of: NanoModels.defaultName))
}

@Test(arguments: NanoModels.families.flatMap(\.benchmarkNames))
func everyBenchmarkHas400DifferentProblems(name: String) throws {
  let file = try #require(NanoModels.benchmark(named: name))
  let rows = try lines(of: file, as: Row.self)
  #expect(rows.count == 400)
  #expect(Set(rows.map(\.id)).count == 400)
  #expect(Set(rows.map(\.question)).count == 400)
  #expect(rows.allSatisfy { !$0.answer.isEmpty })
  #expect(rows.first?.id == "\(name)-0000")
}

@Test(arguments: [0, 1])
func calibrationTextIsInChatForm(family: Int) throws {
  let family = NanoModels.families[family]
  let texts = try lines(
    of: #require(NanoModels.calibration(for: family)), as: [String: String].self
  )
  .compactMap { $0["text"] }
  #expect(texts.count == 256)
  #expect(texts.contains { $0.hasPrefix("<|im_start|>user\n") && $0.hasSuffix("<|im_end|>") })
}

@Test(arguments: [0, 1])
func calibrationHoldsNoBenchmarkProblem(family: Int) throws {
  let family = NanoModels.families[family]
  let texts = try lines(
    of: #require(NanoModels.calibration(for: family)), as: [String: String].self
  )
  .compactMap { $0["text"] }.joined()
  for name in family.benchmarkNames {
    let rows = try lines(of: #require(NanoModels.benchmark(named: name)), as: Row.self)
    #expect(rows.filter { texts.contains("user\n\($0.question)<") }.isEmpty)
  }
}

@Test func theSecondFamilyHasAStudy() throws {
  struct Study: Decodable {
    struct Point: Decodable { let model, benchmark: String }
    let points: [Point]
  }
  let file = try #require(NanoModels.study(of: NanoModels.second))
  let points = try JSONDecoder().decode(Study.self, from: Data(contentsOf: file)).points
  #expect(Set(points.map(\.model)) == Set(NanoModels.second.names))
  #expect(Set(points.map(\.benchmark)) == Set(NanoModels.second.benchmarkNames))
  #expect(NanoModels.study(of: NanoModels.first) == nil)
}

@Test func unknownNamesAndPathsAreNotFound() {
  for name in ["", "nano-7b", "../Resources/nano-4m", "calibration.jsonl"] {
    #expect(NanoModels.directory(of: name) == nil)
    #expect(NanoModels.benchmark(named: name) == nil)
  }
}
