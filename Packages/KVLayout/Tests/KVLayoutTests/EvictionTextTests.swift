import Foundation
import Testing

@testable import KVLayout

@Suite struct EvictionTextTests {
  @Test(arguments: [
    "rkv:2048", "rkv:64,lambda=0.07,window=16,kernel=5,threshold=0.25,retain=first,buffer=32",
    "rkv:40,buffer=16,order=score,schedule=multiples", "streaming:4096", "streaming:2000,sinks=4",
    "streaming:4,sinks=0", "snapkv:512,window=64,kernel=7", "h2o:256", "h2o:256,recent=32",
    "rkv:64,buffer=4096", "rkv:64,buffer=32,prompt=32", "raas:256", "raas:64,threshold=0.01",
    "lazy:256", "lazy:256,recent=16,threshold=0.002,buffer=32",
  ])
  func theTextFormComesBack(text: String) throws {
    let eviction = try Eviction(parsing: text)
    #expect(eviction.description == text)
    let stored = try JSONEncoder().encode([eviction])
    #expect(String(decoding: stored, as: UTF8.self) == "[\"\(text)\"]")
    #expect(try JSONDecoder().decode([Eviction].self, from: stored) == [eviction])
  }

  @Test func whatIsNotSaidIsAsUsual() throws {
    let eviction = try Eviction(parsing: "rkv:2048")
    #expect(try eviction == Eviction(RKV(), budget: 2048))
    #expect(eviction.buffer == 128 && eviction.needs.queryWindow == 8)
    #expect(try Eviction(parsing: "streaming:10").method as? StreamingLLM == StreamingLLM(sinks: 5))
  }

  @Test(arguments: [
    ("", "expected POLICY:BUDGET"), ("rkv", "expected POLICY:BUDGET"), ("rkv:", "POLICY:BUDGET"),
    ("rkv:many", "POLICY:BUDGET"), ("lru:10", "expected streaming"), ("rkv:8", "the window of 8"),
    ("rkv:-3", "budget -3"), ("rkv:0", "budget 0"), ("rkv:64,lambda=2", "lambda 2.0"),
    ("rkv:64,lambda=nan", "lambda nan"), ("rkv:64,kernel=4", "kernel 4"),
    ("rkv:64,window=0", "window 0"),
    ("rkv:64,sinks=4", "no key \"sinks\""), ("rkv:64,window", "KEY=VALUE"),
    ("rkv:64,window=8,window=9", "window is said twice"), ("rkv:64,buffer=x", "buffer=x"),
    ("rkv:64,buffer=0", "buffer 0"), ("rkv:64,prompt=1", "prompt 1 is below buffer 128"),
    ("streaming:4,sinks=4", "no recent token"), ("streaming:4,sinks=-1", "sinks -1"),
    ("h2o:1", "beside 1 recent"), ("h2o:4,recent=0", "recent 0"), ("snapkv:32", "window of 32"),
    ("rkv:99999999999999999999", "POLICY:BUDGET"), ("rkv:9999999999", "budget 9999999999"),
    ("rkv:64,order=random", "order=random"), ("rkv:64,threshold=3", "threshold 3.0"),
    ("raas:64,threshold=0", "threshold 0.0"), ("raas:64,threshold=2", "threshold 2.0"),
    ("raas:64,recent=4", "no key \"recent\""), ("lazy:64,threshold=nan", "threshold nan"),
    ("lazy:8,recent=8", "beside 8 recent"), ("lazy:8,recent=0", "recent 0"),
  ])
  func whatCannotBeIsRefusedWithTheReason(text: String, reason: String) {
    #expect {
      try Eviction(parsing: text)
    } throws: { error in
      "\(error)".hasPrefix("eviction \(text): ") && "\(error)".contains(reason)
    }
  }
}
