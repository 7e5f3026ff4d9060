// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "tokenizer-bench",
  dependencies: [.package(path: "../../../../Packages/Tokenizer")],
  targets: [
    .executableTarget(
      name: "tokenizer-bench",
      dependencies: [.product(name: "Tokenizer", package: "Tokenizer")])
  ],
  swiftLanguageModes: [.v6]
)
