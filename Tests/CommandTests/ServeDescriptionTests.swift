import Foundation
import Testing

/// What a server publishes of itself at `/openapi.json`.
@Suite struct ServeDescriptionTests {
  // What the published description allows is taken, what it forbids is refused: null stands for an absent field, not for one
  // that has to be there, and one of three fields says what to tokenize.
  @Test func theDescriptionIsTrue() throws {
    let server = try TestServer()
    let description = try server.get("/openapi.json").json
    func schema(_ path: String) throws -> [String: Any] {
      let operation = ((description["paths"] as? [String: Any])?[path] as? [String: Any])?["post"]
      let body = (operation as? [String: Any])?["requestBody"] as? [String: Any]
      let content = (body?["content"] as? [String: Any])?["application/json"] as? [String: Any]
      return try #require(content?["schema"] as? [String: Any])
    }
    let chat = try schema("/v1/chat/completions")
    let fields = try #require(chat["properties"] as? [String: [String: Any]])
    let optional = fields.filter { $0.key != "messages" }
    #expect(
      optional.allSatisfy { _, field in
        field["nullable"] as? Bool == true
          || (field["oneOf"] as? [[String: Any]])?.first?["nullable"] as? Bool == true
      })
    #expect(fields["messages"]?["nullable"] == nil)
    // Which turns may have no content is what each of them is answered with.
    let turns = try #require(
      (fields["messages"]?["items"] as? [String: Any])?["oneOf"] as? [[String: Any]])
    for turn in turns {
      let members = try #require(turn["properties"] as? [String: [String: Any]])
      let content = (members["content"]?["oneOf"] as? [[String: Any]])?.first
      let mayBeNull = content?["nullable"] as? Bool == true
      for role in try #require(members["role"]?["enum"] as? [String]) {
        let said = ["role": role, "content": NSNull()] as [String: Any]
        let status = try server.post("/tokenize", ["messages": ServeTests.user + [said]]).status
        #expect(status == (mayBeNull ? 200 : 400), "\(role)")
      }
    }
    let nulls = optional.mapValues { _ in NSNull() as Any }
    let reply = try server.post(
      "/v1/chat/completions",
      ServeTests.chat(nulls).merging(["max_tokens": 4, "seed": 1]) { _, given in given })
    #expect(reply.status == 200, "\(reply.text)")
    let either = try #require(try schema("/tokenize")["anyOf"] as? [[String: [String]]])
    #expect(either.compactMap { $0["required"]?.first } == ["prompt", "content", "messages"])
    #expect(try server.post("/tokenize", [:]).status == 400)
  }

  /// Roles that only this model's template knows are published, and taken.
  @Test func theDescriptionNamesTheTemplatesRoles() throws {
    let folder = try TemporaryFolder()
    let model = try ModelCopy(in: folder)
    try """
    {% for message in messages %}{% if message.role == 'ipython' %}It printed:{% endif %}{{ message.content }}
    {% endfor %}
    """.write(
      to: model.folder.appending(path: "chat_template.jinja"), atomically: true, encoding: .utf8)
    let server = try TestServer(model: model.path)
    let text = try server.get("/openapi.json").text
    #expect(text.contains(#""ipython""#))
    for (role, status) in [("ipython", 200), ("jupyter", 400)] {
      let said = ["role": role, "content": "5"]
      #expect(try server.post("/tokenize", ["messages": ServeTests.user + [said]]).status == status)
    }
  }
}
