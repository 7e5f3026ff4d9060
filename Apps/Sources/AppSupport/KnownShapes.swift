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
    /// Qwen3: dense, 0.6B to 32B, and with experts, 30B-A3B and 235B-A22B.
    case qwen3
    /// The hybrids of Qwen3.5: dense, 0.8B to 27B, and with experts, 35B-A3B.
    case qwen35 = "qwen3.5"
    /// The shipped models, first family.
    case nano
    /// The second family of shipped models.
    case nano2
  }

  /// The models of a family, smallest first.
  ///
  /// - Throws: `UserError` where the shipped models are not installed.
  public static func models(of family: Family) throws -> [ModelShape] {
    switch family {
    case .qwen3: qwen3
    case .qwen35: try Qwen35.publishedSizes.map { try Qwen35.shape(of: $0) }
    case .nano: try NanoModels.first.names.map { try shape(of: $0) }
    case .nano2: try NanoModels.second.names.map { try shape(of: $0) }
    }
  }

  private static let qwen3 = (Qwen3Family.models + Qwen3Family.mixtures).sorted {
    $0.parameters < $1.parameters
  }

  /// The models of the family of a model, which have its tokens and may draft for it; none where
  /// that is not known.
  ///
  /// - Throws: `UserError` where the shipped models are not installed.
  public static func drafts(for name: String) throws -> [ModelShape] {
    if qwen3.contains(where: { $0.name == name }) { return qwen3 }
    return try NanoModels.family(of: name)?.names.map { try shape(of: $0) } ?? []
  }

  /// The sizes of a model: of the Qwen3 family by its short name, of Qwen3.5 by that of its
  /// repository, else from the `config.json` of its folder. Of a model that is fetched, nothing
  /// else is.
  ///
  /// - Throws: `ModelError` naming the file and key, or where the model was looked for;
  ///   `CheckpointError` for weights that cannot be read.
  public static func shape(of name: String, _ use: HubUse = .never) throws -> ModelShape {
    if let known = qwen3.first(where: { $0.name == name.lowercased() }) {
      return known
    }
    if let sizes = Qwen35.publishedSizes.first(where: { $0.name == name }) {
      return try Qwen35.shape(of: sizes)
    }
    let folder = try ModelFolder.configuration(of: name, use)
    // Sizes need no weights; those that are there have to be such as can be read, or the plan could
    // not be run.
    if folder.pathExtension == "gguf" || Checkpoint.holdsWeights(folder) {
      let checkpoint = try Checkpoint(directory: folder)
      _ = try checkpoint.quantization()
      return try Known.families.family(for: checkpoint.config)
        .memoryShape(named: ModelFolder.name(of: folder))
    }
    let file = folder.appendingPathComponent("config.json")
    let bytes: Data
    do throws(FileError) {
      bytes = try RegularFile.contents(of: file.path, atMost: 64 << 20)
    } catch {
      throw UserError("\(file.path): cannot be read: \(error.reason)")
    }
    let family = try Known.families.family(
      for: try JSONObject(parsing: [UInt8](bytes), file: file.path))
    return try family.memoryShape(named: ModelFolder.name(of: folder))
  }
}
