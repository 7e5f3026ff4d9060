import ArgumentParser
import Foundation
import JSON
import SystemCalls

/// Options that are given by the environment or a file instead of every time on the command line.
///
/// `BITBUDGET_THREADS=4` stands for `--threads 4`, for every command that has the option. The file
/// is a JSON object of the same names: those at the top hold for every command that has them, those
/// in an object of a command's name for it alone:
///
///     {"threads": 4, "generate": {"model": "4b", "greedy": true}}
///
/// It is `BITBUDGET_CONFIG`, or `bitbudget/config.json` in `XDG_CONFIG_HOME` (`~/.config`). The
/// command line wins over the environment, the environment over the file, and in the file a
/// command's own object over the top. A name that no command has is an error in the file and a
/// warning in the environment.
public struct Settings {
  /// Variables that mean something else than an option.
  private static let reserved: Set = [
    "CONFIG", "RESOURCES", "DATA", "ISA", "BIN", "GOLDENS", "RECORD", "FAULT", "PARENT",
  ]

  /// As `BITBUDGET_CONFIG`: no file.
  private static let none = "none"

  private let environment: [String: String]
  private let file: URL?

  /// Settings of an environment.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.environment = environment
    if let named = environment["BITBUDGET_CONFIG"], !named.isEmpty {
      file = named == Self.none ? nil : URL(fileURLWithPath: named)
      return
    }
    let home =
      environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? environment["HOME"].map { $0 + "/.config" }
    let usual = home.map { URL(fileURLWithPath: $0 + "/bitbudget/config.json") }
    file = usual.flatMap { FileCalls.isNamed($0.path) ? $0 : nil }
  }

  /// An environment in which no option is given by variables or a file.
  public static func withoutOptions(_ environment: [String: String]) -> [String: String] {
    let kept = environment.filter { key, _ in
      !key.hasPrefix("BITBUDGET_") || reserved.contains(String(key.dropFirst(10)))
    }
    return kept.merging(["BITBUDGET_CONFIG": none]) { $1 }
  }

  /// The arguments of a command with the options added that the settings give.
  ///
  /// - Parameters:
  ///   - arguments: as the user gave them.
  ///   - command: the command.
  ///   - all: every command, whose names and options the settings may hold.
  /// - Returns: the arguments, the options of the settings before the user's.
  /// - Throws: `UsageError` naming the file and key.
  public func applied(
    to arguments: [String], of command: any ParsableCommand.Type,
    among all: [any ParsableCommand.Type]
  ) throws -> [String] {
    let tree = try Options(command)
    guard !environmentKeys.isEmpty || file != nil else { return arguments }
    let (sub, target) = tree.target(of: arguments)
    let known = try all.map { try Options($0) }
    var given = try fileValues(for: tree, known: known)
    for (key, value) in try environmentValues(known: known) { given[key] = [value] }
    // What stands in the settings for endpoints waits for one.
    let endpoint = target.option(named: "endpoint")
    let isLocal =
      endpoint.map { given["endpoint"] == nil && !$0.isGiven(in: arguments) } ?? false
    var added: [String] = []
    for (name, values) in given.sorted(by: { $0.key < $1.key }) {
      if isLocal, EndpointFlags.dependent.contains(name) { continue }
      guard let option = target.option(named: name), !option.isGiven(in: arguments) else {
        continue
      }
      added += try values.flatMap { try option.words(for: $0, source: name) }
    }
    let head = sub == nil ? 0 : 1
    return Array(arguments.prefix(head)) + added + Array(arguments.dropFirst(head))
  }

  /// The long names of the options of a command, or of the subcommand that words are meant for; with
  /// the letters of those that have one, where that is asked for.
  static func optionNames(
    of command: any ParsableCommand.Type, for words: [String], withLetters: Bool = false
  ) throws -> [String] {
    let options = try Options(command).target(of: words).command
    return options.allNames + (withLetters ? options.allLetters : [])
  }

  /// The names of a command's subcommands, and whether one of them stands for none.
  static func subcommands(
    of command: any ParsableCommand.Type
  ) throws -> (names: [String], hasDefault: Bool) {
    let options = try Options(command)
    return (options.subcommands.map(\.name), options.defaultSubcommand != nil)
  }

  /// The long names of each option that a user gave a command, or the subcommand among its words.
  static func given(
    in arguments: [String], of command: any ParsableCommand.Type
  ) throws -> [[String]] {
    (try Options(command).target(of: arguments).command.arguments ?? [])
      .filter { $0.kind != "positional" && $0.isGiven(in: arguments) }.map(\.longNames)
  }

  private var environmentKeys: [String] {
    environment.keys.filter { key in
      key.hasPrefix("BITBUDGET_") && !Self.reserved.contains(String(key.dropFirst(10)))
    }.sorted()
  }

  private func environmentValues(known: [Options]) throws -> [(String, String)] {
    let names = Set(known.flatMap(\.allNames))
    return environmentKeys.compactMap { key in
      let name = key.dropFirst(10).lowercased().replacingOccurrences(of: "_", with: "-")
      guard names.contains(name) else {
        let near = Nearest.word(to: name, among: Array(names)).map {
          " Did you mean BITBUDGET_\($0.uppercased().replacingOccurrences(of: "-", with: "_"))?"
        }
        Console.note("warning: \(key) names no option of any command.\(near ?? "")")
        return nil
      }
      return environment[key].map { (name, $0) }
    }
  }

  /// Values by option name; a list for options that may be given several times.
  private func fileValues(for command: Options, known: [Options]) throws -> [String: [String]] {
    guard let file else { return [:] }
    guard case .object(let object) = try Self.contents(of: file) else {
      throw UsageError("\(file.path): expected a JSON object of options")
    }
    var values: [String: [String]] = [:]
    var own: [String: [String]] = [:]
    for (key, value) in object.members {
      if let section = known.first(where: { $0.name == key }) {
        guard case .object(let inner) = value else {
          throw UsageError("\(file.path): '\(key)': expected an object of its options")
        }
        for (name, value) in inner.members {
          try check(name, among: section.allNames, in: "'\(key)'", file)
          if section.name == command.name { own[name] = try words(value, name, file) }
        }
      } else {
        try check(key, among: known.flatMap { $0.allNames + [$0.name] }, in: "the file", file)
        values[key] = try words(value, key, file)
      }
    }
    return values.merging(own) { $1 }
  }

  private func check(_ name: String, among names: [String], in place: String, _ file: URL) throws {
    guard !names.contains(name) else { return }
    throw UsageError(
      "\(file.path): \(place) has '\(name)', which is no option.\(Nearest.hint(for: name, among: names))"
    )
  }

  private func words(_ value: JSONValue, _ name: String, _ file: URL) throws -> [String] {
    switch value {
    case .bool(let flag): return ["\(flag)"]
    case .integer(let number): return ["\(number)"]
    case .number(let number): return ["\(number)"]
    case .string(let text): return [text]
    case .array(let list): return try list.flatMap { try words($0, name, file) }
    case .null, .object:
      throw UsageError(
        "\(file.path): '\(name)': expected a text, a number, true or false, or a list, found \(value.kind.rawValue)"
      )
    }
  }

  /// The largest file that is read.
  private static let mostBytes = 1 << 20

  private static func contents(of file: URL) throws -> JSONValue {
    do {
      let text = try TextFile.contents(of: file.path, atMost: mostBytes)
      return try JSONValue(parsing: text.utf8, file: file.path)
    } catch {
      throw UsageError("\(error)")
    }
  }
}

/// What options a command has, as its own help lists them.
private struct Options: Decodable {
  struct Name: Decodable {
    let kind: String
    let name: String
  }

  struct Option: Decodable {
    let kind: String
    let names: [Name]?

    var longNames: [String] { (names ?? []).filter { $0.kind == "long" }.map(\.name) }

    func isGiven(in arguments: [String]) -> Bool {
      let spelled = (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
      return arguments.prefix { $0 != "--" }.contains { word in
        spelled.contains { word == $0 || word.hasPrefix($0 + "=") }
      }
    }

    /// The option with a value as words of a command line.
    func words(for value: String, source: String) throws -> [String] {
      guard kind == "flag" else { return ["--\(source)=\(value)"] }
      switch value.lowercased() {
      case "1", "true", "yes", "on": return ["--\(source)"]
      case "0", "false", "no", "off", "": return []
      default: throw UsageError("\(source) is '\(value)'; expected true or false")
      }
    }
  }

  private struct Dump: Decodable { let command: Options }

  let commandName: String
  let arguments: [Option]?
  private let children: [Options]?
  let defaultSubcommand: String?

  enum CodingKeys: String, CodingKey {
    case commandName, arguments, defaultSubcommand
    case children = "subcommands"
  }

  /// The last word of the command's name: through the one program it has two.
  var name: String { commandName.split(separator: " ").last.map(String.init) ?? commandName }
  var subcommands: [Options] { (children ?? []).filter { $0.name != "help" } }

  /// The command that words are meant for: the subcommand that they begin with, which stands before
  /// its options; else the default one, or this one.
  func target(of words: [String]) -> (named: Options?, command: Options) {
    let named = words.first.flatMap { word in subcommands.first { $0.name == word } }
    return (named, named ?? subcommands.first { $0.name == defaultSubcommand } ?? self)
  }

  /// Long names of all options, those of subcommands included.
  var allNames: [String] {
    (arguments ?? []).flatMap(\.longNames) + subcommands.flatMap(\.allNames)
  }

  /// Their one-letter names.
  var allLetters: [String] {
    (arguments ?? []).flatMap { ($0.names ?? []).filter { $0.kind == "short" }.map(\.name) }
      + subcommands.flatMap(\.allLetters)
  }

  init(_ command: any ParsableCommand.Type) throws {
    self = try JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)).command
  }

  func option(named name: String) -> Option? {
    (arguments ?? []).first { $0.longNames.contains(name) && $0.kind != "positional" }
  }
}
