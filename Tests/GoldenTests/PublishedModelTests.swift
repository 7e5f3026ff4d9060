import DecoderModels
import Foundation
import ModelLoader
import Testing

/// Configurations of published models (`Tests/Goldens/published.jsonl`): each is served, with as many
/// weights as the model is known for, or refused by name with what works.
@Suite struct PublishedModelTests {
  struct Model: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    /// Billions of weights.
    let parameters: Double?
    /// What the refusal says.
    let refused: String?
    /// What a warning says is not followed.
    let unapplied: String?
    /// The line of the file.
    fileprivate var line: [UInt8] = []
    enum CodingKeys: CodingKey { case name, parameters, refused, unapplied }
    var testDescription: String { name }

    var config: JSONObject {
      get throws {
        try JSONObject(parsing: line, file: name + "/config.json").object("config")
      }
    }
  }

  static let all: [Model] = {
    let file = Goldens.committed.appendingPathComponent("published.jsonl")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      var model = try? JSONDecoder().decode(Model.self, from: Data(line.utf8))
      model?.line = Array(line.utf8)
      return model
    }
  }()

  @Test func theFileHoldsManyOfBothKinds() {
    #expect(Self.all.count { $0.parameters != nil } > 50)
    #expect(Self.all.count { $0.refused != nil } > 30)
  }

  @Test(arguments: all.filter { $0.refused == nil })
  func servedModelsHaveTheirSize(model: Model) throws {
    let config = try model.config
    let family = try ModelFamilies.standard.family(for: config)
    let shape = try family.memoryShape(named: model.name)
    let expected = try #require(model.parameters)
    #expect(abs(Double(shape.parameters) / 1e9 / expected - 1) < 0.002, "\(shape.parameters)")
    let unapplied = config.unappliedKeys.joined()
    #expect(model.unapplied.map(unapplied.contains) ?? unapplied.isEmpty, "\(unapplied)")
  }

  @Test(arguments: all.filter { $0.refused != nil })
  func othersAreRefusedByName(model: Model) throws {
    let config = try model.config
    let type = try config.string("model_type")
    #expect {
      try ModelFamilies.standard.family(for: config)
    } throws: { error in
      ["model_type \(type) is not supported", model.refused ?? "", "what works: Qwen3"]
        .allSatisfy("\(error)".contains)
    }
  }
}
