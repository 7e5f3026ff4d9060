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
    let configuration = try TokenizerConfiguration(directory: directory)
    try self.init(
      try Self.parts(directory: directory, configuration), configuration: configuration)
  }

  private static func parts(directory: URL, _ configuration: TokenizerConfiguration)
    throws(TokenizerError) -> TokenizerParts
  {
    if let bytes = try FileAccess.read("tokenizer.json", in: directory) {
      return try TokenizerJSON.read(
        bytes, file: FileAccess.path("tokenizer.json", in: directory))
    }
    throw .missingFile(
      directory: directory.path,
      expected: ["tokenizer.json", "vocab.json with merges.txt", "tokenizer.model"])
  }
}
