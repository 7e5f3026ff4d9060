// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Serving",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Serving", targets: ["Serving"])],
  dependencies: [
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
    .package(path: "../Evaluation"), .package(path: "../JSON"), .package(path: "../KVLayout"),
    .package(path: "../SystemCalls"), .package(path: "../TextGeneration"),
    .package(path: "../Tokenizer"),
  ],
  targets: [
    .target(
      name: "Serving",
      dependencies: [
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Evaluation", package: "Evaluation"),
        .product(name: "JSON", package: "JSON"),
        .product(name: "KVLayout", package: "KVLayout"),
        .product(name: "SystemCalls", package: "SystemCalls"),
        .product(name: "TextGeneration", package: "TextGeneration"),
        .product(name: "Tokenizer", package: "Tokenizer"),
      ],
      resources: ["page.html", "page.css", "page.js"].map { .embedInCode("Resources/\($0)") }),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Serving", .product(name: "JSON", package: "JSON"),
        .product(name: "KVLayout", package: "KVLayout"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
