import Foundation
import ModelLoader
import NanoModels
import Tokenizer

/// Finds the folder of a model.
public enum ModelFolder {
  /// The Hugging Face cache that the environment chooses.
  public static var hubCache: HubCache {
    HubCache(
      environment: ProcessInfo.processInfo.environment,
      home: URL(fileURLWithPath: NSHomeDirectory()))
  }

  /// The folder or GGUF file that a name or path stands for: a nano model, a path, a short name
  /// such as 4b, or a repository in the Hugging Face cache.
  ///
  /// - Throws: `CheckpointError.unknownModel` saying where it was looked for and how to get it.
  public static func resolve(_ name: String) throws -> URL {
    if let folder = NanoModels.directory(of: name, in: Resources.search) { return folder }
    if name == "nano" || NanoModels.names.contains(name) {
      let places = NanoModels.searchedFolders(in: Resources.search).map(\.path).joined(
        separator: ", ")
      throw CheckpointError.unknownModel(
        name: name, advice: "The nano models were expected in one of: \(places)")
    }
    // Any folder that exists is meant as a path: one with tokenizer files alone can be looked at
    // too.
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: name, isDirectory: &isFolder), isFolder.boolValue {
      return URL(fileURLWithPath: name)
    }
    // A file is one of GGUF, or a mistake that opening it tells.
    if FileManager.default.fileExists(atPath: name) || name.hasSuffix(".gguf") {
      return URL(fileURLWithPath: name)
    }
    return try ModelLocator(cache: hubCache).locate(name)
  }

  /// The tokenizer's files of the model that a name or path stands for; a folder need not hold any
  /// weights.
  ///
  /// - Throws: as `resolve`, or what is wrong with a GGUF file.
  public static func files(of name: String) throws -> ModelFiles {
    let place = try resolve(name)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder),
      isFolder.boolValue
    {
      return ModelFiles(directory: place)
    }
    return try Checkpoint(directory: place).modelFiles
  }

  /// What people call the model of a folder: the folder's name, or in the Hugging Face cache, whose
  /// folders are named after revisions (`models--org--name/snapshots/REVISION`), the repository's;
  /// of a GGUF file its name without the ending.
  public static func name(of folder: URL) -> String {
    let parts = folder.standardizedFileURL.pathComponents
    if parts.count >= 3, parts[parts.count - 2] == "snapshots" {
      let words = parts[parts.count - 3].components(separatedBy: "--")
      if words.count >= 2, words[0] == "models", let name = words.last, !name.isEmpty {
        return name
      }
    }
    let name = parts.last ?? folder.lastPathComponent
    return name.hasSuffix(".gguf") ? String(name.dropLast(5)) : name
  }
}
