import AppSupport

let all = BitBudget.commands.map(\.type)
let words = Array(CommandLine.arguments.dropFirst())
if let command = BitBudget.command(Program.invokedName) {
  runCommand(command, words, among: all)
}
if let word = words.first, let command = BitBudget.command(word) {
  runCommand(command, Array(words.dropFirst()), among: all)
}
if let word = words.first, word != "help",
  !word.hasPrefix("-") || ["-v", "-V", "--list"].contains(word)
{
  let names = BitBudget.commands.map(\.name)
  refuse(
    "there is no command '\(word)'.\(Nearest.hint(for: word, amongCommands: names))",
    for: BitBudget.self)
}
runCommand(BitBudget.self, words)
