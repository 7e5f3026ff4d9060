// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Tokenizer",
  products: [
    .library(name: "Tokenizer", targets: ["Tokenizer"])
  ],
  targets: [
    .target(name: "Tokenizer"),
    .testTarget(name: "TokenizerTests", dependencies: ["Tokenizer"]),
  ],
  swiftLanguageModes: [.v6]
)
