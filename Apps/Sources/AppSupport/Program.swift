import Foundation

/// The program: its name, its version, and how it was called.
public enum Program {
  /// The name of the one program that all commands are part of.
  public static let name = "bitbudget"
  /// The version, which is part of what identifies a run.
  public static let version = "0.1.0"

  /// The name it was started by: its own, or that of a command whose name links to it.
  public static var invokedName: String {
    URL(fileURLWithPath: CommandLine.arguments.first ?? name).lastPathComponent
  }

  /// What a user types to run `command`, the way this process was started: `quantize` through a
  /// link of that name, else `bitbudget quantize`.
  public static func called(_ command: String) -> String {
    let isWord = CommandLine.arguments.dropFirst().first == command
    return isWord && invokedName != command ? "\(name) \(command)" : command
  }

  /// What to print so that a user can paste it: `bin/quantize` in a checkout that was built,
  /// `bitbudget quantize` where the program is installed.
  public static func pasted(_ command: String) -> String {
    let started = CommandLine.arguments.first ?? name
    guard started.contains("/") else {
      // Not every command has a link of its own.
      return invokedName == command ? command : "\(name) \(command)"
    }
    let folder = (started as NSString).deletingLastPathComponent
    let link = (folder as NSString).appendingPathComponent(command)
    if FileManager.default.isExecutableFile(atPath: link) { return link }
    // Through the link of another command it is beside it.
    let program = invokedName == name ? started : (folder as NSString).appendingPathComponent(name)
    return "\(program) \(command)"
  }
}

/// Suggestions for words that were probably mistyped.
public enum Nearest {
  /// The known word that is most like `word`, if any is near: at most about a third of its letters
  /// differ (Levenshtein distance), or one begins with the other.
  public static func word(to word: String, among known: [String]) -> String? {
    let letters = Array(word.lowercased())
    let scored = known.map { ($0, distance(letters, Array($0.lowercased()))) }
    guard let best = scored.min(by: { $0.1 < $1.1 }) else { return nil }
    if best.1 <= max(1, (letters.count + 1) / 3) { return best.0 }
    let prefixed = known.filter {
      $0.lowercased().hasPrefix(word.lowercased()) || word.lowercased().hasPrefix($0.lowercased())
    }
    return letters.count >= 3 ? prefixed.min { $0.count < $1.count } : nil
  }

  /// ` Did you mean 'WORD'?`, or nothing where no known word is near.
  public static func hint(for word: String, among known: [String]) -> String {
    self.word(to: word, among: known).map { " Did you mean '\($0)'?" } ?? ""
  }

  /// What a word that is no command was probably meant to be: another program's command, or a near
  /// one.
  public static func hint(for word: String, amongCommands names: [String]) -> String {
    Habits.hint(forCommand: word) ?? hint(for: word, among: names)
  }

  private static func distance(_ first: [Character], _ second: [Character]) -> Int {
    var row = Array(0...second.count)
    for (i, left) in first.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in second.enumerated() {
        let change = diagonal + (left == right ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[second.count]
  }
}
