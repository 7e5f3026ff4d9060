import AppSupport
import Foundation
import MemoryPlanner

/// `plan --fits`: whether one configuration fits, and by which account.
struct FitsReport {
  private let request: PlanRequest
  private let isLimited: Bool

  init(request: PlanRequest, isLimited: Bool) {
    self.request = request
    self.isLimited = isLimited
  }

  private struct Record: Encodable {
    let model: String
    let parameters: Int
    let activeParameters: Int
    let weightBits: Int
    let scheme: String?
    let kv: String
    let thinkBudget: Int
    let samples: Int
    let batch: Int
    let memoryBytes: Int
    let weightsBytes: [String: Int]
    let kvBytes: [String: Int]
    let totalBytes: [String: Int]
    let fileBytes: Int
    let fits: Bool
  }

  private func parameters(of model: ModelShape) -> String {
    func billions(_ count: Int) -> String { String(format: "%.3g", Double(count) / 1e9) }
    let all = "\(billions(model.parameters)) billion parameters"
    return model.activeParameters == model.parameters
      ? all : all + ", of which a token meets \(billions(model.activeParameters)) billion"
  }

  /// Prints the bytes by every account, and the verdict by that of the request.
  ///
  /// - Throws: `PlannerError.tooLarge` where it does not fit; the figures are printed first.
  func print(json: Bool) throws {
    guard let configuration = try request.configurations().first else { return }
    let use = Dictionary(
      uniqueKeysWithValues: Accounting.allCases.map { ($0, configuration.memory($0)) })
    let total = configuration.memory(request.accounting).total
    let fits = total <= request.memory
    let stored = StoredWeights(configuration.model, configuration.precision).bytes
    if json {
      func bytes(_ part: (MemoryUse) -> Int) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: use.map { ($0.key.rawValue, part($0.value)) })
      }
      let record = Record(
        model: configuration.model.name, parameters: configuration.model.parameters,
        activeParameters: configuration.model.activeParameters,
        weightBits: configuration.precision.bits,
        scheme: configuration.precision.scheme?.rawValue,
        kv: "\(configuration.kv)", thinkBudget: configuration.load.thinkBudget,
        samples: configuration.load.samples, batch: configuration.load.batch,
        memoryBytes: request.memory, weightsBytes: bytes(\.weights), kvBytes: bytes(\.kv),
        totalBytes: bytes(\.total), fileBytes: stored, fits: fits)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      Console.write(String(decoding: try encoder.encode(record), as: UTF8.self) + "\n")
    } else {
      var rows = [["account", "weights", "KV cache", "rest", "total"]]
      for accounting in Accounting.allCases.reversed() {
        guard let use = use[accounting] else { continue }
        rows.append(
          [accounting.rawValue]
            + [use.weights, use.kv, use.working, use.total].map { "\(ByteCount($0))" })
      }
      let memory = "\(ByteCount(request.memory))\(isLimited ? "" : " (this machine, now)")"
      Console.write(
        "\(configuration)\n\(parameters(of: configuration.model))\n\n\(Text.table(rows))\n\nTensors in files: \(ByteCount(stored)) before compression\n\n\(fits ? "fits" : "does not fit") into \(memory)\n"
      )
    }
    guard fits else {
      throw PlannerError.tooLarge(
        configuration: "\(configuration)", bytes: total, memory: request.memory)
    }
  }
}
