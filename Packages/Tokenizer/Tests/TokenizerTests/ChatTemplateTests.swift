import Foundation
import Testing

@testable import Tokenizer

@Suite struct ChatTemplateTests {
  private func render(
    _ source: String, _ variables: [String: TemplateValue] = [:], now: Date = Date()
  ) throws -> String {
    try ChatTemplate(source: source, specialTokens: ["bos_token": "<s>"]).render(
      messages: [ChatMessage(role: "user", content: " Hi ")], addGenerationPrompt: true,
      variables: variables, now: now)
  }

  @Test(arguments: [
    ("{{ bos_token }}{{ messages[0].content | trim }}{{ tools is none }}", "<s>HiTrue"),
    ("{{ messages[0]['role'] ~ messages[0].nothing }}", "user"),
    (
      "{{ [1, 2.0, 'é\\n', none, {'k': [true]}] | tojson }}",
      #"[1, 2.0, "é\n", null, {"k": [true]}]"#
    ),
    ("{{ {'b': 1, 'a': []} | tojson(indent=2) }}", "{\n  \"b\": 1,\n  \"a\": []\n}"),
    (
      "{{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 7 // -2 }} {{ -7 % 3 }}",
      "1e+16 1e-05 0.30000000000000004 -4 2"
    ),
    ("{{ 'abc'[::-1] }}{{ 'abc'[-2:] }}{{ [1,2,3][1:] }}", "cbabc[2, 3]"),
    ("{% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{% endfor %}{{ x }}", "1"),
    (
      "{% set n = namespace(c=0) %}{% for i in [1,2] %}{% set n.c = n.c + i %}{% endfor %}{{ n.c }}",
      "3"
    ),
    ("{% for k, v in {'a': 1} | items %}{{ k }}{{ v }}{{ loop.last }}{% endfor %}", "a1True"),
    ("{% macro m(a, b='z') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}", "1z12"),
    ("{{ 'a' if false }}{{ not x is defined }}{{ 'a</t>b'.split('</t>')[-1] }}", "Trueb"),
    ("{{ ['x', 'y'] | reject('equalto', 'x') | join(', ') }}", "y"),
    ("  {% if true %}\n    a\n  {% endif %}\nb\n", "    a\nb"),
    ("a {%- if true -%} b {%- endif %} c", "ab c"),
    ("{% raw %}{{ x }}{% endraw %}{# gone #}", "{{ x }}"),
    ("{{ 'e\u{301}' == 'é' }}{{ 'e\u{301}' | length }}", "False2"),
    ("{{ {'x': 1}}}", "{'x': 1}"), ("{{ \"it's\" }}{{ [\"it's\"] }}", "it's[\"it's\"]"),
  ])
  func expressions(source: String, expected: String) throws {
    #expect(try render(source) == expected)
  }

  @Test func theClockIsAnArgument() throws {
    let noon = try #require(
      Calendar(identifier: .gregorian).date(
        from: DateComponents(year: 2024, month: 7, day: 5, hour: 13, minute: 4)))
    #expect(
      try render("{{ strftime_now('%d %b %Y %H:%M %p %-d') }}", now: noon)
        == "05 Jul 2024 13:04 PM 5")
  }

  @Test(arguments: [
    ("{% if %}", 1), ("\n\n{{ a b }}", 3), ("{% endif %}", 1), ("{{ 'abc }}", 1), ("x\n{{", 2),
    ("{% if true %}", 1), ("{{ (1 }}", 1), ("{% wat %}", 1), ("{{ 99999999999999999999 }}", 1),
  ])
  func syntaxErrorsNameTheLine(source: String, line: Int) {
    #expect {
      try ChatTemplate(source: source)
    } throws: { error in
      guard case .templateSyntax(line, _) = error as? TokenizerError else { return false }
      return true
    }
  }

  @Test(arguments: [
    "{{ nothing.member }}", "{{ 1 + 'a' }}", "{{ 1 // 0 }}", "{{ x() }}", "{{ 'a' | wat }}",
    "{{ 1 is wat }}", "{{ nothing | tojson }}", "{% for a, b in [1] %}{% endfor %}",
    "{{ 9223372036854775807 + 1 }}", "{{ (-9223372036854775807 - 1) // -1 }}",
    "{{ 'abc'[::0] }}", "{% set x.y = 1 %}", "{{ 'a'.split('') }}", "{{ strftime_now('%Q') }}",
  ])
  func failuresNameTheLine(source: String) {
    #expect {
      try render("\n" + source)
    } throws: { error in
      guard case .templateFailed(2, _) = error as? TokenizerError else { return false }
      return true
    }
  }

  @Test func theTemplateCanRefuse() {
    #expect(throws: TokenizerError.templateRaised(message: "no 1")) {
      try render("{{ raise_exception('no ' ~ 1) }}")
    }
  }

  /// Templates made to hang, to fill memory or to overflow the stack.
  @Test(
    .timeLimit(.minutes(3)),
    arguments: [
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% set n = namespace(s='xxxxxxxx') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
      "{{ 'x' * 9999999999 }}", "{{ 'x' | indent(9999999999, true) }}",
      "{{ 'xxxx'.replace('', 'y' * 99999999) }}", "{{ [1] | tojson(indent=9999999999) }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% set n = namespace(l=[]) %}{% for i in range(99999) %}{% set n.l = [n.l, n.l] %}{% endfor %}",
      "{% set n = namespace() %}{% set n.n = n %}",
      "{% set n = namespace(l=[1]) %}{% for i in range(100) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}",
      "{{ range(100001) }}", "{{ 2 ** 999999999 }}",
      "{% set s = 'a' * 9999999 %}{% for i in range(9999) %}{{ s in s ~ 'b' }}{% endfor %}",
      "{% set s = 'ab' * 999999 %}{{ s.split('ba' * 99999 ~ 'x') | length }}{{ s.split('ab' * 99999 ~ 'x') | length }}",
    ])
  func hostileTemplatesEnd(source: String) throws {
    #expect(throws: TokenizerError.self) { try render(source) }
  }

  @Test func deepSourceEndsInAnError() {
    for source in [
      "{{ " + String(repeating: "(", count: 100_000),
      "{{ " + String(repeating: "not ", count: 100_000),
      "{{ x" + String(repeating: "|trim", count: 100_000) + " }}",
      "{{ 1" + String(repeating: " + 1", count: 100_000) + " }}",
      String(repeating: "{% if true %}", count: 100_000),
      "{{ x" + String(repeating: ".a", count: 100_000) + " }}",
      "{{ " + String(repeating: "-", count: 100_000) + "1 }}",
    ] {
      #expect(throws: TokenizerError.self) { try ChatTemplate(source: source) }
    }
  }

  @Test func messagesKeepTheirOrderAndExtraMembers() throws {
    let text = #"[{"role": "assistant", "content": null, "tool_calls": [{"z": 1, "a": 2}]}]"#
    let messages = try ChatConversation(parsing: text.utf8, file: "m.json").messages
    #expect(messages[0].role == "assistant")
    #expect(messages[0].content == nil)
    let template = try ChatTemplate(source: "{{ messages[0].tool_calls | tojson }}")
    let prompt = try template.render(messages: messages, addGenerationPrompt: false)
    #expect(prompt == #"[{"z": 1, "a": 2}]"#)
  }

  @Test(arguments: [
    ("{}", "m.json"), ("[3]", "messages[0]"),
    (#"[{"role": "user", "content": ""}, {"content": ""}]"#, "messages[1]"),
    (#"[{"role": 1}]"#, "messages[0].role"),
    (#"[{"role": "user"}]"#, "m.json: messages[0].content: is missing"),
    (#"[{"role": "tool", "content": null}]"#, "m.json: messages[0].content: is missing"),
    (#"[{"role": "system", "content": null}]"#, "messages[0].content"),
    (#"[{"role": "assistant", "content": 5}]"#, "messages[0].content: expected a string"),
  ])
  func unusableMessagesAreNamed(text: String, key: String) {
    #expect {
      try ChatConversation(parsing: text.utf8, file: "m.json")
    } throws: { "\($0)".contains(key) }
  }

  @Test func foldersMayHoldTheTemplateInTwoPlaces() throws {
    let config = #"{"chat_template": "config {{ eos_token }}", "eos_token": "</s>"}"#
    func text(_ files: [String: String]) throws -> String {
      let folder = try TemporaryFolder(files.mapValues { Data($0.utf8) })
      return try ChatTemplate.load(directory: folder.url).render(
        messages: [], addGenerationPrompt: false)
    }
    #expect(try text(["tokenizer_config.json": config]) == "config </s>")
    #expect(
      try text(["tokenizer_config.json": config, "chat_template.jinja": "file {{ eos_token }}"])
        == "file </s>")
    let several =
      #"{"chat_template": [{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]}"#
    #expect(try text(["tokenizer_config.json": several]) == "d")
    #expect(throws: TokenizerError.self) { try text([:]) }
  }

  /// Most templates drop the words of roles that they do not know.
  @Test func developersSpeakAsTheSystemWhereTheTemplateKnowsNone() throws {
    let conversation = ChatConversation(messages: [
      ChatMessage(role: "developer", content: "Be brief."),
      ChatMessage(role: "user", content: "Hi"),
    ])
    let roles = { try conversation.prepared(for: $0).messages.map(\.role) }
    #expect(try roles("{% if message.role == 'system' %}") == ["system", "user"])
    #expect(try roles("{% if message.role in ['developer', 'system'] %}") == ["developer", "user"])
  }

  @Test(arguments: [
    (
      "tokenizer_config.json", #"{"chat_template": 5}"#,
      "chat_template: expected a string, or a list of templates with names, found a number"
    ),
    ("tokenizer_config.json", #"{"chat_template": ["x"]}"#, "chat_template[0]"),
    ("tokenizer_config.json", #"{"chat_template": "a\n{% if %}"}"#, "chat template, line 2"),
    ("chat_template.json", #"{"chat_template": true}"#, "chat_template: expected a string"),
    ("chat_template.jinja", "{{", "chat template, line 1"),
    ("tokenizer_config.json", #"{"chat_template": ""}"#, "writes nothing"),
    ("chat_template.jinja", "\n{# nothing #} ", "writes nothing"),
    ("chat_template.json", #"{"chat_template": "{% if false %}x{% endif %}"}"#, "writes nothing"),
  ])
  func faultsNameTheFile(file: String, contents: String, fault: String) throws {
    let folder = try TemporaryFolder([file: Data(contents.utf8)])
    let conversation = ChatConversation(messages: [ChatMessage(role: "user", content: "Hello")])
    for specialText in [SpecialText.isToken, .treatSpecialTextAsPlain] {
      #expect {
        let template = try ChatTemplate.load(directory: folder.url)
        _ = try TinyTokenizer().load().prompt(conversation, template, specialText: specialText)
      } throws: {
        "\($0)".contains("/\(file): ") && "\($0)".contains(fault)
      }
    }
  }
}
