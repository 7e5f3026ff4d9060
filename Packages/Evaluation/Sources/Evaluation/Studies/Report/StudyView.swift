import KVLayout
import MemoryPlanner

extension StudyPoint {
  /// A model at a precision, as figures call it.
  var weightsName: String { "\(model) \(form)" }
  /// What became of the weights: a scheme's name, or bits.
  var form: String { scheme ?? "\(bits)-bit" }

  /// Every setting, for labels.
  var configuration: String {
    var text =
      "\(model), \(scheme ?? "\(bits) bits"), KV \(kv), \(thinkBudget) tokens, \(samples) sample\(samples == 1 ? "" : "s")"
    let error = standardError.map { " ± \(Self.percent($0))" } ?? ""
    text += ": \(Self.percent(accuracy))\(error) %"
    return text + ", \(ByteCount(totalBytes))"
  }

  /// A share as a percentage with one decimal.
  static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)" }

  /// Whether the cache keeps everything in 16 bits.
  var isFullCache: Bool { kv == "bf16" }
  /// Whether the cache evicts and quantizes nothing.
  var isEvicting: Bool { policy.map { $0.eviction != nil && !$0.isQuantized } ?? false }
  /// Whether the cache is quantized and evicts nothing.
  var isQuantizing: Bool { policy.map { $0.eviction == nil && $0.isQuantized } ?? false }
  private var policy: KVPolicy? { try? KVPolicy(parsing: kv) }
}

/// The points of a study from the sides that figures and findings look at.
struct StudyView {
  /// All points whose weights alone were quantized, or nothing: what the paper looks at.
  let points: [StudyPoint]
  /// The models, smallest first.
  let models: [String]
  /// The weight precisions, most bits first.
  let bits: [Int]

  init(_ results: StudyResults) {
    points = results.points.filter { $0.scheme == nil }
    var sizes: [String: Int] = [:]
    for point in points { sizes[point.model] = point.parameters }
    models = sizes.keys.sorted { (sizes[$0] ?? 0, $0) < (sizes[$1] ?? 0, $1) }
    bits = Set(points.map(\.bits)).sorted(by: >)
  }

  /// Points of a task with the whole cache in 16 bits and one sample: serial scaling.
  func serial(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && $0.isFullCache && $0.samples == 1 }
  }

  /// Points of a task with one sample, whatever the cache.
  func caches(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && $0.samples == 1 }
  }

  /// Points of a task with the whole cache, whatever the samples.
  func parallel(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && $0.isFullCache }
  }

  /// The place of a model among them, which chooses its colour.
  func hue(_ point: StudyPoint) -> Int { models.firstIndex(of: point.model) ?? 0 }
  /// The place of a precision among them, which chooses its form.
  func form(_ point: StudyPoint) -> Int { bits.firstIndex(of: point.bits) ?? 0 }

  /// The points that nobody beats in `cost` and accuracy, by growing cost.
  static func frontier(
    _ points: [StudyPoint], cost: (StudyPoint) -> Double = { Double($0.totalBytes) }
  ) -> [StudyPoint] {
    ParetoFrontier.indices(costs: points.map(cost), values: points.map(\.accuracy)).map {
      points[$0]
    }
  }

  /// The best of the points that take at most so many bytes.
  static func best(_ points: [StudyPoint], within bytes: Int) -> StudyPoint? {
    points.filter { $0.totalBytes <= bytes }.max { $0.accuracy < $1.accuracy }
  }

  /// Models at precisions, in order, each with its points by growing budget.
  func byWeights(_ points: [StudyPoint]) -> [[StudyPoint]] {
    models.flatMap { model in
      bits.map { bits in
        points.filter { $0.model == model && $0.bits == bits }.sorted {
          ($0.thinkBudget, $0.samples) < ($1.thinkBudget, $1.samples)
        }
      }
    }.filter { !$0.isEmpty }
  }
}
