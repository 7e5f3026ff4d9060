/// A token that is looked for in the text itself, before anything else (`added_tokens`).
struct AddedToken: Sendable, Hashable {
  let content: String
  let id: Int32
  /// Skipped when decoding with special tokens left out.
  var isSpecial = false
  /// Looked for after normalization, in its normalized form.
  var isNormalized = false
  /// Swallows white space before it.
  var stripsLeft = false
  /// Swallows white space after it.
  var stripsRight = false
  /// Only found where no word character touches it.
  var isSingleWord = false
}

/// What text that spells a special token means.
public enum SpecialText: Sendable, Hashable {
  /// It is that token.
  case isToken
  /// It stays plain text: for the words of a user, who must not be able to end a turn. Added
  /// tokens that are not marked special (`<think>` in Qwen3) are still found.
  case treatSpecialTextAsPlain
}
