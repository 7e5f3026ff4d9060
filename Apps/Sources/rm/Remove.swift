import AppSupport
import ArgumentParser
import ModelHub

/// `rm`: removes what `pull` fetched.
struct Remove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("rm"),
    abstract: "Removes models from the Hugging Face cache.",
    discussion: """
      org/name goes with all its revisions; org/name@REVISION alone, with the files that no other revision has. Results \
      of 'quantize' are folders of your own and stay.
      """,
    version: Program.version)

  @Argument(help: "What to remove: 0.6b ... 32b, org/name, or org/name@REVISION.")
  var names: [String]
  @Flag(name: .shortAndLong, help: "Ask no questions; without it a terminal is asked.")
  var yes = false

  func run() throws {
    let cache = try Hub.settings().cache
    let locator = ModelLocator(cache: cache)
    let repositories = try names.map { try ModelFolder.repository(of: $0, locator) }
    if let split = repositories.first(where: { $0.variant != nil }) {
      throw UsageError(
        "\(split): a repository is removed with all its variants; give \(split.path)")
    }
    for repository in repositories {
      guard yes || Console.confirms("Remove \(repository) from \(cache.root.path)?") else {
        throw UserError("\(repository) stays; --yes removes it without a question")
      }
      let freed = try cache.remove(repository)
      Console.note("removed \(repository): \(Text.bytes(freed))")
    }
  }
}
