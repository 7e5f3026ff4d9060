import Foundation
import ModelLoader
import Testing

@testable import DecoderModels

@Suite struct RotaryConfigTests {
  func parse(_ json: String) throws -> RotaryConfig {
    try RotaryConfig(
      config: JSONObject(parsing: Array(json.utf8), file: "config.json"), dimension: 128,
      defaultTheta: 1e4, contextLength: 40960)
  }

  @Test func plainFrequencies() throws {
    let rotary = try parse(#"{"rope_theta": 1000000, "rope_scaling": null}"#)
    #expect(rotary.frequencies.count == 64)
    #expect(rotary.frequencies[0] == 1)
    #expect(abs(Double(rotary.frequencies[63]) - pow(1e6, -126.0 / 128)) < 1e-12)
    #expect(rotary.amplitude == 1)
  }

  @Test func nestedParametersAreReadToo() throws {
    let nested = try parse(#"{"rope_parameters": {"rope_type": "default", "rope_theta": 5000}}"#)
    #expect(nested == (try parse(#"{"rope_theta": 5000}"#)))
  }

  /// Bounds 23 and 40 and a factor of 1.1386 are those of Qwen3 at a factor of 4 (theta 1e6, 32768
  /// tokens).
  @Test func yarnKeepsFastAndStretchesSlowFrequencies() throws {
    let rotary = try parse(
      #"{"rope_theta": 1000000, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}"#
    )
    let plain = try parse(#"{"rope_theta": 1000000}"#).frequencies
    let ratio = zip(rotary.frequencies, plain).map { $0 / $1 }
    #expect(ratio[23] == 1)
    #expect(ratio[24] < 1)
    #expect(ratio[39] > 0.25)
    #expect(abs(ratio[40] - 0.25) < 1e-6)
    #expect(abs(rotary.amplitude - 1.1386) < 1e-4)
  }

  /// `get_mscale` of transformers: both keys together, else the factor alone.
  @Test func yarnTakesItsAttentionFactorFromTheFile() throws {
    func amplitude(_ keys: String) throws -> Float {
      try parse(#"{"rope_scaling": {"rope_type": "yarn", "factor": 16, \#(keys)}}"#).amplitude
    }
    let plain = Float(0.1 * log(16.0) + 1)
    #expect(try amplitude(#""mscale": 1.0, "mscale_all_dim": 1.0"#) == 1)
    #expect(try amplitude(#""mscale": 0.707, "mscale_all_dim": 1.0"#) < 1)
    #expect(try amplitude(#""mscale": 1.0"#) == plain)
    #expect(try amplitude(#""mscale": 0, "mscale_all_dim": 1.0"#) == plain)
    #expect(try amplitude(#""attention_factor": 1.5, "mscale": 1.0"#) == 1.5)
  }

  @Test func parametersMayBeGivenForEachKindOfLayer() throws {
    let nested =
      #"{"full_attention": {"rope_theta": 5000}, "sliding_attention": {"rope_theta": 9}}"#
    #expect(try parse(#"{"rope_parameters": \#(nested)}"#).theta == 5000)
    #expect(throws: CheckpointError.self) {
      try parse(#"{"rope_parameters": {"sliding_attention": {"rope_theta": 9}}}"#)
    }
    // Layers of both kinds would turn in different ways.
    let layers = #""layer_types": ["full_attention", "sliding_attention"]"#
    #expect {
      try parse(#"{\#(layers), "rope_parameters": \#(nested)}"#)
    } throws: { "\($0)".contains("rope_parameters.sliding_attention") }
    let same = nested.replacing("9", with: "5000")
    #expect(try parse(#"{\#(layers), "rope_parameters": \#(same)}"#).theta == 5000)
  }

  @Test func temperaturesByPositionAreRefused() {
    #expect {
      try parse(#"{"rope_parameters": {"rope_theta": 9000, "llama_4_scaling_beta": 0.1}}"#)
    } throws: { "\($0)".contains("rope_parameters.llama_4_scaling_beta") }
  }

  @Test func llama3HasThreeBands() throws {
    let rotary = try parse(
      #"{"rope_theta": 500000, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}}"#
    )
    let plain = try parse(#"{"rope_theta": 500000}"#).frequencies
    for (frequency, original) in zip(rotary.frequencies, plain) {
      let wavelength = 2 * Float.pi / original
      if wavelength < 8192 / 4 {
        #expect(frequency == original)
      } else if wavelength > 8192 {
        #expect(frequency == original / 8)
      } else {
        #expect(frequency <= original && frequency >= original / 8)
      }
    }
  }

  @Test func aPartOfAHeadIsRotatedWhereTheFamilyDoesSo() throws {
    func parse(_ json: String) throws -> RotaryConfig {
      try RotaryConfig(
        config: JSONObject(parsing: Array(json.utf8), file: "config.json"), dimension: 256,
        defaultTheta: 1e4, partialFactor: 0.25, contextLength: 40960)
    }
    let nested = #"{"rope_parameters": {"rope_theta": 10000, "partial_rotary_factor": 0.5}}"#
    #expect(try parse("{}").dimension == 64)
    #expect(try parse(nested).dimension == 128)
    #expect(try parse(#"{"partial_rotary_factor": 1}"#).frequencies.count == 128)
    #expect(abs(try parse("{}").frequencies[31] - Float(pow(1e4, -62.0 / 64))) < 1e-9)
    for factor in ["0", "0.003", "0.0118", "2"] {
      #expect(throws: CheckpointError.self) {
        try parse(#"{"partial_rotary_factor": \#(factor)}"#)
      }
    }
  }

  @Test func longRopeDividesEveryFrequencyByItsOwnFactor() throws {
    func text(long: Double, others: String = "") -> String {
      let short = (0..<64).map { "\(1 + Double($0) / 8)" }.joined(separator: ", ")
      let last = short.replacing("8.875", with: "\(long)")
      return #"{"rope_scaling": {"rope_type": "longrope", "short_factor": [\#(short)], "#
        + #""long_factor": [\#(last)]\#(others)}}"#
    }
    let rotary = try parse(text(long: 8.875))
    let plain = try parse("{}").frequencies
    for (index, frequency) in rotary.frequencies.enumerated() {
      #expect(abs(frequency * (1 + Float(index) / 8) / plain[index] - 1) < 1e-6)
    }
    #expect(rotary.amplitude == 1)
    let stretched = #", "original_max_position_embeddings": 10240"#
    let amplitude = try parse(text(long: 8.875, others: stretched)).amplitude
    #expect(abs(Double(amplitude) - (1 + log(4.0) / log(10240.0)).squareRoot()) < 1e-6)
    #expect(throws: CheckpointError.self) { try parse(text(long: 9)) }
    #expect(throws: CheckpointError.self) { try parse(text(long: 0)) }
  }

  @Test func refusesWhatItDoesNotKnow() {
    #expect(throws: CheckpointError.self) {
      try parse(#"{"rope_scaling": {"rope_type": "longrope", "factor": 4.0}}"#)
    }
    #expect(throws: CheckpointError.self) { try parse(#"{"rope_theta": "many"}"#) }
    #expect(throws: CheckpointError.self) { try parse(#"{"partial_rotary_factor": 0.5}"#) }
    #expect(throws: CheckpointError.self) {
      try parse(#"{"rope_scaling": {"factor": 2.0}}"#)
    }
    #expect(throws: CheckpointError.self) {
      try parse(#"{"rope_scaling": {"rope_type": "yarn", "factor": 0}}"#)
    }
  }
}
