import DecoderModels
import Tensors
import Testing

@Suite struct ComputePrecisionTests {
  /// The table of docs/numerics.md.
  @Test func theDefaultFollowsTheBitsOfTheWeights() {
    for bits in 2...4 {
      #expect(
        ComputePrecision.standard(forWeightsOf: bits)
          == ComputePrecision(numerics: .int8, headBits: .eight))
    }
    for bits in 5...8 {
      #expect(
        ComputePrecision.standard(forWeightsOf: bits)
          == ComputePrecision(numerics: .int16, headBits: .twelve))
      #expect(
        ComputePrecision.standard(forWeightsOf: bits, roundingActivations: true)
          == ComputePrecision(numerics: .int8, headBits: .twelve))
    }
    for bits in [16, 32] {
      #expect(
        ComputePrecision.standard(forWeightsOf: bits)
          == ComputePrecision(numerics: .bf16, headBits: .stored))
    }
  }

  @Test(arguments: [(4, 4), (8, 8), (16, 16), (nil, 32)])
  func aBlockHasTheBitsOfMostOfItsWeights(bits: Int?, expected: Int) throws {
    var block = try TinyDecoder.make(bits: bits).blocks[0]
    #expect(block.storedBits == expected)
    // The first site, q, k and v, holds less than half of the weights.
    let other = try TinyDecoder.make(bits: bits == 4 ? 8 : 4).blocks[0]
    block.sites = [other.sites[0]] + block.sites.dropFirst()
    #expect(block.storedBits == expected)
    block.sites = other.sites
    #expect(block.storedBits == (bits == 4 ? 8 : 4))
  }

  /// Most of the weights, again, say what becomes of activations.
  @Test func aBlockRoundsActivationsWhereMostOfItsWeightsDo() throws {
    var block = try TinyDecoder.make(bits: 8).blocks[0]
    #expect(!block.roundsActivations)
    let plain = block.sites
    for index in plain.indices {
      for layer in plain[index].linears.indices {
        let weights = plain[index].linears[layer].weights
        let (rows, inputs) = (weights.outFeatures, weights.inFeatures)
        let grid = try CodeGrid(
          bits: 8, outFeatures: rows, inFeatures: inputs, groupSize: inputs,
          scales: [Float](repeating: 0.5, count: rows), tokenRounding: .int8)
        let codes = [UInt8](repeating: 130, count: rows * inputs)
        block.sites[index].linears[layer].weights = try GroupQuantizedWeights(
          QuantizedMatrix(grid: grid, codes: codes))
      }
    }
    #expect(block.roundsActivations && block.storedBits == 8)
    block.sites = [plain[0]] + block.sites.dropFirst()
    #expect(block.roundsActivations)
    block.sites = plain
    #expect(!block.roundsActivations)
  }
}
