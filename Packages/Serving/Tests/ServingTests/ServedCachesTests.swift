import KVLayout
import Testing

@testable import Serving

/// The KV policies that requests name.
@Suite struct ServedCachesTests {
  @Test(
    arguments: [
      (nil, nil, nil), ("int4", nil, "int4"), (nil, "rkv:64", "rkv:64"),
      ("int8/int4+group=32", "h2o:96", "h2o:96+int8/int4+group=32"),
      ("rkv:64+int8", nil, "rkv:64+int8"), ("rkv:64+int8", "h2o:96", "h2o:96+int8"),
    ] as [(String?, String?, String?)])
  func fieldsSayAllOfIt(kv: String?, eviction: String?, policy: String?) throws {
    // What is usual is no part of what somebody else asks for.
    let caches = ServedCaches(usual: try KVPolicy(parsing: "streaming:64+int2"), context: 4096)
    #expect(try caches.policy(kv, evicting: eviction)?.description == policy)
  }

  /// A model whose heads take no groups of 64, and that evicts nothing.
  private static let narrow = ServedCaches(context: 4096) { policy throws(KVPolicyError) in
    if let eviction = policy.eviction {
      throw .invalidEviction(text: "\(eviction)", reason: "nothing to evict")
    }
    if policy.group == 64, policy.isQuantized {
      throw .invalidFormat(text: "\(policy)", reason: "groups do not divide heads")
    }
  }

  @Test(
    arguments: [
      ("int3", nil, "kv", "int3"), ("int8+int8", nil, "kv", "twice"),
      (nil, "rkv", "kv_evict", "rkv:2048"), ("int8", "nobody:64", "kv_evict", "streaming"),
      ("int4", nil, "kv", "groups"), ("rkv:64", nil, "kv", "nothing to evict"),
      (nil, "rkv:64", "kv_evict", "nothing to evict"),
      ("int4+group=32", "rkv:64", "kv_evict", "nothing to evict"),
      (String(repeating: "L1=int8+", count: 1000), nil, "kv", "4096"),
    ] as [(String?, String?, String, String)])
  func whatCannotBeIsNamed(kv: String?, eviction: String?, field: String, reason: String) throws {
    let error = try #require(
      #expect(throws: APIError.self) { try Self.narrow.policy(kv, evicting: eviction) })
    #expect(error.status == 400 && error.field == field)
    #expect(error.message.contains(reason), "\(error.message)")
  }

  /// Nothing that is counted in tokens is longer than any text here, but for what is usual.
  @Test(
    arguments: [
      ("rkv:4097", nil, "kv", "budget of 4097"), (nil, "rkv:1073741824", "kv_evict", "4096"),
      ("int8", "rkv:96,buffer=5000,prompt=5000", "kv_evict", "buffer of 5000"),
      (nil, "rkv:96,prompt=5000", "kv_evict", "prompts of 5000"),
      ("bf16:16777216,int4", "rkv:96", "kv", "tier of 16777216"),
      ("int4+L1=bf16:128,int8:8192,int4", nil, "kv", "tier of 8192"),
      ("int8+thoughts=int8:65536,int4:64", nil, "kv", "thought of 65600"),
    ] as [(String?, String?, String, String)])
  func countsEndWithTheContext(
    kv: String?, eviction: String?, field: String, reason: String
  ) throws {
    let caches = ServedCaches(context: 4096)
    let error = try #require(
      #expect(throws: APIError.self) { try caches.policy(kv, evicting: eviction) })
    #expect(error.status == 400 && error.field == field)
    #expect(error.message.contains(reason), "\(error.message)")
    for usual in ["tiered", "rkv:1024", "int8+thoughts=int8:64,int4:64", "rkv:96,buffer=1024"] {
      #expect(try ServedCaches(context: 1024).policy(usual, evicting: nil) != nil)
    }
  }
}
