import AppSupport
import Compression
import Foundation
import ModelLoader
import Quantizers

/// What `quantize` says when it is done, on standard error; the folder goes to standard output.
struct QuantizeReport {
  let record: CompressionRecord
  let times: PhaseTimes
  /// What was said of the calibration before the work, and is worth saying again behind it.
  let concerns: [String]

  /// Shows the errors of all layers, what was unusual, and the figures of the run.
  func show(
    source: Checkpoint, target: URL, started: Date, rounded: [GGUFRounding.Matrices]
  ) throws {
    let written = try Checkpoint(directory: target)
    if !record.layers.isEmpty {
      Console.note("\nerror of the layers' \(kind), % of what they are\n\(errorTable())\n")
    }
    for line in warnings() + concerns.map({ "warning: \($0)" }) { Console.note(line) }
    Console.note(
      "tensors     \(Text.bytes(source.storedBytes)) -> \(Text.bytes(written.storedBytes)), "
        + "\(Text.bytes(try diskBytes(target))) on disk")
    if !record.layers.isEmpty {
      let error = String(format: "%.3g", record.meanError)
      Console.note(
        "error       \(error) of the layers' \(kind), mean of \(record.layers.count) layers")
    }
    for matrices in rounded {
      Console.note(
        "\(matrices.type)".padding(toLength: 12, withPad: " ", startingAt: 0)
          + "\(matrices.count) matrices, error "
          + String(format: "%.3g %% of the weights", 100 * matrices.relativeError))
    }
    Console.note(
      "time        \(Text.duration(Date().timeIntervalSince(started))), "
        + "peak \(Text.bytes(ProcessMemory.peakBytes))")
    if let phases = phases() { Console.note("phases      \(phases)") }
    print(target.relativePath)
  }

  private var kind: String { record.calibration == nil ? "weights" : "outputs" }

  /// A row for each block, a column for each of its layers.
  private func errorTable() -> String {
    var roles: [String] = []
    // Of experts there are several in one role.
    var blocks: [(name: String, errors: [String: [Double]])] = []
    for layer in record.layers {
      // model.layers.3.mlp.up_proj
      let parts = layer.name.split(separator: ".")
      let role = String(parts.last ?? "")
      let block = String(parts.dropFirst(2).first ?? "")
      if !roles.contains(role) { roles.append(role) }
      if blocks.last?.name != block { blocks.append((block, [:])) }
      // Of what was rounded without calibration only the weights' error is known.
      if record.calibration != nil && layer.report.layerError == nil { continue }
      let error = layer.report.layerError ?? layer.report.weightError
      blocks[blocks.count - 1].errors[role, default: []].append(error)
    }
    let rows = blocks.map { block in
      [block.name]
        + roles.map { role in
          block.errors[role].map {
            String(format: "%.3f", 100 * $0.reduce(0, +) / Double($0.count))
          } ?? "-"
        }
    }
    return Text.table([["block"] + roles.map { $0.replacing("_proj", with: "") }] + rows)
  }

  /// Experts that calibration hardly reached, a line for each block.
  private func unreached() -> [String] {
    var names: [String] = []
    var layers: [String: [String]] = [:]
    for layer in record.layers where layer.isRounded == true {
      // model.layers.3.mlp.experts.17.up_proj
      let parts = layer.name.split(separator: ".")
      let block = parts.prefix(while: { $0 != "experts" }).joined(separator: ".")
      let own = parts.drop(while: { $0 != "experts" }).dropFirst().joined(separator: ".")
      if layers[block] == nil { names.append(block) }
      layers[block, default: []].append("\(own) (\(layer.reached ?? 0))")
    }
    return names.map { name in
      let all = layers[name] ?? []
      return
        "note: \(name): calibration hardly reached \(all.count) layers of experts, which are rounded to "
        + "nearest (rows in brackets): " + all.joined(separator: ", ")
    }
  }

  /// Layers for which damping was raised, and what calibration never reached.
  private func warnings() -> [String] {
    unreached()
      + record.layers.flatMap { layer in
        var lines: [String] = []
        if let raises = layer.report.dampingRaises, raises > 0, let damping = layer.report.damping {
          lines.append(
            "note: \(layer.name): the Hessian was not positive definite; damping was raised to \(damping)"
          )
        }
        if let dead = layer.report.deadInputs, dead > 0 {
          lines.append(
            "note: \(layer.name): \(dead) inputs were zero in all of the calibration; their weights are 0 now"
          )
        }
        return lines
      }
  }

  /// Where the time went, nil where no phase took a twentieth of a second, and with calibration how
  /// much of it products of matrices took.
  private func phases() -> String? {
    let all = PhaseTimes.Phase.allCases.filter { times[$0] >= 0.05 }
    if all.isEmpty { return nil }
    let list = all.map { "\($0.rawValue) " + String(format: "%.1f s", times[$0]) }
      .joined(separator: ", ")
    guard record.calibration != nil else { return list }
    let algebra = all.filter(\.isLinearAlgebra).reduce(0) { $0 + times[$1] }
    return list + String(format: "; matrix products %.0f %%", 100 * algebra / times.total)
  }

  private func diskBytes(_ target: URL) throws -> Int {
    func size(_ path: String) throws -> Int {
      try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
    // A GGUF file may have any name.
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder)
    if exists, !isFolder.boolValue { return try size(target.path) }
    let names = try FileManager.default.contentsOfDirectory(atPath: target.path)
    return try names.filter { $0.contains(".safetensors") }.reduce(0) {
      try $0 + size(target.appendingPathComponent($1).path)
    }
  }
}
