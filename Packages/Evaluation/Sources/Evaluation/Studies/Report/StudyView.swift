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

  /// What its policy does to the cache.
  var cache: CacheKind { CacheKind(kv) }

  /// The same configuration with another accuracy.
  func with(accuracy: Double) -> StudyPoint {
    var point = self
    point.accuracy = accuracy
    return point
  }
}

/// A unit for memory that suits some points.
struct ByteUnit {
  let name: String
  let size: Double

  init(_ points: [StudyPoint]) {
    let largest = points.map(\.totalBytes).max() ?? 0
    (name, size) = largest >= 1 << 30 ? ("GiB", 1_073_741_824) : ("MiB", 1_048_576)
  }
}

/// What a policy does to a KV cache.
enum CacheKind {
  /// Everything is kept in 16 bits.
  case whole
  /// Tokens are evicted, the others kept in 16 bits.
  case evicted
  /// Everything is kept in fewer bits.
  case quantized
  /// Both, or a policy that is not known here.
  case other

  /// The kind of a policy's text.
  init(_ text: String) {
    guard text != "bf16" else {
      self = .whole
      return
    }
    guard let policy = try? KVPolicy(parsing: text) else {
      self = .other
      return
    }
    switch (policy.eviction != nil, policy.isQuantized) {
    case (true, false): self = .evicted
    case (false, true): self = .quantized
    default: self = .other
    }
  }
}

/// The points of a study from the sides that figures and findings look at.
struct StudyView {
  /// All points whose weights alone were quantized, or nothing: what the paper looks at.
  let points: [StudyPoint]
  /// The models, smallest first.
  let models: [String]
  /// The weight precisions, most bits first.
  let bits: [Int]
  private let caches: [String: CacheKind]

  init(_ points: [StudyPoint]) {
    let points = points.filter(Self.contains)
    self.points = points
    var sizes: [String: Int] = [:]
    for point in points { sizes[point.model] = point.parameters }
    models = sizes.keys.sorted { (sizes[$0] ?? 0, $0) < (sizes[$1] ?? 0, $1) }
    bits = Set(points.map(\.bits)).sorted(by: >)
    caches = Dictionary(
      uniqueKeysWithValues: Set(points.map(\.kv)).map { ($0, CacheKind($0)) })
  }

  private init(_ view: StudyView, points: [StudyPoint]) {
    self.points = points
    models = view.models
    bits = view.bits
    caches = view.caches
  }

  /// Whether a point is among those that the paper looks at.
  static func contains(_ point: StudyPoint) -> Bool { point.scheme == nil }

  /// The same configurations with other accuracies, point by point.
  func with(_ accuracies: [Double]) -> StudyView {
    StudyView(self, points: zip(points, accuracies).map { $0.with(accuracy: $1) })
  }

  /// What the policy of one of its points does to the cache.
  func cache(_ point: StudyPoint) -> CacheKind { caches[point.kv] ?? .other }

  /// Points of a task with the whole cache in 16 bits and one sample: serial scaling.
  func serial(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && cache($0) == .whole && $0.samples == 1 }
  }

  /// Points of a task with one sample, whatever the cache.
  func caches(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && $0.samples == 1 }
  }

  /// Points of a task with the whole cache, whatever the samples.
  func parallel(_ task: TaskKind) -> [StudyPoint] {
    points.filter { $0.task == task && cache($0) == .whole }
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
