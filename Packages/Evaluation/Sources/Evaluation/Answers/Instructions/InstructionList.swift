import Foundation
import JSON

/// All instructions of a prompt, and how a reply follows them.
struct InstructionList {
  private let checks: [InstructionCheck?]

  /// Reads the instructions as an item's key holds them: a JSON list of `id` and `arguments`.
  init?(key: String) {
    guard let value = try? JSONValue(parsing: Data(key.utf8)), case .array(let elements) = value
    else { return nil }
    checks = elements.map { element in
      guard case .object(let object) = element, let name = object["id"]?.fieldText else {
        return nil
      }
      return InstructionCheck(name: name, arguments: object["arguments"] ?? .null)
    }
    if checks.isEmpty { return nil }
  }

  /// Names of instructions in a key that are not known or lack an argument.
  static func unknown(in names: [String], _ arguments: [JSONValue]) -> [String] {
    zip(names, arguments).filter { InstructionCheck(name: $0, arguments: $1) == nil }.map(\.0)
  }

  /// The grade of a reply: strictly as it stands, and loosely where marks and the first and last
  /// line, which often introduce and close a reply, may be taken off.
  ///
  /// Scores are whether all instructions are followed (`prompt_strict`, `prompt_loose`), the share
  /// of those that are (`instruction_strict`, `instruction_loose`), and how many there are
  /// (`instructions`), by which shares are weighted.
  func grade(_ reply: String) -> Grade {
    let variants = Self.variants(of: reply)
    let strict = checks.map { $0?.isFollowed(by: reply) ?? false }
    let loose = checks.map { check in
      variants.contains { check?.isFollowed(by: $0) ?? false }
    }
    let count = Double(checks.count)
    let followsAll = strict.allSatisfy(\.self)
    return Grade(
      extracted: strict.map { $0 ? "1" : "0" }.joined(), step: nil, correct: followsAll,
      scores: [
        Self.mainScore: followsAll ? 1 : 0,
        "prompt_loose": loose.allSatisfy(\.self) ? 1 : 0,
        "instruction_strict": Double(strict.count { $0 }) / count,
        "instruction_loose": Double(loose.count { $0 }) / count, Self.weight: count,
      ])
  }

  /// The score of strictly followed prompts.
  static let mainScore = "prompt_strict"

  /// The number of instructions, by which an item's shares count.
  static let weight = "instructions"

  private static func variants(of reply: String) -> [String] {
    let lines = reply.components(separatedBy: "\n")
    let cut = [
      lines.dropFirst().joined(separator: "\n").stripped,
      lines.dropLast().joined(separator: "\n").stripped,
      lines.dropFirst().dropLast().joined(separator: "\n").stripped,
    ]
    let all = [reply] + cut
    return all + all.map { $0.replacingOccurrences(of: "*", with: "") }
  }
}
