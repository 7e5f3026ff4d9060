import Foundation
import MemoryPlanner
import ModelLoader
import DecoderModels
import NanoModels
import SystemCalls

/// The models whose sizes are known without their weights.
public enum KnownShapes {
  /// A row of models of growing size.
  public enum Family: String, Sendable, CaseIterable {
    /// Qwen3, 0.6B to 32B.
    case qwen3
    /// The dense hybrids of Qwen3.5, 0.8B to 27B.
    case qwen35 = "qwen3.5"
    /// The shipped models.
    case nano
  }

  /// The models of a family, smallest first.
  ///
  /// - Throws: `UserError` where the shipped models are not installed.
  public static func models(of family: Family) throws -> [ModelShape] {
    switch family {
    case .qwen3: Qwen3Family.models
    case .qwen35: try Qwen35.publishedShapes()
    case .nano: try NanoModels.names.map(shape)
    }
  }

  /// The sizes of a model: of the Qwen3 family by its short name, of Qwen3.5 by that of its repository, else from the `config.json` of its folder.
  ///
  /// - Throws: `ModelError` naming the file and key, or where the model was looked for; `CheckpointError` for weights
  ///   that cannot be read.
  public static func shape(of name: String) throws -> ModelShape {
    if let known = Qwen3Family.models.first(where: { $0.name == name.lowercased() }) {
      return known
    }
    if let known = try Qwen35.publishedShapes().first(where: { $0.name == name }) { return known }
    let folder = try ModelFolder.resolve(name)
    // Sizes need no weights; those that are there have to be such as can be read, or the plan could not be run.
    if folder.pathExtension == "gguf" || Checkpoint.holdsWeights(folder) {
      let checkpoint = try Checkpoint(directory: folder)
      _ = try checkpoint.quantization()
      return try ModelFamilies.standard.family(for: checkpoint.config)
        .memoryShape(named: ModelFolder.name(of: folder))
    }
    let file = folder.appendingPathComponent("config.json")
    let bytes: Data
    do throws(FileError) {
      bytes = try RegularFile.contents(of: file.path, atMost: 64 << 20)
    } catch {
      throw UserError("\(file.path): cannot be read: \(error.reason)")
    }
    let family = try ModelFamilies.standard.family(
      for: try JSONObject(parsing: [UInt8](bytes), file: file.path))
    return try family.memoryShape(named: ModelFolder.name(of: folder))
  }
}
