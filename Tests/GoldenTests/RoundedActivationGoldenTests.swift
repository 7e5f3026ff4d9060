import DecoderModels
import Foundation
import KVCaches
import ModelLoader
import Tensors
import Testing

/// Checkpoints whose configuration asks for activations of 8 bits, rounded token by token: logits
/// of transformers with the inputs of every quantized layer rounded, and without.
@Suite struct RoundedActivationGoldenTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let rounding: String
    let activations: TokenRounding

    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "ct_w8a8_int8", rounding: "absmax127", activations: .int8),
    Case(name: "ct_fp8_dynamic", rounding: "fp8", activations: .float8),
  ].filter { (try? Checkpoint(directory: Goldens.folder("checkpoints", $0.name))) != nil }

  private struct Manifest: Decodable {
    struct Rounding: Decodable {
      let tolerance: Double?

      enum CodingKeys: String, CodingKey { case tolerance = "tolerance_rel_l2" }
    }
    let act: [String: Rounding]
  }

  private func tolerance(_ golden: Case) throws -> Double {
    let folder = Goldens.folder("checkpoints", golden.name).appendingPathComponent("golden")
    let all = try Goldens.manifest(of: folder, as: Manifest.self).act
    return try #require(all[golden.rounding]?.tolerance)
  }

  private func logits(
    _ decoder: Decoder, _ tokens: [Int32], _ numerics: Numerics, piece: Int
  ) throws -> [Float] {
    let pass = ForwardPass(decoder, pool: try ThreadPool(workers: 2), numerics: numerics)
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

  private func distance(_ found: [Float], _ expected: [Float]) -> Double {
    let squares = zip(found, expected).reduce(0.0) {
      $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
    }
    return (squares / expected.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
  }

  @Test(.enabled(if: !cases.isEmpty, "no reference checkpoints"), arguments: cases)
  func logitsAreThoseOfRoundedActivations(golden: Case) throws {
    let folder = Goldens.folder("checkpoints", golden.name)
    let checkpoint = try Checkpoint(directory: folder)
    #expect(try checkpoint.quantization()?.schemes.first?.activations == golden.activations)
    let decoder = try Decoder(checkpoint)
    func array(_ name: String) throws -> NPYFile {
      try NPYFile(folder.appendingPathComponent("golden/\(name).npy"))
    }
    let tokens = try array("tokens_act_" + golden.rounding).ints
    let expected = try array("logits_act_" + golden.rounding).floats
    let found = try logits(decoder, tokens, .int16, piece: tokens.count)
    #expect(found.count == expected.count)
    #expect(distance(found, expected) <= (try tolerance(golden)))
    #expect(try logits(decoder, tokens, .int16, piece: 1) == found)
    // Activations as they are: the weights alone.
    let exact = try logits(decoder, array("tokens").ints, .exact, piece: 33)
    #expect(distance(exact, try array("logits").floats) <= 5e-5)
  }
}
