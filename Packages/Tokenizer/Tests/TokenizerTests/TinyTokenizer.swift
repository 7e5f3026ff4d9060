import Foundation

@testable import Tokenizer

/// Small `tokenizer.json` documents: the 256 bytes, a few merges, a few added tokens.
struct TinyTokenizer {
  var merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or"]
  var added = """
    {"id": 300, "content": "<|end|>", "special": true, "normalized": false},
    {"id": 301, "content": "<think>", "special": false, "normalized": false}
    """
  var normalizer = "null"
  var preTokenizer = """
    {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}
    """
  var postProcessor = "null"
  var decoder = #"{"type": "ByteLevel"}"#
  var modelFlags = ""

  /// The vocabulary: bytes at 0..<256, merged pieces from 256 on, the rest up to 299 spare.
  var pieces: [String] {
    var pieces = ByteAlphabet.scalars.compactMap { Unicode.Scalar($0).map { String($0) } }
    pieces += merges.map { $0.replacing(" ", with: "") }
    while pieces.count < 300 { pieces.append("spare\(pieces.count)") }
    return pieces
  }

  static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  var json: String {
    let vocabulary = pieces.enumerated().map { "\(Self.quoted($1)): \($0)" }
    return """
      {"version": "1.0", "added_tokens": [\(added)], "normalizer": \(normalizer),
      "pre_tokenizer": \(preTokenizer), "post_processor": \(postProcessor),
      "decoder": \(decoder),
      "model": {"type": "BPE", \(modelFlags) "vocab": {\(vocabulary.joined(separator: ", "))},
      "merges": [\(merges.map(Self.quoted).joined(separator: ", "))]}}
      """
  }

  func load() throws(TokenizerError) -> TextTokenizer {
    try TextTokenizer(json: json)
  }
}

extension TextTokenizer {
  /// A tokenizer from the text of a `tokenizer.json`.
  init(json: String) throws(TokenizerError) {
    try self.init(
      try TokenizerJSON.read(Array(json.utf8), file: "tokenizer.json"),
      configuration: TokenizerConfiguration())
  }
}

/// A folder with the given files that is removed when the value goes away.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  init(_ files: [String: Data] = [:]) throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    for (name, data) in files { try data.write(to: url.appendingPathComponent(name)) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// A small generator with a fixed seed, for property tests.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

/// Random texts that mix scripts, spaces, digits and oddities.
enum RandomText {
  private static let alphabets: [[Unicode.Scalar]] = [
    "abcXYZ '", " \t\n\r\u{0B}\u{85}\u{A0}\u{3000}", "0129²Ⅷ٣", "'sStTrReEvVmMlLdD\u{17F}",
    "éöß\u{301}\u{323}\u{304}", "漢字かな，。", "가각\u{1100}\u{1161}\u{11A8}", "😀👍🏽\u{200D}",
    "\u{344}\u{958}\u{212B}\u{F900}\u{2F800}\u{1D15E}", "_-+.,!?<|>▁Ġ",
  ].map { Array($0.unicodeScalars) }

  static func make(_ generator: inout SeededGenerator) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let alphabet = alphabets.randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        text.append(alphabet.randomElement(using: &generator) ?? " ")
      }
    }
    return String(text)
  }
}
