// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Tokenizer",
  products: [
    .library(name: "Tokenizer", targets: ["Tokenizer"])
  ],
  dependencies: [.package(path: "../JSON")],
  targets: [
    .target(name: "Tokenizer", dependencies: [.product(name: "JSON", package: "JSON")]),
    .testTarget(
      name: "TokenizerTests",
      dependencies: ["Tokenizer", .product(name: "JSON", package: "JSON")]),
  ],
  swiftLanguageModes: [.v6]
)
