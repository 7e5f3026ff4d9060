import Foundation
import Testing

@testable import KVCaches

/// Scores and kept tokens of one compression, against R-KV's published formulas in F64.
@Suite(.enabled(if: Goldens.directory != nil, "no reference data beside the checkout"))
struct EvictionGoldenTests {
  /// What a case's manifest says about the eviction.
  struct Manifest: Decodable {
    let budget: Int
    let window: Int
    let kernel: Int
    let mixLambda: Float
    let threshold: Float?
    let retainDirection: String?
    let compressed: Bool?
    let tolerances: [String: Tolerance]?

    /// A number, or words.
    enum Tolerance: Decodable {
      case number(Double)
      case words(String)

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Double.self) {
          self = .number(number)
        } else {
          self = .words(try container.decode(String.self))
        }
      }
    }

    enum CodingKeys: String, CodingKey {
      case budget, window, kernel, threshold, compressed, tolerances
      case mixLambda = "mix_lambda"
      case retainDirection = "retain_direction"
    }

    var scoring: RKV {
      RKV(
        lambda: mixLambda, window: window, kernel: kernel, threshold: threshold ?? 0.5,
        retain: retainDirection.flatMap(RKV.Retain.init) ?? .last)
    }

    func tolerance(_ name: String) throws -> Double {
      guard case .number(let value)? = tolerances?[name] else {
        throw NPYFile.Malformed(path: "tolerance \(name)")
      }
      return value
    }
  }

  static let calls = Goldens.cases("eviction", kind: "rkv")

  @Test(arguments: calls)
  func scoresAndKeptTokens(name: String) throws {
    let folder = Goldens.folder("eviction", name)
    let manifest = try Goldens.manifest(of: folder, as: Manifest.self)
    let file = { try NPYFile(folder.appendingPathComponent($0 + ".npy")) }
    let (keys, queries) = (try file("K"), try file("Q_window"))
    let (kvHeads, count, dimension) = (keys.shape[0], keys.shape[1], keys.shape[2])
    let group = queries.shape[0] / kvHeads
    let scoring = manifest.scoring
    let (kept, sorted) = (try file("kept").ints, try file("kept_sorted").ints)
    let width = kept.count / kvHeads

    for head in 0..<kvHeads {
      let span = count * dimension
      let headKeys = try HeadKeys(
        Array(keys.floats[head * span..<(head + 1) * span]), dimension: dimension)
      let querySpan = group * scoring.window * dimension
      let headQueries = Array(queries.floats[head * querySpan..<(head + 1) * querySpan])
      let view = HeadView(
        count: count, keys: { headKeys }, queries: headQueries, attention: [])
      func slots(_ order: Eviction.Order) throws -> [Int] {
        try Eviction(scoring, budget: manifest.budget, order: order).choose(from: view).slots
      }
      #expect(try slots(.position) == sorted[head * width..<(head + 1) * width].map(Int.init))
      guard manifest.compressed != false else { continue }

      let before = count - scoring.window
      let importance = headKeys.importance(
        to: headQueries, window: scoring.window, kernel: scoring.kernel)
      var known: [SimilarKey] = []
      let redundancy = try headKeys.redundancy(
        threshold: scoring.threshold, retain: scoring.retain, known: &known)
      known = []
      let scores = try scoring.scores(of: headKeys, queries: headQueries, known: &known)
      for (found, part, tolerance) in [
        (importance, "importance", "importance_abs"), (redundancy, "redundancy", "redundancy_abs"),
        (scores, "score", "score_abs"),
      ] {
        let expected = try file(part).floats.dropFirst(head * found.count).prefix(found.count)
        let worst = zip(found, expected).map { abs(Double($0) - Double($1)) }.max() ?? 0
        #expect(try worst <= manifest.tolerance(tolerance), "\(part) of head \(head)")
      }
      // Neighbours with scores closer than 1e-7 may change places.
      let expected = kept[head * width..<(head + 1) * width].map(Int.init)
      for (a, b) in zip(try slots(.score), expected) where a != b {
        #expect(a < before && b < before && abs(scores[a] - scores[b]) < 1e-7)
      }
    }
  }

  struct StreamingCases: Decodable {
    struct Case: Decodable {
      let count: Int
      let budget: Int
      let first: Int
      let kept: [Int]

      enum CodingKeys: String, CodingKey {
        case count = "T"
        case budget, first, kept
      }
    }
    let cases: [Case]
  }

  @Test func streamingKeepsTheSamePositions() throws {
    let file = Goldens.folder("eviction", "streamingllm.json")
    guard let data = try? Data(contentsOf: file) else { return }
    for test in try JSONDecoder().decode(StreamingCases.self, from: data).cases {
      let found = Selection.streaming(count: test.count, budget: test.budget, sinks: test.first)
      #expect(found == test.kept)
    }
  }
}
