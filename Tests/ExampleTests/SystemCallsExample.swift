// Made by Tools/docs/examples.py from Packages/SystemCalls/Sources/SystemCalls/SystemCalls.docc/SystemCalls.md.
// swift-format-ignore-file
import Foundation
import SystemCalls
import Testing

@Test func exampleOfSystemCalls() throws {
  let path = NSTemporaryDirectory() + "systemcalls-\(UUID().uuidString)"
  try AtomicFile.write(Data("two words".utf8), to: path)
  #expect("\(try TextFile.contents(of: path, atMost: 1024))" == "two words")
  #expect("\(try OutputPlace(path) == .stream(path))" == "false")
  try FileManager.default.removeItem(atPath: path)
}
