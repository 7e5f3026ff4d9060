/// GGUF files by their quantization, as in `org/name:Q4_K_M`. Files are given by their paths inside
/// a repository.
enum GGUFVariant {
  /// Paths of GGUF files that hold weights: not those of the part of a model that sees.
  static func weights(_ paths: [String]) -> [String] {
    paths.filter { path in
      let name = (path.split(separator: "/").last ?? "").lowercased()
      return name.hasSuffix(".gguf") && !name.hasPrefix("mmproj") && !name.contains("imatrix")
    }
  }

  /// The variants that the names of files tell, sorted.
  static func names(_ paths: [String]) -> [String] {
    Set(paths.compactMap { name(of: $0) }).sorted()
  }

  /// The models that GGUF files hold: the first part of each, and its variant where there are
  /// several.
  static func models(_ paths: [String]) -> [(variant: String?, path: String)] {
    var first: [String: String] = [:]
    for path in weights(paths).sorted() where first[stem(of: path)] == nil {
      first[stem(of: path)] = path
    }
    return first.values.sorted().map { (first.count > 1 ? name(of: $0) : nil, $0) }
  }

  /// The files of a variant in their order: one, or all parts of one that is split. Without a
  /// variant, those of the only one that there is.
  ///
  /// - Throws: `HubError.noFiles` listing what there is.
  static func files(
    of variant: String?, among paths: [String], in repository: RepositoryName
  ) throws(HubError) -> [String] {
    let matching = paths.filter { path in
      guard let variant else { return true }
      return words(stem(of: path)).hasSuffix("-" + words(variant))
        || name(of: path)?.lowercased() == variant.lowercased()
    }
    let stems = Set(matching.map { stem(of: $0) }).sorted()
    guard stems.count != 1 else { return matching.sorted() }
    let known = names(paths).joined(separator: ", ")
    let named = variant.map { " of variant '\($0)'" } ?? ""
    throw .noFiles(
      repository: repository.path,
      reason: stems.isEmpty
        ? "it has no GGUF file\(named)" + (known.isEmpty ? "" : "; there are \(known)")
        : "it has several GGUF files\(named): \(stems.joined(separator: ", ")); "
          + "say which as \(repository.path):VARIANT")
  }

  /// A path without its ending and without the number of a part, `-00001-of-00003`.
  private static func stem(of path: String) -> String {
    let stem = String(path.dropLast(5))
    let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count > 3, parts[parts.count - 2] == "of",
      [parts[parts.count - 1], parts[parts.count - 3]].allSatisfy({
        $0.count == 5 && $0.allSatisfy(\.isNumber)
      })
    else { return stem }
    return parts.dropLast(3).joined(separator: "-")
  }

  /// In small letters, with one kind of mark between words.
  private static func words(_ text: String) -> String {
    String(text.lowercased().map { $0 == "." || $0 == "/" ? "-" : $0 })
  }

  /// What the last word of a name says, such as `Q4_K_M` or `BF16`.
  private static func name(of path: String) -> String? {
    guard let word = stem(of: path).split(whereSeparator: { "-./".contains($0) }).last?.uppercased()
    else { return nil }
    if ["F16", "F32", "BF16", "MXFP4"].contains(word) { return word }
    let isQuantized = ["Q", "IQ", "TQ"].contains { kind in
      word.hasPrefix(kind) && word.dropFirst(kind.count).first?.isNumber == true
    }
    return isQuantized && word.contains("_") ? word : nil
  }
}
