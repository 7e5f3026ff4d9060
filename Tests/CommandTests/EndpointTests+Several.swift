import Foundation
import Testing

/// Several replies to one question, which endpoints may give together.
extension EndpointTests {
  /// An endpoint that gives `n` replies where `most` allows so many, and numbers them by their seeds.
  private func several(most: Int, status: Int? = 400) throws -> StubEndpoint {
    try StubEndpoint { request in
      if request.path == "/v1/models" { return .body(Self.models) }
      let (count, seed) = (request.field("n") as? Int ?? 0, request.field("seed") as? Int ?? -1)
      if count > most, let status { return .body(#"{"error": "n is too high"}"#, status: status) }
      let choices = (0..<min(count, most)).reversed().map {
        #"{"index": \#($0), "message": {"content": "\\boxed{\#(seed + $0)}"}, "finish_reason": "stop"}"#
      }
      return .body(
        #"{"choices": [\#(choices.joined(separator: ", "))], "#
          + #""usage": {"prompt_tokens": 9, "completion_tokens": \#(5 * choices.count)}}"#)
    }
  }

  @Test func repliesToAQuestionAreAskedForTogetherWhereThatIsAnswered() throws {
    let flags = ["--samples", "12", "--limit", "2", "--batch"]
    var journals: [Journal] = []
    for (name, stub, batch, sizes) in [
      ("all", try several(most: 100), "16", [8, 4, 8, 4]),
      ("few", try several(most: 100), "3", [3, 3, 3, 3, 3, 3, 3, 3]),
      ("refused", try several(most: 1), "16", nil),
      ("ignored", try several(most: 1, status: nil), "16", nil),
      ("one", try several(most: 1), "1", Array(repeating: 1, count: 24)),
    ] as [(String, StubEndpoint, String, [Int]?)] {
      defer { stub.end() }
      let run = try run(
        "sums", "\(name).jsonl", ["--endpoint", stub.address] + flags + [batch])
      #expect(run.isSuccess, "\(run.errors)")
      let asked = stub.requests.compactMap { $0.field("n") as? Int }
      if let sizes {
        #expect(asked.sorted() == sizes.sorted())
      } else {
        // What was refused is asked for again, once.
        #expect(asked.count { $0 == 1 } == 24)
        #expect((1...4).contains(asked.count { $0 > 1 }))
        #expect(run.errors.components(separatedBy: "one by one").count == 2)
      }
      journals.append(try Journal(folder.text("\(name).jsonl")))
    }
    #expect(journals[0].samples.count == 24)
    #expect(journals[0].samples.allSatisfy { $0.contains("\"answerTokens\":5") })
    #expect(Set(journals[0].samples.map { $0.components(separatedBy: "boxed{").last }).count == 24)
    for other in journals { #expect(other == journals[0]) }
  }
}
