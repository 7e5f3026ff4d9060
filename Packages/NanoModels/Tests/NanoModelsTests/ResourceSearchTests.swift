import Foundation
import Testing

@testable import NanoModels

/// A folder of its own that lives as long as `body` runs.
private func withTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.resolvingSymlinksInPath())
}

/// A bundle at `path` below `root` that holds one file `model`.
private func makeBundle(_ path: String, in root: URL) throws -> URL {
  let resources = root.appending(path: "\(path)/Resources")
  try FileManager.default.createDirectory(at: resources, withIntermediateDirectories: true)
  let file = resources.appending(path: "model")
  try Data("weights".utf8).write(to: file)
  return file
}

#if os(Linux)
  private let suffix = "resources"
#else
  private let suffix = "bundle"
#endif

@Test(arguments: [
  "bin/BitBudget_NanoModels", "bin/NanoModels_NanoModels", "share/bitbudget/BitBudget_NanoModels",
])
func theBundleIsFoundBesideTheProgramAndInShare(path: String) throws {
  try withTemporaryFolder { root in
    let file = try makeBundle("\(path).\(suffix)", in: root)
    let search = ResourceSearch(
      environment: [:], executable: root.appending(path: "bin/generate"), resources: nil)
    #expect(search.url(of: "model")?.path == file.path)
    #expect(search.url(of: "other") == nil)
  }
}

@Test func linksToTheProgramAreFollowed() throws {
  try withTemporaryFolder { root in
    let file = try makeBundle("real/BitBudget_NanoModels.\(suffix)", in: root)
    try Data().write(to: root.appending(path: "real/generate"))
    let link = root.appending(path: "generate")
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: root.appending(path: "real/generate"))
    let search = ResourceSearch(environment: [:], executable: link, resources: nil)
    #expect(search.url(of: "model")?.path == file.path)
  }
}

@Test func theEnvironmentComesFirstAndAProgramBundleLast() throws {
  try withTemporaryFolder { root in
    let named = try makeBundle("named/BitBudget_NanoModels.\(suffix)", in: root)
    let own = try makeBundle("own/BitBudget_NanoModels.\(suffix)", in: root)
    let resources = root.appending(path: "own")
    let variable = ["BITBUDGET_RESOURCES": root.appending(path: "named").path]
    let both = ResourceSearch(environment: variable, executable: nil, resources: resources)
    #expect(both.url(of: "model")?.path == named.path)
    let one = ResourceSearch(
      environment: ["BITBUDGET_RESOURCES": ""], executable: nil, resources: resources)
    #expect(one.url(of: "model")?.path == own.path)
  }
}

@Test func aMissingBundleIsNoCrash() {
  let search = ResourceSearch(
    environment: ["BITBUDGET_RESOURCES": "/nowhere"],
    executable: URL(filePath: "/nowhere/bin/generate"), resources: nil)
  #expect(search.url(of: "nano-4m") == nil)
  #expect(search.folders.contains { $0.path.hasPrefix("/nowhere/share/bitbudget/") })
}
