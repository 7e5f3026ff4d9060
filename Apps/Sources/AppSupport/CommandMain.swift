import ArgumentParser
import Foundation
import SystemCalls

/// An error whose text is meant for the user as it is.
public struct UserError: Error, CustomStringConvertible {
  /// The message.
  public let description: String

  /// An error with this message.
  public init(_ description: String) { self.description = description }
}

/// Wrong usage found after parsing: exits with 2 as parse errors do.
public struct UsageError: Error, CustomStringConvertible {
  /// The message.
  public let description: String

  /// An error with this message.
  public init(_ description: String) { self.description = description }
}

/// A command that would work for long if it began with nothing but its defaults.
public protocol CommandOfManyDefaults: ParsableCommand {
  /// What to say where it is called without a word.
  static var firstWords: String { get }
}

/// Runs a command and ends the process: 0 done, 1 failed, 2 wrong usage, 130 and 143 interrupted.
public func runCommand<Command: ParsableCommand>(
  _ type: Command.Type, _ arguments: [String], among all: [any ParsableCommand.Type] = []
) -> Never {
  Interrupts.install()
  do {
    try Interrupts.check()
    try armFault()
    try checkMemory()
    try InstructionSet.choose(ProcessInfo.processInfo.environment)
    let words = try Settings().applied(to: arguments, of: type, among: all)
    if words.isEmpty, let type = type as? any CommandOfManyDefaults.Type {
      throw UsageError(type.firstWords)
    }
    var command = try parsed(words, as: type)
    if let chosen = Swift.type(of: command) as? any CommandOfOtherWork.Type {
      // What stands in the settings is meant for whatever has a use for it.
      chosen.warn(ofIdleOptionsIn: try Settings.given(in: arguments, of: type))
    }
    let name = type.configuration.commandName?.split(separator: " ").last.map(String.init) ?? ""
    if let hint = OtherPrograms.hint(for: name, in: ProcessInfo.processInfo.environment) {
      Console.note(hint)
    }
    try command.run()
    Console.flush()
    noteFault()
    if let code = Interrupts.exitCode { exit(code) }
    exit(0)
  } catch {
    exit(report(error, for: type))
  }
}

/// The command that words spell; where they are wrong, options that are called otherwise elsewhere
/// are named by what they are called here.
private func parsed<Command: ParsableCommand>(
  _ words: [String], as type: Command.Type
) throws -> any ParsableCommand {
  func hint() throws -> UsageError? {
    let known = try Settings.optionNames(of: type, for: words, withLetters: true)
    return Habits.hint(for: words, known: known).map { UsageError($0) }
  }
  if Habits.hidesHelp(words), let hint = try hint() { throw hint }
  do {
    return try type.parseAsRoot(words)
  } catch {
    guard type.exitCode(for: error) == .validationFailure else { throw error }
    if let hint = try hint() { throw hint }
    let message = type.message(for: error)
    let (names, hasDefault) = try Settings.subcommands(of: type)
    if message.contains("nexpected argument") {
      let name = type.configuration.commandName ?? ""
      if let near = Habits.hint(forSubcommand: words, of: name, among: names) {
        throw UsageError(near)
      }
      if !names.isEmpty, !hasDefault {
        throw UsageError("\(message). Expected one of \(names.joined(separator: ", ")) first")
      }
    }
    let known = try Settings.optionNames(of: type, for: words)
    if let better = Habits.explanation(of: message, words, known: known) {
      throw UsageError(better)
    }
    throw error
  }
}

/// Ends the process with 2 for wrong usage that was found before any command was chosen.
public func refuse<Command: ParsableCommand>(_ message: String, for type: Command.Type) -> Never {
  exit(report(UsageError(message), for: type))
}

/// Refuses to begin where not even the smallest work can be done: what Swift's own collections
/// cannot take ends a process without a message.
private func checkMemory() throws {
  let limits = MemoryLimits.now()
  // The stacks of some threads take addresses, not memory.
  let least = limits.bound == .addressSpace ? 48 << 20 : 16 << 20
  guard limits.bytes < least else { return }
  throw UserError(
    "\(Text.bytes(limits.bytes)) of memory are left, by the \(limits.bound.rawValue); at least \(Text.bytes(least)) are needed"
  )
}

/// Makes one operation fail where the environment asks for it, such as `BITBUDGET_FAULT=write:17`;
/// for tests.
private func armFault() throws {
  guard let text = ProcessInfo.processInfo.environment["BITBUDGET_FAULT"] else { return }
  guard FaultInjection.arm(text) else {
    let kinds = FaultInjection.Operation.allCases.map(\.rawValue).joined(separator: ", ")
    throw UsageError("BITBUDGET_FAULT is '\(text)'; expected KIND:NUMBER with one of \(kinds)")
  }
}

/// Says when the operation that was to fail never came, so that a test knows that it has tried all.
private func noteFault() {
  if FaultInjection.isPending {
    Console.note("note: BITBUDGET_FAULT was not reached by \(Program.invokedName)")
  }
}

private func report<Command: ParsableCommand>(_ error: any Error, for type: Command.Type) -> Int32 {
  if let code = Interrupts.exitCode {
    Console.note("interrupted")
    return code
  }
  if let usage = error as? UsageError {
    Console.note(type.fullMessage(for: ValidationError(usage.description)))
    return 2
  }
  switch type.exitCode(for: error) {
  case .success:
    print(type.fullMessage(for: error))
    Console.flush()
    return 0
  case .validationFailure:
    Console.note(withShortHelp(type.fullMessage(for: error)))
    return 2
  default:
    Console.note("error: \(error)")
    return 1
  }
}

/// The parser's message with little or no help of the option that is at fault: none where the message
/// says what was expected, else its first sentence. How to get the rest is the last line.
private func withShortHelp(_ message: String) -> String {
  guard let usage = message.range(of: "\nUsage: ", options: .backwards),
    let help = message.range(of: "\nHelp:  ", range: message.startIndex..<usage.lowerBound)
  else { return message }
  let fault = message[..<help.lowerBound]
  let saysWhat = ["' is invalid for '", "': "].allSatisfy(fault.contains)
  if saysWhat || fault.contains("Please provide one of") {
    return String(fault + message[usage.lowerBound...])
  }
  let text = message[help.lowerBound..<usage.lowerBound]
  let sentence = text.range(of: ". ").map { text[..<$0.lowerBound] + "." } ?? text
  return String(fault + sentence + message[usage.lowerBound...])
}
