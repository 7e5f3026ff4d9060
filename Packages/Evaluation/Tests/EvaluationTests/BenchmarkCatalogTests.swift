import Foundation
import SystemCalls
import Testing

@testable import Evaluation

struct BenchmarkCatalogTests {
  @Test func definitionsAreFoundBesideLinkedPrograms() throws {
    let folder = try TemporaryFolder()
    let program = try folder.file("real/bin/evaluate", "")
    _ = try folder.file(
      "real/share/bitbudget/BitBudget_Evaluation.resources/Resources/sums.yaml", sumsYAML)
    let link = folder.url.appending(path: "evaluate")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: program)
    let catalog = try BenchmarkCatalog(ResourceSearch(executable: link, bundle: nil))
    #expect(catalog.names == ["sums"])
    #expect(try catalog.definition(named: "sums").title == "Sums")
    #expect(
      throws: EvaluationError.unknownBenchmark(name: "nothing", known: ["sums"])
    ) { try catalog.definition(named: "nothing") }
    let path = catalog.folder.appending(path: "sums.yaml").path
    #expect(try catalog.definition(named: path).name == "sums")
  }

  @Test func missingResourcesListThePlaces() {
    let search = ResourceSearch(
      explicit: URL(filePath: "/nowhere"), executable: nil, bundle: nil)
    #expect(
      throws: EvaluationError.resourcesMissing(
        searched: search.folders(of: "Evaluation").map(\.path))
    ) {
      try BenchmarkCatalog(search)
    }
  }
}
