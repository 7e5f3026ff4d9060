import AppSupport
import ArgumentParser
import Foundation
import JSON
import ModelHub
import ModelLoader
import NanoModels

/// `models`: the models on this machine.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("models"),
    abstract:
      "Lists the models on this machine: what they take, in which format, and whether they fit.",
    discussion: """
      Those that ship, those in the Hugging Face cache, and those in out/, where 'quantize' puts its results. A model fits \
      where its weights as they are stored take less than the memory that is free now; its KV cache takes more, see 'plan'.
      """,
    version: Program.version)

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let models = try FoundModel.all(in: Hub.settings().cache)
    if json { return print(FoundModel.json(models)) }
    let free = MachineMemory.bytes
    var rows = [["model", "weights", "format", "fits", "folder"]]
    for model in models {
      rows.append([
        model.name, Text.bytes(model.bytes), model.format,
        model.state == .whole ? (model.bytes <= free ? "yes" : "no") : model.state.rawValue,
        model.place.path,
      ])
    }
    print(Text.table(rows))
    Console.note("\(Text.bytes(free)) of memory are free, by the \(MachineMemory.bound)")
  }
}

/// A model that lies on this machine.
struct FoundModel {
  /// Whether all of it is there.
  enum State: String {
    case whole
    /// A fetch was stopped.
    case unfinished
    /// It cannot be opened.
    case broken
  }

  /// What `--model` takes.
  let name: String
  /// Bytes of its weights as they are stored.
  let bytes: Int
  /// How its weights are stored, or what is wrong with it.
  let format: String
  let state: State
  let place: URL

  /// Shipped models, those of the cache, and those in `out/`.
  static func all(in cache: HubCache) throws -> [FoundModel] {
    let shipped = NanoModels.families.flatMap(\.names).compactMap { name in
      NanoModels.directory(of: name).map { opened(name, at: $0) }
    }
    var fetched: [FoundModel] = []
    for snapshot in try cache.snapshots() {
      let locator = ModelLocator(cache: cache, pull: Program.pasted("pull"))
      let ggufs = snapshot.ggufFiles
      if ggufs.isEmpty || access(snapshot.folder.path + "/config.json", F_OK) == 0 {
        do throws(HubError) {
          _ = try locator.locate(snapshot.name)
          fetched.append(opened(snapshot.name, at: snapshot.folder))
        } catch {
          fetched.append(
            FoundModel(
              name: snapshot.name, bytes: snapshot.bytes, format: "not all of it is here",
              state: .unfinished, place: snapshot.folder))
        }
      }
      for (variant, file) in ggufs {
        fetched.append(
          opened(variant.map { "\(snapshot.name):\($0)" } ?? snapshot.name, at: file))
      }
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "out").sorted()) ?? []
    let made = names.filter { access("out/\($0)/config.json", F_OK) == 0 }
      .map { opened("out/\($0)", at: URL(fileURLWithPath: "out/\($0)")) }
    return shipped + fetched + made
  }

  /// What opening it says; no weights are read.
  private static func opened(_ name: String, at place: URL) -> FoundModel {
    do {
      let checkpoint = try Checkpoint(directory: place)
      return FoundModel(
        name: name, bytes: checkpoint.storedBytes, format: try format(of: checkpoint),
        state: .whole, place: place)
    } catch {
      return FoundModel(name: name, bytes: 0, format: "\(error)", state: .broken, place: place)
    }
  }

  /// How most of its weights are stored.
  private static func format(of checkpoint: Checkpoint) throws -> String {
    if let summary = try checkpoint.quantization(), summary.method != .gguf {
      let bits = Set(summary.schemes.map(\.bits)).sorted().map(String.init)
      return "\(bits.joined(separator: ", ")) bits, \(summary.method.rawValue)"
    }
    var bytes: [String: Int] = [:]
    for tensor in checkpoint.tensors.values {
      bytes[tensor.dtype.rawValue, default: 0] += tensor.byteCount
    }
    let most = bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? "no weights"
    return checkpoint.directory.pathExtension == "gguf" ? "\(most), GGUF" : most
  }

  static func json(_ models: [FoundModel]) -> String {
    JSONValue.array(
      models.map { model in
        .object([
          "name": .string(model.name), "bytes": .integer(model.bytes),
          "format": .string(model.format), "state": .string(model.state.rawValue),
          "folder": .string(model.place.path),
        ])
      }
    ).text
  }
}
