import Foundation

extension TextTokenizer {
  /// Loads the tokenizer of a model folder.
  ///
  /// Looks for `tokenizer.json`, then `vocab.json` with `merges.txt`, then `tokenizer.model`
  /// (tiktoken ranks); `tokenizer_config.json` adds the named tokens and the chat template.
  /// - Parameter directory: the model folder.
  /// - Throws: ``TokenizerError`` naming the file and the key for anything absent, malformed or
  ///   not supported.
  public init(directory: URL) throws(TokenizerError) {
    try self.init(files: ModelFiles(directory: directory))
  }

  /// Loads the tokenizer from a model's files, wherever they are.
  /// - Parameter files: as a folder has them.
  /// - Throws: as above.
  public init(files: ModelFiles) throws(TokenizerError) {
    var configuration = try TokenizerConfiguration(files: files)
    let parts = try Self.parts(files, &configuration)
    try self.init(parts, configuration: configuration)
  }

  /// The files one of which a model with a tokenizer has.
  public static let vocabularyFiles = ["tokenizer.json", "vocab.json", "tokenizer.model"]

  private static func parts(_ files: ModelFiles, _ configuration: inout TokenizerConfiguration)
    throws(TokenizerError) -> TokenizerParts
  {
    if let bytes = try files.read("tokenizer.json") {
      let parts = try TokenizerJSON.read(bytes, file: files.path("tokenizer.json"))
      let file = files.path("tokenizer_config.json")
      if configuration.addsPrefixSpace, parts.preTokenizer.isByteLevel,
        !parts.preTokenizer.addsPrefixSpace
      {
        configuration.unapplied.append("add_prefix_space, which tokenizer.json contradicts")
      }
      return try parts.adding(configuration.addedTokens, file: file)
        .addingNamed(in: configuration).surrounded(asIn: &configuration)
    }
    if let vocabulary = try files.read("vocab.json") {
      guard let merges = try files.read("merges.txt") else {
        throw .missingFile(directory: files.place, expected: ["merges.txt"])
      }
      return try VocabularyFiles.read(
        vocabulary: vocabulary, file: files.path("vocab.json"),
        merges: merges, mergesFile: files.path("merges.txt"), configuration)
    }
    if let bytes = try files.read("tokenizer.model") {
      let file = files.path("tokenizer.model")
      guard RankFile.isRankFile(bytes) else {
        throw .unsupported(file: file, key: "format", value: "SentencePiece without tokenizer.json")
      }
      return try RankFile.read(bytes, file: file, &configuration)
    }
    throw .missingFile(
      directory: files.place,
      expected: ["tokenizer.json", "vocab.json with merges.txt", "tokenizer.model"])
  }
}
