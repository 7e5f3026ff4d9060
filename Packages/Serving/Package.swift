// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Serving",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Serving", targets: ["Serving"])],
  dependencies: [
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: [])
  ],
  targets: [
    .target(
      name: "Serving", dependencies: [.product(name: "Hummingbird", package: "hummingbird")]),
    .testTarget(name: "ServingTests", dependencies: ["Serving"]),
  ],
  swiftLanguageModes: [.v6]
)
