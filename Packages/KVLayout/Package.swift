// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "KVLayout",
  products: [.library(name: "KVLayout", targets: ["KVLayout"])],
  targets: [
    .target(name: "KVLayout"),
    .testTarget(name: "KVLayoutTests", dependencies: ["KVLayout"]),
  ]
)
