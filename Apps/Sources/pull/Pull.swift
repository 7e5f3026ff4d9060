import AppSupport
import ArgumentParser
import Foundation
import ModelHub

/// `pull`: a name in, the folder of the model out.
struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("pull"),
    abstract: "Fetches a model from the hub of Hugging Face.",
    discussion: """
      Files go into the cache that the hub's own tools use (HF_HUB_CACHE, HF_HOME), several at once, and are compared \
      with the digests that the hub lists. A fetch that was stopped, even by kill -9, goes on where it was when the same \
      command is given again. Prints the folder, or of a GGUF model the file.
      """,
    version: Program.version)

  @Argument(
    help:
      "What to fetch: 0.6b ... 32b, org/name, org/name@REVISION, or org/name:VARIANT for GGUF files, such as Q4_K_M."
  )
  var names: [String]
  @Flag(help: "List the files that would be fetched instead.")
  var dryRun = false

  func run() throws {
    let settings = try Hub.settings()
    let locator = ModelLocator(cache: settings.cache, pull: Program.pasted("pull"))
    let repositories = try names.map { try ModelFolder.repository(of: $0, locator) }
    for (name, repository) in zip(names, repositories) {
      if dryRun {
        try list(repository, settings)
      } else {
        try Hub.fetch(repository, settings)
        print(try locator.locate(name).path)
      }
    }
  }

  private func list(_ repository: RepositoryName, _ settings: HubSettings) throws {
    let (listing, files, absent) = try Hub.look(at: repository, settings)
    var rows = [["size", "file", "here"]]
    for file in files {
      rows.append([Text.bytes(file.size), file.path, absent.contains(file) ? "no" : "yes"])
    }
    print(Text.table(rows))
    let bytes = absent.reduce(0) { $0 + $1.size }
    Console.note(
      "\(repository.path) at \(listing.commit): \(Text.bytes(bytes)) to fetch into \(settings.cache.root.path)"
    )
  }
}
