import Foundation
import Testing

@testable import KVLayout

@Suite struct KVPolicyTextTests {
  @Test(arguments: [
    "bf16", "int8", "int8/int4", "f32", "bf16:256,int8", "f32:64,int4",
    "int4+group=32+scheme=hqq+rule=kivi",
    "rkv:64+int8+keys=per-token+rotate=kv", "int8+group=128+keys=per-token", "rkv:2048",
    "streaming:4096", "rkv:2048+int8",
    "rkv:64,lambda=0.5,buffer=16", "bf16:256,int8:1024,int4", "rkv:2048+bf16:64,int8/int4:64,int2",
    "int4+L0=int8", "bf16+L0-3=int8/int4+L7=int2", "rkv:64+L1=int4", "f32:64,int4+L2=f32",
    "bf16:64,int4+rule=kivi+L0=bf16+L2-3=bf16:128,int8", "bf16+keys=per-token+L3=int8/bf16",
    "int8+thoughts=int8:64,int4:64",
    "bf16:64,int8:64,int4+rotate=kv+thoughts=int4:128,int2:64+L3=int8",
  ])
  func policiesKeepTheirText(text: String) throws {
    let policy = try KVPolicy(parsing: text)
    #expect("\(policy)" == text)
    let stored = try JSONEncoder().encode([policy])
    #expect(try JSONDecoder().decode([KVPolicy].self, from: stored) == [policy])
  }

  @Test func namesOfTiers() throws {
    #expect("\(try KVPolicy(parsing: "tiered"))" == "bf16:128,int8:1024,int4")
    #expect("\(try KVPolicy(parsing: "bf16:128,int8"))" == "int8")
    #expect(try KVPolicy(parsing: "int8") == KVPolicy(keys: .int8, values: .int8))
  }

  @Test(arguments: [
    "", "int3", "rkv", "rkv:", "rkv:0", "rkv:x", "rkv:4,buffer", "lru:4", "int8+int4", "a+b+c", "+",
    "int8/", "bf16:64,int8:64", "bf16:60,int8", "bf16:64,int4:64,int8", "bf16,int8", "tiered+int8",
    "bf16:64,int8:0,int4", "bf16:64,rkv:2048", "int8+group=48", "int8+group=32+group=64",
    "int8+axis=1", "bf16+keys=per-token", "int8:x", "int8:1:2,int4",
    "int4+L0", "int4+L=int8", "int4+L-1=int8", "int4+L3-1=int8", "int4+L0-2=int8+L2=int2",
    "int4+L0=int3", "int4+L0=bf16:60,int8", "int4+L99999=int8", "bf16+rule=kivi+L0=int8,int4",
  ])
  func otherPoliciesAreRefused(text: String) {
    #expect(throws: KVPolicyError.self) { try KVPolicy(parsing: text) }
  }

  /// What llama.cpp, vLLM, Ollama and others call the formats of their caches.
  @Test(arguments: [
    ("q8_0", "int8"), ("fp8", "int8"), ("fp8_e5m2", "int8"), ("INT8", "int8"), ("q5_1", "int8"),
    ("q4_0", "int4"), ("iq4_nl", "int4"), ("nvfp4", "int4"), ("turbo3", "int4"), ("turbo2", "int2"),
    ("4", "int4"), ("f16", "bf16"), ("FP16", "bf16"), ("16", "bf16"), ("float32", "f32"),
  ])
  func otherProgramsFormatsAreTranslated(name: String, format: String) {
    for text in [name, "bf16:64,\(name)", "int8/\(name)", "rkv:2048+\(name)"] {
      #expect {
        try KVPolicy(parsing: text)
      } throws: {
        "\($0)".contains("\"\(name)\" is no format; \(format) is what comes nearest")
      }
    }
    for other in ["q", "word", "q99", "f64", "k8v4"] {
      #expect(KVFormat(foreignName: other) == nil)
    }
  }
}

@Suite struct KVPolicyLayerTests {
  @Test func aLayerIsStoredAsItsExceptionSays() throws {
    let policy = try KVPolicy(parsing: "bf16:64,int4+rotate=k+L1=int8/int4+L2=bf16")
    #expect("\(policy.layer(0))" == "bf16:64,int4+rotate=k")
    #expect("\(policy.layer(1))" == "bf16:64,int8/int4+rotate=k")
    #expect("\(policy.layer(2))" == "bf16+rotate=k")
    #expect(policy.fewestBits == 4 && policy.isQuantized)
    // What is stored as all others are is no exception.
    #expect("\(try KVPolicy(parsing: "int4+L3=int4"))" == "int4")
  }

  @Test(arguments: [
    ("int4+L4=int8", "layer 4"), ("int4+L1-3=int8", "layer 1"),
  ])
  func layersThatAreNotThereAreRefused(text: String, layer: String) throws {
    let shape = KVShape(
      layers: 4, kvHeads: 1, headDimension: 32, fixedFloats: [0, 8, 0, 0])
    #expect { try KVPolicy(parsing: text).check(shape) } throws: { "\($0)".contains(layer) }
  }

  @Test(arguments: [
    ("int8+thoughts=int8:64", "one kind"), ("int8+thoughts=int8:64,int4", "FORMAT:TOKENS"),
    ("int8+thoughts=int8:60,int4:64", "multiple of 64"), ("int8+thoughts=", "no format"),
    ("int4+thoughts=int4:64,int8:64", "more precise than int4"),
    ("bf16+thoughts=int8:64,int4:64", "oldest tokens are quantized"),
    ("int8+group=32+thoughts=int8:64,int4:64", "groups of 64"),
    ("int8+rule=kivi+thoughts=int8:64,int4:64", "the rule blocks"),
    ("int8/bf16+thoughts=int8/bf16:64,int4:64+rkv:64", "no eviction"),
    ("int8+thoughts=int8:64,int4:64+thoughts=int8:64,int4:64", "said twice"),
    ("int8+thoughts=int8:0,int4:64", "multiple of 64"),
    ("int8+thoughts=int8:99999999999999,int4:64", "at most"),
  ])
  func thoughtsThatCannotBeAreRefused(text: String, reason: String) {
    #expect { try KVPolicy(parsing: text) } throws: { "\($0)".contains(reason) }
  }

  @Test func errorsNameTheLayer() {
    #expect { try KVPolicy(parsing: "int4+L3=int8,int4") } throws: { "\($0)".contains("layer 3") }
    #expect { try KVPolicy(parsing: "int4+L3=int9") } throws: { "\($0)".contains("L3") }
  }

  /// A forecast is the sum over layers of what each takes by itself.
  @Test func forecastsAreSumsOverLayers() throws {
    let shape = KVShape(layers: 3, kvHeads: 2, headDimension: 32, windows: [0, 0, 100])
    let one = KVShape(layers: 1, kvHeads: 2, headDimension: 32)
    let seen = KVShape(layers: 1, kvHeads: 2, headDimension: 32, windows: [100])
    let policy = try KVPolicy(parsing: "bf16:64,int4+L0=bf16+L2=int8")
    let forecast = KVForecast(shape: shape, policy: policy, heads: 2)
    for tokens in [1, 64, 129, 500] {
      let alone = [one, one, seen].enumerated().map { layer, shape in
        KVForecast(shape: shape, policy: policy.layer(layer), heads: 2)
      }
      #expect(
        forecast.heldBytes(entries: tokens)
          == alone.reduce(0) { $0 + $1.heldBytes(entries: tokens) })
      #expect(
        forecast.pageBytes(entries: tokens)
          == alone.reduce(0) { $0 + $1.pageBytes(entries: tokens) })
    }
  }
}

/// An eviction method of one's own, named in texts.
@Suite struct EvictionCatalogTests {
  struct Newest: EvictionMethod {
    static let name = "newest"
    static let keys = ["every"]
    let every: Int

    init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
      every = try settings.take("every", Int.init) ?? 1
    }

    func settings(budget: Int) -> [(key: String, value: String)] {
      every == 1 ? [] : [("every", "\(every)")]
    }

    func problem(budget: Int) -> String? { every < 1 ? "every \(every) is below 1" : nil }

    func needs(order: Eviction.Order) -> EvictionNeeds {
      EvictionNeeds(rememberedBytesPerToken: 4)
    }
  }

  @Test func aMethodOfOnesOwnIsReadAndCounted() throws {
    let catalog = EvictionCatalog.standard.adding(Newest.self)
    let text = "newest:100,every=2,buffer=28+int8"
    let policy = try KVPolicy(parsing: text, evictions: catalog)
    #expect(policy.description == text)
    #expect(policy.eviction?.method as? Newest != nil)
    #expect(catalog.grammar.contains("newest (every)"))
    #expect(throws: KVPolicyError.self) { try KVPolicy(parsing: text) }
    #expect {
      try KVPolicy(parsing: "newest:100,every=0", evictions: catalog)
    } throws: { "\($0)".contains("every 0 is below 1") }

    let shape = KVShape(layers: 3, kvHeads: 2, headDimension: 32)
    let forecast = KVForecast(shape: shape, policy: policy, heads: 2)
    #expect(forecast.rememberedBytes(entries: 110, isCompressed: true) == 3 * 2 * 100 * 4)

    let decoder = JSONDecoder()
    let stored = try JSONEncoder().encode([policy])
    #expect(throws: KVPolicyError.self) { try decoder.decode([KVPolicy].self, from: stored) }
    decoder.userInfo[try #require(EvictionCatalog.userInfoKey)] = catalog
    #expect(try decoder.decode([KVPolicy].self, from: stored) == [policy])
  }
}

@Suite struct KVForecastTests {
  @Test func layersOfFixedStateTakeNoPages() throws {
    let all = KVShape(layers: 4, kvHeads: 2, headDimension: 32)
    let some = KVShape(
      layers: 4, kvHeads: 2, headDimension: 32, fixedFloats: [100, 100, 100, 0])
    for text in ["bf16", "int4", "rkv:128"] {
      let policy = try KVPolicy(parsing: text)
      let whole = KVForecast(shape: all, policy: policy, heads: 4)
      let mixed = KVForecast(shape: some, policy: policy, heads: 4)
      for tokens in [1, 64, 500] {
        let pages = whole.heldBytes(entries: tokens)
        #expect(mixed.heldBytes(entries: tokens) == pages / 4 + 1200)
        #expect(mixed.pageBytes(entries: tokens) == whole.pageBytes(entries: tokens) / 4 + 1200)
      }
    }
  }
}
