import Compression
import Foundation
import Quantizers
import Tensors
import Testing

/// QUIK and SmoothQuant on matrices of reference data: outliers, codes, and products with rounded
/// activations.
@Suite struct OutlierGoldenTests {
  static let quik = Goldens.cases("quantizers", kind: "quik")
  static let smooth = Goldens.cases("quantizers", kind: "smoothquant")

  private struct Manifest: Decodable {
    struct Tolerances: Decodable {
      let codes: Double
      let product: Double

      enum CodingKeys: String, CodingKey {
        case codes = "codes_mismatch_fraction"
        case weightCodes = "W_code_mismatch_fraction"
        case product = "Y_rel_l2"
      }

      init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        codes =
          try values.decodeIfPresent(Double.self, forKey: .codes)
          ?? values.decode(Double.self, forKey: .weightCodes)
        product = try values.decode(Double.self, forKey: .product)
      }
    }
    let tolerances: Tolerances
    let outliers: Int?
    let bits: Int?
    let strength: Float?

    enum CodingKeys: String, CodingKey {
      case tolerances, outliers
      case bits = "weight_bits"
      case strength = "alpha"
    }
  }

  private struct Inputs {
    let x: [Float]
    let weights: WeightMatrix
    let tokens: Int
    /// Of each input the largest magnitude.
    let largest: [Float]

    init() throws {
      let folder = Goldens.folder("quantizers", "inputs_plain")
      let x = try NPYFile(folder.appendingPathComponent("X.npy"))
      let w = try NPYFile(folder.appendingPathComponent("W.npy"))
      self.x = x.floats
      tokens = x.shape[0]
      weights = try WeightMatrix(w.floats, outFeatures: w.shape[0], inFeatures: w.shape[1])
      let values = x.floats
      largest = (0..<x.shape[1]).map { column in
        stride(from: column, to: values.count, by: x.shape[1]).reduce(Float(0)) {
          max($0, abs(values[$1]))
        }
      }
    }
  }

  private func product(_ weights: any LinearWeights, _ x: [Float], tokens: Int) throws -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * weights.outFeatures)
    let pool = try ThreadPool(workers: 2)
    x.withUnsafeBufferPointer { x in
      guard let base = x.baseAddress else { return }
      weights.multiply(
        LinearInput(base, tokens: tokens, width: weights.inFeatures, numerics: .int8), into: &y,
        on: pool)
    }
    return y
  }

  private func distance(_ found: [Float], _ expected: [Float]) -> Double {
    let squares = zip(found, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
    return (squares / expected.reduce(0.0) { $0 + Double($1 * $1) }).squareRoot()
  }

  private func mismatch(_ found: [UInt8], _ expected: [UInt8]) -> Double {
    Double(zip(found, expected).count { $0 != $1 }) / Double(expected.count)
  }

  @Test(.enabled(if: !quik.isEmpty, "no reference quantizers"), arguments: quik)
  func outliersStayAndTokensAreRoundedBesideThem(name: String) throws {
    let folder = Goldens.folder("quantizers", name)
    func array(_ name: String) throws -> NPYFile {
      try NPYFile(folder.appendingPathComponent(name + ".npy"))
    }
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let inputs = try Inputs()
    let bits = try #require(manifest.bits)
    let columns = OutlierChoice(count: try #require(manifest.outliers)).columns(
      for: inputs.largest)
    #expect(columns.map(Int32.init) == (try array("outlier_columns").ints.sorted()))
    let scheme = try QuantizationScheme(
      bits: bits, groupSize: nil, grid: .absmax, scaleType: .f32)
    let pool = try ThreadPool(workers: 2)
    let layer = try RoundToNearest(scheme: scheme).quantize(
      [inputs.weights], besides: columns, hessian: nil, on: pool)[0]
    #expect(
      mismatch(layer.codes.codes, try array("W_codes").bytes) <= manifest.tolerances.codes)
    var codes = layer.codes
    codes.tokenRounding = bits == 4 ? .between4 : .between8
    let matrix = try OutlierMatrix(
      rest: codes, columns: columns.map(Int32.init),
      outliers: Tensor(layer.outliers, shape: [codes.outFeatures, columns.count]))
    let found = try product(matrix.packed(), inputs.x, tokens: inputs.tokens)
    #expect(distance(found, try array("Y").floats) <= manifest.tolerances.product)
  }

  @Test(.enabled(if: !smooth.isEmpty, "no reference quantizers"), arguments: smooth)
  func smoothedSidesAreRoundedToEightBits(name: String) throws {
    let folder = Goldens.folder("quantizers", name)
    func array(_ name: String) throws -> NPYFile {
      try NPYFile(folder.appendingPathComponent(name + ".npy"))
    }
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let inputs = try Inputs()
    let width = inputs.weights.inFeatures
    var reading = [Float](repeating: 0, count: width)
    for (at, value) in inputs.weights.values.enumerated() {
      reading[at % width] = max(reading[at % width], abs(value))
    }
    let divisors = Smoothing(strength: try #require(manifest.strength)).divisors(
      activations: inputs.largest, weights: reading)
    for (found, expected) in zip(divisors, try array("s").floats) {
      #expect(abs(found - expected) <= 1e-5 * expected)
    }
    let weights = try WeightMatrix(
      inputs.weights.values.enumerated().map { $1 * divisors[$0 % width] },
      outFeatures: inputs.weights.outFeatures, inFeatures: width)
    let scheme = try QuantizationScheme(bits: 8, groupSize: nil, grid: .absmax, scaleType: .f32)
    var matrix = try RoundToNearest(scheme: scheme).quantize(
      [weights], hessian: nil, on: ThreadPool(workers: 1))[0].matrix
    let expected = try array("W_codes").bytes.map { $0 ^ 128 }
    #expect(mismatch(matrix.codes, expected) <= manifest.tolerances.codes)
    matrix.tokenRounding = .int8
    let x = inputs.x.enumerated().map { $1 / divisors[$0 % width] }
    let found = try product(matrix.packed(), x, tokens: inputs.tokens)
    #expect(distance(found, try array("Y_per_token").floats) <= manifest.tolerances.product)
  }
}
