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
    var configuration = try TokenizerConfiguration(directory: directory)
    let parts = try Self.parts(directory: directory, &configuration)
    try self.init(parts, configuration: configuration)
  }

  private static func parts(directory: URL, _ configuration: inout TokenizerConfiguration)
    throws(TokenizerError) -> TokenizerParts
  {
    if let bytes = try FileAccess.read("tokenizer.json", in: directory) {
      let parts = try TokenizerJSON.read(
        bytes, file: FileAccess.path("tokenizer.json", in: directory))
      return try parts.adding(
        configuration.addedTokens, file: FileAccess.path("tokenizer_config.json", in: directory))
    }
    if let vocabulary = try FileAccess.read("vocab.json", in: directory) {
      guard let merges = try FileAccess.read("merges.txt", in: directory) else {
        throw .missingFile(directory: directory.path, expected: ["merges.txt"])
      }
      return try VocabularyFiles.read(
        vocabulary: vocabulary, file: FileAccess.path("vocab.json", in: directory),
        merges: merges, mergesFile: FileAccess.path("merges.txt", in: directory), configuration)
    }
    if let bytes = try FileAccess.read("tokenizer.model", in: directory) {
      let file = FileAccess.path("tokenizer.model", in: directory)
      guard RankFile.isRankFile(bytes) else {
        throw .unsupported(file: file, key: "format", value: "SentencePiece without tokenizer.json")
      }
      return try RankFile.read(bytes, file: file, &configuration)
    }
    throw .missingFile(
      directory: directory.path,
      expected: ["tokenizer.json", "vocab.json with merges.txt", "tokenizer.model"])
  }
}
