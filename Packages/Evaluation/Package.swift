// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Evaluation",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Evaluation", targets: ["Evaluation"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    .package(path: "../JSON"), .package(path: "../KVLayout"),
    .package(path: "../MemoryPlanner"),
    .package(path: "../SystemCalls"), .package(path: "../TextGeneration"),
  ],
  targets: [
    .target(
      name: "Evaluation",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "JSON", package: "JSON"),
        .product(name: "KVLayout", package: "KVLayout"),
        .product(name: "MemoryPlanner", package: "MemoryPlanner"),
        .product(name: "SystemCalls", package: "SystemCalls"),
        .product(name: "TextGeneration", package: "TextGeneration"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.copy("Resources")]),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Evaluation", .product(name: "JSON", package: "JSON"),
        .product(name: "KVLayout", package: "KVLayout"),
        .product(name: "MemoryPlanner", package: "MemoryPlanner"),
        .product(name: "SystemCalls", package: "SystemCalls"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
