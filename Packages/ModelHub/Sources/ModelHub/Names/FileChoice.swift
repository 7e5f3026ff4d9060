/// Which files of a repository are needed.
public enum FileChoice {
  /// The files by which a model is run: configuration, tokenizer, templates and weights as
  /// safetensors, or the GGUF files of the variant that the name asks for.
  ///
  /// - Throws: `HubError.noFiles` saying what the repository has instead.
  public static func model(_ listing: HubListing) throws(HubError) -> [HubFile] {
    let gguf = GGUFVariant.weights(listing.files.map(\.path))
    if listing.repository.variant != nil {
      let paths = try GGUFVariant.files(
        of: listing.repository.variant, among: gguf, in: listing.repository)
      return listing.files.filter { paths.contains($0.path) }
    }
    let top = listing.files.filter(\.isAtTop)
    let weights = top.filter { isWeights($0.name) }
    guard !weights.isEmpty else {
      throw .noFiles(
        repository: listing.repository.path, reason: reason(listing.repository, top, gguf))
    }
    guard top.contains(where: { $0.name == "config.json" }) else {
      throw .noFiles(repository: listing.repository.path, reason: "it has no config.json")
    }
    return weights + top.filter { isCompanion($0) }
  }

  /// Files that match patterns in which `*` stands for any characters but `/`.
  ///
  /// - Throws: `HubError.noFiles` for a pattern that nothing matches.
  public static func matching(
    _ patterns: [String], in listing: HubListing
  ) throws(HubError) -> [HubFile] {
    var chosen: [HubFile] = []
    for pattern in patterns {
      let found = listing.files.filter { PathPattern.matches($0.path, pattern) }
      guard !found.isEmpty else {
        throw .noFiles(
          repository: listing.repository.path, reason: "it has no file '\(pattern)'")
      }
      chosen += found.filter { !chosen.contains($0) }
    }
    return chosen
  }

  /// Of the files by which a model is run those without which it cannot be: not tokenizer and
  /// templates, of which there are many forms.
  static func essential(_ listing: HubListing) throws(HubError) -> [HubFile] {
    try model(listing).filter { !isCompanion($0) || $0.name == "config.json" }
  }

  /// Weights in the forms that are read here; `consolidated` ones are the same again under other
  /// names.
  private static func isWeights(_ name: String) -> Bool {
    (name.hasSuffix(".safetensors") || name.hasSuffix(".safetensors.zst"))
      && !name.hasPrefix("consolidated") && !name.hasPrefix("adapter_")
  }

  /// Configuration, tokenizer and templates are small texts at the top.
  private static func isCompanion(_ file: HubFile) -> Bool {
    let name = file.name
    let isIndexOfOthers = name.hasSuffix(".bin.index.json") || name.hasPrefix("consolidated")
    return !name.hasPrefix(".") && !isIndexOfOthers && file.size <= 256 << 20
      && [".json", ".jinja", ".txt", ".model"].contains { name.hasSuffix($0) }
  }

  private static func reason(
    _ repository: RepositoryName, _ top: [HubFile], _ gguf: [String]
  ) -> String {
    let variants = GGUFVariant.names(gguf)
    if !variants.isEmpty {
      return "it has GGUF files; say which as \(repository.path):\(variants[0]) (there are "
        + variants.joined(separator: ", ") + ")"
    }
    let others = top.filter { $0.name.hasSuffix(".bin") || $0.name.hasSuffix(".pth") }
    return others.isEmpty
      ? "it has no safetensors or GGUF files"
      : "its weights are \(others[0].name), which holds Python objects and is not read; "
        + "look for a repository with safetensors"
  }
}

/// Patterns of paths.
enum PathPattern {
  /// Whether a path matches a pattern in which `*` stands for any characters but `/`.
  static func matches(_ path: String, _ pattern: String) -> Bool {
    let (parts, patterns) = (path.split(separator: "/"), pattern.split(separator: "/"))
    return parts.count == patterns.count
      && zip(parts, patterns).allSatisfy { isMatch(Array($0.utf8)[...], Array($1.utf8)[...]) }
  }

  private static func isMatch(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    // The last star is tried at later and later places; earlier ones never need to be.
    var (text, pattern) = (text, pattern)
    var star: (text: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>)?
    while !text.isEmpty {
      if pattern.first == UInt8(ascii: "*") {
        pattern = pattern.dropFirst()
        star = (text, pattern)
      } else if let first = pattern.first, first == text.first {
        (text, pattern) = (text.dropFirst(), pattern.dropFirst())
      } else if let last = star {
        star = (last.text.dropFirst(), last.pattern)
        (text, pattern) = (last.text.dropFirst(), last.pattern)
      } else {
        return false
      }
    }
    return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
