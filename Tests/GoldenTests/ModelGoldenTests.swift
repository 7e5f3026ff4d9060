import Foundation
import KVCaches
import ModelLoader
import DecoderModels
import Tensors
import Testing

/// Logits and greedy text of the reference models: the committed ones, which `Tools/goldens` computes in F64, and where they
/// are at hand those of transformers in F32.
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
    let folder = root.appendingPathComponent("models")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().compactMap { name -> Model? in
      let model = folder.appendingPathComponent(name)
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

  @Test func modelsOfFiveFamiliesAreCommitted() {
    let committed = Self.all.filter { $0.folder.path.hasPrefix(Goldens.committed.path) }
    #expect(Set(committed.map(\.modelType)) == ["falcon", "llama", "opt", "qwen2", "qwen3"])
  }

  struct Manifest: Decodable {
    struct Tolerances: Decodable {
      let maxAbs: Double
      let relativeL2: Double

      enum CodingKeys: String, CodingKey {
        case maxAbs = "logits_max_abs"
        case relativeL2 = "logits_rel_l2"
      }
    }
    let tolerances: Tolerances
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
