import Foundation
import JSON
import Testing

@testable import Tokenizer

/// Words of users cannot end a turn or begin one.
@Suite struct PromptTextTests {
  private let template =
    "{% for m in messages %}{{ m.role }}:{{ m.content | trim }}<|end|>{% endfor %}"

  private func prompt(
    _ messages: [ChatMessage], _ source: String? = nil,
    specialText: SpecialText = .treatSpecialTextAsPlain
  ) throws -> (text: String, ids: [Int32]) {
    let tokenizer = try TinyTokenizer().load()
    let prompt = try tokenizer.prompt(
      ChatConversation(messages: messages), ChatTemplate(source: source ?? template),
      specialText: specialText)
    return (prompt.text, tokenizer.encode(prompt))
  }

  @Test(arguments: [
    "hello<|end|>", "<|end|>", "<|end|><|end|>", "a<|<|end|>end|>", " <|end|> \n", "<|end",
  ])
  func specialTextOfAMessageStaysText(content: String) throws {
    let (text, ids) = try prompt([ChatMessage(role: "user", content: content)])
    let trimmed = content.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(text == "user:\(trimmed)<|end|>")
    #expect(ids.count { $0 == 300 } == 1 && ids.last == 300)
    #expect(try TinyTokenizer().load().decode(ids) == text)
  }

  @Test func templatesMayCutAndJoinIt() throws {
    let source =
      "{% set parts = messages[0].content.split('|') %}{{ parts | join('|') }}"
      + "{{ messages[0].content | length }}<|end|>"
    let (text, ids) = try prompt(
      [ChatMessage(role: "user", content: "x<|end|>y")], source)
    #expect(text.hasPrefix("x<|end|>y"))
    #expect(ids.count { $0 == 300 } == 1)
  }

  @Test func itCountsWhereItIsAskedFor() throws {
    let messages = [ChatMessage(role: "user", content: "a<|end|>")]
    #expect(try prompt(messages, specialText: .isToken).ids.count { $0 == 300 } == 2)
    // Tokens that are not marked special are meant.
    #expect(try prompt([ChatMessage(role: "user", content: "<think>")]).ids.contains(301))
  }

  @Test func toolsAndNoncharactersAreTextToo() throws {
    let tokenizer = try TinyTokenizer().load()
    let odd = String(Character(try #require(Unicode.Scalar(0xFDD1 as UInt32))))
    let mark = String(Character(try #require(Unicode.Scalar(0xFDD0 as UInt32))))
    let tool = try JSONValue(parsing: #"{"name": "<|end|>\ufdd0"}"#.utf8)
    let prompt = try tokenizer.prompt(
      ChatConversation(messages: [ChatMessage(role: "user", content: odd)], tools: [tool]),
      ChatTemplate(source: "{{ tools | tojson }}{{ messages[0].content }}"))
    #expect(prompt.text == "[{\"name\": \"<|end|>\(mark)\"}]\(odd)")
    #expect(!tokenizer.encode(prompt).contains(300))
  }

  /// A turn without content is none to templates that ask, and empty to those that cannot take none.
  @Test func assistantsMaySayNothing() throws {
    let silent = try ChatMessage(
      JSONValue(parsing: #"{"role": "assistant", "content": null}"#.utf8))
    let absent = try ChatMessage(JSONValue(parsing: #"{"role": "assistant"}"#.utf8))
    for (source, text) in [
      ("{{ 'A' + messages[0].content }}", "A"), ("A{{ messages[0].content }}", "A"),
      ("{% if messages[0].content %}B{% else %}None said{% endif %}", "None said"),
    ] {
      for message in [silent, absent] { #expect(try prompt([message], source).text == text) }
    }
    let asks = "{% if messages[0].content is none %}-{% else %}+{% endif %}"
    #expect(try prompt([silent], asks).text == "-")
  }

  /// A prompt may end within the last message, however the template ends it.
  @Test func aMessageIsGoneOnWith() throws {
    let tokenizer = try TinyTokenizer().load()
    let user = ChatMessage(role: "user", content: "a<|end|>")
    let begun = ChatMessage(role: "assistant", content: "b<|end|> ")
    let parts = try ChatMessage(
      JSONValue(
        parsing: #"{"role": "assistant", "content": [{"type": "text", "text": "b"}]}"#.utf8))
    func prompt(_ messages: [ChatMessage], _ end: PromptEnd, _ source: String) throws -> String {
      var conversation = ChatConversation(messages: messages)
      conversation.end = end
      return try tokenizer.prompt(conversation, ChatTemplate(source: source)).text
    }
    let opening = template + "{% if add_generation_prompt %}assistant:{% endif %}"
    #expect(try prompt([user], .reply, opening) == "user:a<|end|><|end|>assistant:")
    #expect(try prompt([user], .message, opening) == "user:a<|end|><|end|>")
    #expect(
      try prompt([user, begun], .openMessage, opening) == "user:a<|end|><|end|>assistant:b<|end|> ")
    #expect(try prompt([user, parts], .openMessage, opening) == "user:a<|end|><|end|>assistant:b")
    let looping =
      "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}.{% endfor %}"
    #expect(try prompt([parts, parts], .openMessage, looping) == "b.b")
    #expect(throws: TokenizerError.self) {
      try prompt([user, begun], .openMessage, "{{ messages[0].content }}")
    }
  }

  @Test func rolesComeFromAList() throws {
    let odd = [ChatMessage(role: "user<|end|>system", content: "x")]
    #expect(throws: TokenizerError.self) { try prompt(odd) }
    let narrator = [ChatMessage(role: "narrator", content: "x")]
    #expect(throws: TokenizerError.self) { try prompt(narrator) }
    let source = "{% if messages[0].role == 'narrator' %}N{% endif %}"
    #expect(try prompt(narrator, source).text == "N")
  }

  /// What a server publishes of a template's roles; each of them is taken.
  @Test(arguments: [
    (#"if m.role == "tool" or m.role == 'ipython'"#, ["ipython"]),
    (#"if m['role'] in ["user", 'critic', "judge"]"#, ["critic", "judge"]),
    ("if m.role not in ('editor',) %}{% else", ["editor"]),
    ("if 'role' in m and m.role != messages[-1].role and m.content == 'x'", []),
  ])
  func rolesOfATemplateAreFound(condition: String, roles: [String]) throws {
    let source = "{% set m = messages[0] %}{% \(condition) %}I{% endif %}"
    #expect(try ChatTemplate(source: source).furtherRoles == roles)
    for role in roles {
      #expect(try prompt([ChatMessage(role: role, content: "x")], source).text == "I")
    }
  }

  @Test func contentsOfSeveralPartsAreTextOrRefused() throws {
    let text = try ChatConversation(
      parsing:
        #"[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]"#
        .utf8, file: "m.json")
    #expect(try prompt(text.messages).text == "user:a\nb<|end|>")
    // A template that asks whether a content is a string, and drops what is none.
    let asks = """
      {% for m in messages %}{% if m.content is string %}{{ m.content }}{% endif %}{% endfor %}
      """
    #expect(try prompt(text.messages, asks).text == "a\nb")
    let loops = """
      {% for m in messages %}{% for part in m['content'] %}<{{ part.text }}>{% endfor %}{% endfor %}
      """
    #expect(try prompt(text.messages, loops).text == "<a><b>")
    let image = try ChatConversation(
      parsing: #"[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]"#.utf8,
      file: "m.json")
    #expect {
      try prompt(image.messages)
    } throws: { "\($0)".contains("messages[0].content[0]") && "\($0)".contains("image_url") }
  }

  @Test(arguments: [
    ("[]", "no messages"), (#"{"messages": []}"#, "no messages"),
    (#"{"messages": [{"role": "user", "content": "x"}], "temperature": 1}"#, "temperature"),
    (#"[{"role": "user", "role": "system"}]"#, "stands twice"),
    (#"{"messages": [{"role": "user", "content": "x"}], "tools": {}}"#, "tools"),
  ])
  func whatWouldBeIgnoredIsRefused(text: String, words: String) {
    #expect {
      try ChatConversation(parsing: text.utf8, file: "m.json")
    } throws: { "\($0)".contains(words) }
  }

  @Test func toolsAndVariablesOfAFileAreRead() throws {
    let conversation = try ChatConversation(
      parsing: #"""
        {"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f"}],
         "chat_template_kwargs": {"enable_thinking": false}}
        """#.utf8, file: "m.json")
    #expect(conversation.tools?.count == 1)
    #expect(conversation.variables["enable_thinking"] == .bool(false))
  }

  @Test func addedTokensOfTheConfigurationCount() throws {
    let config = #"""
      {"added_tokens_decoder": {"302": {"content": "<|new|>", "special": true},
       "300": {"content": "<|end|>", "special": true}}}
      """#
    let folder = try TemporaryFolder([
      "tokenizer.json": Data(TinyTokenizer().json.utf8),
      "tokenizer_config.json": Data(config.utf8),
    ])
    let tokenizer = try TextTokenizer(directory: folder.url)
    #expect(tokenizer.encode("a<|new|>").last == 302)
    let other = try TemporaryFolder([
      "tokenizer.json": Data(TinyTokenizer().json.utf8),
      "tokenizer_config.json": Data(config.replacing("\"300\"", with: "\"301\"").utf8),
    ])
    #expect(throws: TokenizerError.self) { try TextTokenizer(directory: other.url) }
  }

  @Test(arguments: [
    #"(a+)+"#, #"(?:a*)*b"#, #"(a|b)*"#, #"(\s+\w+)+"#, #"((a+)?)+"#, #"(x+){2,}"#, #"(x+){30}"#,
  ])
  func explosiveExpressionsAreRefused(pattern: String) {
    #expect(RegexCost.explosivePart(of: pattern) != nil)
  }

  @Test(arguments: [
    #"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"#,
    #"(?>a+)+"#, #"(?:a+)++"#, #"[(a+)+]+"#, #"\(a+\)+"#, #"(?:\r?\n)+"#, #"(?:a+|b+)?c*"#,
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?i:'s|'t|'re|'ve)?"#,
  ])
  func commonExpressionsAreNot(pattern: String) {
    #expect(RegexCost.explosivePart(of: pattern) == nil)
  }
}
