// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Tokenizer",
  products: [
    .library(name: "Tokenizer", targets: ["Tokenizer"])
  ],
  dependencies: [.package(path: "../JSON"), .package(path: "../SystemCalls")],
  targets: [
    .target(
      name: "Tokenizer",
      dependencies: [
        .product(name: "JSON", package: "JSON"),
        .product(name: "SystemCalls", package: "SystemCalls"),
      ]),
    .testTarget(
      name: "TokenizerTests",
      dependencies: ["Tokenizer", .product(name: "JSON", package: "JSON")]),
  ],
  swiftLanguageModes: [.v6]
)
