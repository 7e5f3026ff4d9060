/// Variables by which other programs take their options, and which are not read here.
enum OtherPrograms {
  /// What to say to a user who has set such a variable and calls a command that it would matter to.
  static func hint(for command: String, in environment: [String: String]) -> String? {
    func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } == true }
    if command == "serve", isSet("OLLAMA_HOST") {
      return "note: OLLAMA_HOST is Ollama's and is not read here; --host and --port say where to "
        + "listen, or BITBUDGET_HOST and BITBUDGET_PORT"
    }
    let own = environment.keys.filter { $0.hasPrefix("LLAMA_ARG_") && isSet($0) }.sorted()
    guard ["serve", "generate", "chat"].contains(command), !own.isEmpty else { return nil }
    let verb = own.count == 1 ? "is" : "are"
    return "note: \(own.joined(separator: ", ")) \(verb) llama.cpp's and not read here; "
      + "BITBUDGET_ and the name of a flag stands for it, such as BITBUDGET_THREADS"
  }
}
