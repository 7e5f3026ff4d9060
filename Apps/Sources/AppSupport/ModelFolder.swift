import Foundation
import ModelHub
import ModelLoader
import NanoModels
import Tokenizer

/// Finds the folder of a model.
public enum ModelFolder {
  /// The folder or GGUF file that a name or path stands for: a nano model, a path, a short name
  /// such as 4b, or a repository in the Hugging Face cache.
  ///
  /// - Parameters:
  ///   - name: as the user gave it.
  ///   - use: when what is absent may be fetched.
  /// - Returns: the folder or file.
  /// - Throws: `HubError.unknownModel` saying where it was looked for and how to get it, or why it
  ///   could not be fetched.
  public static func resolve(_ name: String, _ use: HubUse = .never) throws -> URL {
    if let folder = NanoModels.directory(of: name, in: Resources.search) { return folder }
    if NanoModels.family(of: name) != nil {
      let places = NanoModels.searchedFolders(in: Resources.search).map(\.path).joined(
        separator: ", ")
      throw HubError.unknownModel(
        name: name, advice: "The nano models were expected in one of: \(places)")
    }
    let names = NanoModels.families.flatMap(\.names)
    if let shipped = names.first(where: { $0 == name.lowercased() }), shipped != name,
      !isFolder(name)
    {
      return try resolve(shipped, use)
    }
    // Any folder that exists is meant as a path: one with tokenizer files alone can be looked at
    // too.
    if isFolder(name) { return URL(fileURLWithPath: name) }
    // A file is one of GGUF, or a mistake that opening it tells.
    if FileManager.default.fileExists(atPath: name) || name.hasSuffix(".gguf") {
      return URL(fileURLWithPath: name)
    }
    if name.lowercased().hasPrefix("nano"), !name.contains("/"), !isFolder(name) {
      throw HubError.unknownModel(
        name: name, advice: "Those that ship are nano and \(names.joined(separator: ", ")).")
    }
    do throws(HubError) {
      return try locator.locate(name)
    } catch {
      guard let (repository, settings) = try leave(toFetch: name, after: error, use) else {
        throw error
      }
      try Hub.fetch(repository, settings)
      return try locator.locate(name)
    }
  }

  /// The folder with the `config.json` of a model, or a GGUF file. Of a model that is absent only
  /// this file is fetched.
  ///
  /// - Throws: as `resolve`.
  static func configuration(of name: String, _ use: HubUse) throws -> URL {
    do {
      return try resolve(name)
    } catch let error as HubError {
      // Of one that is here in part it may be here.
      if let repository = try? locator.repository(of: name),
        let folder = try? Hub.cache.snapshot(of: repository),
        FileManager.default.fileExists(atPath: folder.path + "/config.json")
      {
        return folder
      }
      guard let (repository, settings) = try leave(toFetch: name, after: error, use) else {
        throw error
      }
      return try Hub.fetch(repository, settings) { (listing) throws(HubError) in
        repository.variant == nil
          ? try FileChoice.matching(["config.json"], in: listing) : try FileChoice.model(listing)
      }
    }
  }

  /// The repository that a name stands for.
  ///
  /// - Throws: `UserError` for a model that ships, `HubError.unknownModel` for other words.
  public static func repository(
    of name: String, _ locator: ModelLocator
  ) throws -> RepositoryName {
    if NanoModels.family(of: name) != nil {
      throw UserError("\(name) ships with \(Program.name): it is neither fetched nor removed")
    }
    return try locator.repository(of: name)
  }

  private static var locator: ModelLocator {
    ModelLocator(cache: Hub.cache, pull: Program.pasted("pull"))
  }

  /// What is to be fetched after `error`, if that helps and may be done.
  private static func leave(
    toFetch name: String, after error: HubError, _ use: HubUse
  ) throws -> (RepositoryName, HubSettings)? {
    guard use != .never, isAbsence(error), let repository = try? locator.repository(of: name)
    else { return nil }
    let settings = try Hub.settings(use)
    return use == .always || Hub.isAllowed(repository, settings) ? (repository, settings) : nil
  }

  /// Whether fetching helps.
  private static func isAbsence(_ error: HubError) -> Bool {
    switch error {
    case .unknownModel, .incomplete: true
    default: false
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The tokenizer's files of the model that a name or path stands for; a folder need not hold any
  /// weights.
  ///
  /// - Throws: as `resolve`, or what is wrong with a GGUF file.
  public static func files(of name: String, _ use: HubUse = .never) throws -> ModelFiles {
    let place = try resolve(name, use)
    return isFolder(place.path)
      ? ModelFiles(directory: place) : try Checkpoint(directory: place).modelFiles
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
