import AppSupport
import Foundation
import SystemCalls

/// What begins with a slash in a chat.
struct ChatCommand {
  private let name: String
  private let rest: String

  private static let all: [(name: String, usage: String, help: String)] = [
    (
      "think", "/think [N|free|none]",
      "think for at most N tokens, as long as the model likes, or not at all"
    ),
    ("kv", "/kv [POLICY]", "keep the KV cache as POLICY says, such as int4 or rkv:1024"),
    (
      "memory", "/memory [BYTES]", "hold everything within BYTES, such as 2GiB; alone: what is held"
    ),
    ("system", "/system [TEXT]", "set the system's message; alone: take it out"),
    ("save", "/save FILE", "write the conversation to a JSON file"),
    ("load", "/load FILE", "go on with a conversation from a file"),
    ("clear", "/clear", "forget the conversation, the system's message aside"),
    ("help", "/help", "this list"),
    ("quit", "/quit", "end"),
  ]

  /// - Throws: `UserError` for a word that is none of the commands.
  init(parsing line: String) throws {
    let words = line.dropFirst().split(separator: " ", maxSplits: 1)
    name = words.first.map(String.init) ?? ""
    rest = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
    let names = Self.all.map(\.name)
    guard names.contains(name) else {
      let ends = ["bye", "exit", "q"].contains(name)
      let hint = ends ? " /quit ends the chat." : Nearest.hint(for: name, among: names)
      throw UserError("there is no /\(name).\(hint) /help lists all")
    }
  }

  /// Does what was asked for; false where the chat ends.
  func run(_ session: inout ChatSession) throws -> Bool {
    switch name {
    case "quit": return false
    case "think": try think(&session)
    case "kv":
      if !rest.isEmpty { try session.setPolicy(rest) }
      Console.note("KV cache \(session.kv)")
    case "memory":
      if !rest.isEmpty { try session.setMemory(rest) }
      Console.note(
        "weights \(Text.bytes(session.loaded.decoder.weightBytes)), KV cache "
          + "\(Text.bytes(session.heldBytes)) of at most \(Text.bytes(session.kvByteBudget)), peak of the "
          + "process \(Text.bytes(ProcessMemory.peakBytes))")
    case "system": session.setSystem(rest)
    case "clear": session.clear()
    case "save": try save(session)
    case "load":
      try session.load(try file())
      Console.note("\(session.messages.count) messages")
    default:
      let rows = Self.all.map { [$0.usage, $0.help] }
      Console.note(Text.table(rows))
    }
    return true
  }

  private func think(_ session: inout ChatSession) throws {
    switch rest {
    case "": break
    case "free": session.thinkBudget = nil
    case "none": session.thinkBudget = 0
    default:
      guard let tokens = Int(rest), (0...1 << 30).contains(tokens) else {
        throw UserError("/think \(rest): expected a number of tokens, free or none")
      }
      session.thinkBudget = tokens
    }
    let budget = session.thinkBudget.map { $0 == 0 ? "none" : "at most \($0) tokens" }
    Console.note("thinking: \(budget ?? "free")")
  }

  private func file() throws -> String {
    if rest.isEmpty { throw UserError("/\(name) needs a file") }
    return rest
  }

  private func save(_ session: ChatSession) throws {
    let path = try file()
    do throws(FileError) {
      let file = try AtomicFile(path)
      try file.write(Data(session.json.utf8))
      try file.finish()
    } catch {
      throw UserError("\(path): cannot be written: \(error.reason)")
    }
    Console.note("\(session.messages.count) messages in \(path)")
  }
}
