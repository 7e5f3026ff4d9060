// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "SystemCalls",
  platforms: [.macOS(.v15)],
  products: [.library(name: "SystemCalls", targets: ["SystemCalls"])],
  targets: [
    .target(name: "SystemCalls"),
    .testTarget(name: "SystemCallsTests", dependencies: ["SystemCalls"]),
  ]
)
