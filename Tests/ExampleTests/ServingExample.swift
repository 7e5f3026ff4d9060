// Made by Tools/docs/examples.py from Packages/Serving/Sources/Serving/Serving.docc/Serving.md.
// swift-format-ignore-file
import Serving
import Testing

@Test func exampleOfServing() throws {
  var configuration = ServerConfiguration()
  #expect("\(configuration.isLocal)" == "true")
  configuration.host = "0.0.0.0"
  #expect("\(configuration.isLocal)" == "false")
}
