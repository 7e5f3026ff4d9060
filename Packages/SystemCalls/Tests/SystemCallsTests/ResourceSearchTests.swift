import Foundation
import SystemCalls
import Testing

@Suite struct ResourceSearchTests {
  @Test func placesComeInOrderAndOnce() {
    let search = ResourceSearch(
      explicit: URL(filePath: "/named"), executable: URL(filePath: "/opt/bin/evaluate"),
      bundle: URL(filePath: "/opt/bin"))
    #expect(search.places.map(\.path) == ["/named", "/opt/bin", "/opt/share/bitbudget"])
  }

  @Test(arguments: [
    "bin/BitBudget_Models", "bin/Models_Models", "share/bitbudget/BitBudget_Models",
  ])
  func aBundleIsFoundBesideTheProgramAndInShare(path: String) throws {
    try withTemporaryFolder { root in
      let file = try makeBundle(path, in: root)
      let search = ResourceSearch(executable: root.appending(path: "bin/generate"), bundle: nil)
      #expect(search.url(of: "model", in: "Models")?.path == file.path)
      #expect(search.url(of: "other", in: "Models") == nil)
      #expect(search.url(of: "model", in: "Others") == nil)
    }
  }

  @Test func linksToTheProgramAreFollowed() throws {
    try withTemporaryFolder { root in
      let file = try makeBundle("real/BitBudget_Models", in: root)
      try Data().write(to: root.appending(path: "real/generate"))
      let link = root.appending(path: "generate")
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: root.appending(path: "real/generate"))
      let search = ResourceSearch(executable: link, bundle: nil)
      #expect(search.url(of: "model", in: "Models")?.path == file.path)
    }
  }

  @Test func aNamedFolderComesFirstAndAProgramsOwnLast() throws {
    try withTemporaryFolder { root in
      let named = try makeBundle("named/BitBudget_Models", in: root)
      let own = try makeBundle("own/BitBudget_Models", in: root)
      let both = ResourceSearch(
        explicit: root.appending(path: "named"), executable: nil,
        bundle: root.appending(path: "own"))
      #expect(both.url(of: "model", in: "Models")?.path == named.path)
      let one = ResourceSearch(executable: nil, bundle: root.appending(path: "own"))
      #expect(one.url(of: "model", in: "Models")?.path == own.path)
    }
  }

  @Test func missingBundlesAreNoCrash() {
    let search = ResourceSearch(
      explicit: URL(filePath: "/nowhere"), executable: URL(filePath: "/nowhere/bin/generate"),
      bundle: nil)
    #expect(search.url(of: "model", in: "Models") == nil)
    #expect(
      search.folders(of: "Models").contains { $0.path.hasPrefix("/nowhere/share/bitbudget/") })
  }

  /// A folder of its own that lives as long as `body` runs.
  private func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.resolvingSymlinksInPath())
  }

  /// A bundle at `path` below `root` that holds one file `model`.
  private func makeBundle(_ path: String, in root: URL) throws -> URL {
    let resources = root.appending(path: "\(path).resources/Resources")
    try FileManager.default.createDirectory(at: resources, withIntermediateDirectories: true)
    let file = resources.appending(path: "model")
    try Data("weights".utf8).write(to: file)
    return file
  }
}
