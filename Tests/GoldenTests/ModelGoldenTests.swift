import Foundation
import KVCaches
import ModelLoader
import DecoderModels
import Tensors
import Testing

/// Logits and greedy text of the reference models: the committed ones, which `Tools/goldens`
/// computes in F64, and where they are at hand those of transformers in F32.
@Suite struct ModelGoldenTests {
  struct Model: CustomTestStringConvertible {
    let folder: URL
    let modelType: String

    var testDescription: String { folder.lastPathComponent }
  }

  static let all: [Model] = [Goldens.committed, Goldens.directory].compactMap { $0 }.flatMap {
    root in
    struct Config: Decodable {
      let modelType: String

      enum CodingKeys: String, CodingKey { case modelType = "model_type" }
    }
    let models = ["models", "models-2026"].flatMap { name -> [URL] in
      let folder = root.appendingPathComponent(name)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.sorted().map { folder.appendingPathComponent($0) }
    }
    return models.compactMap { model -> Model? in
      guard let data = try? Data(contentsOf: model.appendingPathComponent("config.json")),
        let config = try? JSONDecoder().decode(Config.self, from: data)
      else { return nil }
      return Model(folder: model, modelType: config.modelType)
    }
  }
  private static let families = Set(ModelFamilies.standard.modelTypes)
  static let models = all.filter { families.contains($0.modelType) }
  private static let others = all.filter { !families.contains($0.modelType) }.map(\.testDescription)

  @Test(.enabled(if: others.isEmpty, "no family here serves \(others.joined(separator: ", "))"))
  func everyModelIsServed() {
    #expect(Self.models.count == Self.all.count)
  }

  @Test func modelsOfEightFamiliesAreCommitted() {
    let committed = Self.all.filter { $0.folder.path.hasPrefix(Goldens.committed.path) }
    #expect(
      Set(committed.map(\.modelType)) == [
        "falcon", "llama", "mistral", "opt", "qwen2", "qwen3", "qwen3_5_text", "qwen3_moe",
      ])
  }

  /// ALiBi needs the place of every key, which an eviction forgets.
  @Test func aModelWithALiBiTakesNoEviction() throws {
    let folder = Goldens.committed.appendingPathComponent("models/falcon_rw_bf16")
    let pass = ForwardPass(
      try Decoder(Checkpoint(directory: folder)), pool: try ThreadPool(workers: 1))
    let policy = KVPolicy(eviction: try Eviction(StreamingLLM(sinks: 4), budget: 64))
    #expect(throws: KVPolicyError.self) { try pass.makeCache(policy, meter: KVMeter()) }
  }

  struct Manifest: Decodable {
    struct Tolerances: Decodable {
      let maxAbs: Double
      let relativeL2: Double
      let states: Double?

      enum CodingKeys: String, CodingKey {
        case states = "states_and_intermediates_max_abs"
        case maxAbs = "logits_max_abs"
        case relativeL2 = "logits_rel_l2"
      }
    }
    let tolerances: Tolerances
  }

  /// Models whose reference holds the states of layers of linear attention.
  static let hybrids = models.filter {
    FileManager.default.fileExists(
      atPath: $0.folder.appendingPathComponent("golden/layer0_recurrent_state.npy").path)
  }

  struct Golden {
    let folder: URL
    let decoder: Decoder
    let tolerances: Manifest.Tolerances

    init(_ model: Model) throws {
      folder = model.folder.appendingPathComponent("golden")
      decoder = try Decoder(Checkpoint(directory: model.folder))
      let manifest = try Data(contentsOf: folder.appendingPathComponent("manifest.json"))
      tolerances = try JSONDecoder().decode(Manifest.self, from: manifest).tolerances
    }

    func array(_ name: String) throws -> NPYFile {
      try NPYFile(folder.appendingPathComponent(name + ".npy"))
    }

    /// Logits of all positions, the tokens given in pieces.
    func logits(_ tokens: [Int32], piece: Int, threads: Int) throws -> [Float] {
      let pass = ForwardPass(decoder, pool: try ThreadPool(workers: threads))
      var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
      var result: [Float] = []
      for start in stride(from: 0, to: tokens.count, by: piece) {
        let part = Array(tokens[start..<min(start + piece, tokens.count)])
        try pass.run([TokenRun(cache: 0, tokens: part)], caches: &caches, rows: .all) {
          _, _, logits in result.append(contentsOf: logits)
        }
      }
      return result
    }

    func compare(_ found: [Float], _ expected: [Float]) {
      #expect(found.count == expected.count)
      var worst = 0.0
      var (difference, norm) = (0.0, 0.0)
      for (a, b) in zip(found, expected) {
        worst = max(worst, abs(Double(a) - Double(b)))
        difference += (Double(a) - Double(b)) * (Double(a) - Double(b))
        norm += Double(b) * Double(b)
      }
      #expect(worst <= tolerances.maxAbs)
      #expect((difference / norm).squareRoot() <= tolerances.relativeL2)
    }
  }

  @Test(arguments: models)
  func logitsOfEveryPosition(model: Model) throws {
    let golden = try Golden(model)
    let tokens = try golden.array("tokens").ints
    let logits = try golden.logits(tokens, piece: tokens.count, threads: 2)
    golden.compare(logits, try golden.array("logits").floats)
    for (piece, threads) in [(1, 1), (7, 2), (17, 1)] {
      #expect(try golden.logits(tokens, piece: piece, threads: threads) == logits)
    }
  }

  /// `layerN_conv_state` `[channels, taps]` and `layerN_recurrent_state` `[value heads, key
  /// dimension, value dimension]`.
  @Test(arguments: hybrids)
  func statesOfLinearAttention(model: Model) throws {
    let golden = try Golden(model)
    let tolerance = try #require(golden.tolerances.states)
    let pass = ForwardPass(golden.decoder, pool: try ThreadPool(workers: 2))
    var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
    let tokens = try golden.array("tokens").ints
    try pass.run([TokenRun(cache: 0, tokens: tokens)], caches: &caches, rows: .none) { _, _, _ in
    }
    for (layer, block) in golden.decoder.blocks.enumerated() {
      guard let heads = (block.mixer as? GatedDeltaNet)?.heads,
        let recurrent = try? golden.array("layer\(layer)_recurrent_state")
      else { continue }
      let inputs = try golden.array("layer\(layer)_conv_state")
      #expect(
        recurrent.shape == [heads.values, heads.keyDimension, heads.valueDimension]
          && inputs.shape == [heads.channels, heads.taps])
      let worst = try caches[0].updateFixedState(of: layer, tokens: 0) { state in
        var worst: Float = 0
        for (index, expected) in recurrent.floats.enumerated() {
          let (row, column) = index.quotientAndRemainder(dividingBy: heads.valueDimension)
          let place = heads.place(
            head: row / heads.keyDimension, row: row % heads.keyDimension, column: column)
          worst = max(worst, abs(state[place] - expected))
        }
        // The oldest of the inputs is never read again, and not kept.
        for channel in 0..<heads.channels {
          for tap in 1..<heads.taps {
            let kept = state[(tap - 1) * heads.channels + channel]
            worst = max(worst, abs(kept - inputs.floats[channel * heads.taps + tap]))
          }
        }
        return worst
      }
      #expect(Double(worst) <= tolerance, "layer \(layer)")
    }
  }

  @Test(arguments: models)
  func logitsFarIntoASequence(model: Model) throws {
    let golden = try Golden(model)
    let expected = try golden.array("logits_long_tail")
    let all = try golden.logits(golden.array("tokens_long").ints, piece: 64, threads: 2)
    golden.compare(Array(all.suffix(expected.floats.count)), expected.floats)
  }

  @Test(arguments: models)
  func greedyText(model: Model) throws {
    let golden = try Golden(model)
    let expected = try golden.array("greedy").ints
    let pass = ForwardPass(golden.decoder, pool: try ThreadPool(workers: 2))
    var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
    var next = try golden.array("tokens").ints
    var found: [Int32] = []
    while found.count < expected.count {
      var best: Int32 = 0
      try pass.run([TokenRun(cache: 0, tokens: next)], caches: &caches, rows: .last) {
        _, _, logits in
        best = Int32(logits.indices.max { logits[$0] < logits[$1] } ?? 0)
      }
      found.append(best)
      next = [best]
    }
    #expect(found == expected)
  }
}
