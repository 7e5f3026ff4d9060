// swift-tools-version: 6.1
// The distribution: every library straight from its folder, all tests, all commands. `make lint` holds this manifest
// and the packages' own ones equal, and both against the floors of ARCHITECTURE.md.
import PackageDescription

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// A library of `Packages/<name>` and its unit tests.
func library(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [],
  tests testDependencies: [Target.Dependency] = []
) -> [Target] {
  [
    .target(
      name: name, dependencies: dependencies, path: "Packages/\(name)/Sources/\(name)",
      resources: resources),
    .testTarget(
      name: "\(name)Tests", dependencies: [.byName(name: name)] + testDependencies,
      path: "Packages/\(name)/Tests/\(name)Tests"),
  ]
}

let libraries = [
  "SystemCalls", "Kernels", "KVLayout", "Tensors", "Quantizers", "KVCaches", "ModelLoader",
  "DecoderModels", "TextGeneration", "JSON", "Tokenizer", "MemoryPlanner", "NanoModels",
  "Compression", "Evaluation", "Serving", "ModelHub",
]

let package = Package(
  name: "BitBudget",
  platforms: [.macOS(.v15)],
  products: libraries.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
  ],
  targets: [
    library("SystemCalls", []),
    library("Kernels", []),
    library("KVLayout", []),
    library("Tensors", ["Kernels", "SystemCalls"]),
    library("Quantizers", ["Tensors"], tests: ["Tensors"]),
    library(
      "KVCaches", ["Kernels", "KVLayout", "Tensors"], tests: ["Kernels", "Tensors"]),
    [
      .systemLibrary(
        name: "CZstd", path: "Packages/ModelLoader/Sources/CZstd", pkgConfig: "libzstd",
        providers: [.apt(["libzstd-dev"]), .brew(["zstd"])])
    ],
    library(
      "ModelLoader", ["CZstd", crypto, "JSON", "Quantizers", "SystemCalls", "Tensors"],
      tests: ["CZstd", "JSON", "Tensors"]),
    library(
      "DecoderModels",
      ["JSON", "Kernels", "Tensors", "MemoryPlanner", "KVCaches", "ModelLoader"],
      tests: ["JSON", "Kernels", "KVCaches", "ModelLoader", "Tensors"]),
    library(
      "TextGeneration", ["Kernels", "Tensors", "KVCaches", "DecoderModels"],
      tests: ["JSON", "KVCaches", "DecoderModels", "ModelLoader", "Tensors"]),
    library(
      "Compression",
      [
        crypto, "JSON", "SystemCalls", "Tensors", "Quantizers", "KVCaches", "ModelLoader",
        "DecoderModels", "TextGeneration", "MemoryPlanner",
      ],
      tests: [
        "DecoderModels", "KVCaches", "MemoryPlanner", "ModelLoader", "NanoModels", "Quantizers",
        "Tensors", "TextGeneration",
      ]),
    library("JSON", []),
    // Nothing is linked: libcurl is loaded when the first request is sent.
    [.systemLibrary(name: "CCurl", path: "Packages/ModelHub/Sources/CCurl")],
    library("ModelHub", ["CCurl", crypto, "JSON", "SystemCalls"], tests: [crypto]),
    library("Tokenizer", ["JSON", "SystemCalls"], tests: ["JSON"]),
    library("MemoryPlanner", ["KVLayout"], tests: ["KVLayout"]),
    library("NanoModels", ["SystemCalls"], resources: [.copy("Resources")]),
    library(
      "Evaluation",
      [
        crypto, "JSON", "KVLayout", "MemoryPlanner", "SystemCalls", "TextGeneration",
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [.copy("Resources")],
      tests: ["JSON", "KVLayout", "MemoryPlanner", "SystemCalls"]),
    library(
      "Serving",
      [
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        "Evaluation", "JSON", "KVLayout", "SystemCalls", "TextGeneration", "Tokenizer",
      ],
      resources: ["page.html", "page.css", "page.js"].map { .embedInCode("Resources/\($0)") },
      tests: ["JSON", "KVLayout"]),
    [
      .target(name: "StopSignals", path: "Apps/Sources/StopSignals"),
      .target(
        name: "AppSupport",
        dependencies: [
          argumentParser, "StopSignals", "SystemCalls", "JSON", "Kernels", "KVLayout", "Tensors",
          "KVCaches", "ModelHub", "ModelLoader", "DecoderModels", "TextGeneration", "Tokenizer",
          "NanoModels", "Evaluation", "MemoryPlanner",
        ], path: "Apps/Sources/AppSupport"),
      // One program; every folder beside AppSupport is a command of it.
      .executableTarget(
        name: "bitbudget",
        dependencies: [
          "AppSupport", argumentParser, "Compression", "DecoderModels", "Evaluation", "JSON",
          "KVCaches", "KVLayout", "MemoryPlanner", "ModelHub", "ModelLoader", "NanoModels",
          "Quantizers", "Serving", "SystemCalls", "Tensors", "TextGeneration", "Tokenizer",
        ], path: "Apps/Sources", exclude: ["AppSupport", "StopSignals"]),
    ],
    [
      .executableTarget(
        name: "bench-engine",
        dependencies: [
          argumentParser, "JSON", "Kernels", "Tensors", "KVCaches", "DecoderModels", "ModelLoader",
          "TextGeneration",
        ],
        path: "Tools/bench/engine"),
      .executableTarget(
        name: "bench-eviction", dependencies: [argumentParser, "KVCaches", "Tensors"],
        path: "Tools/bench/eviction"),
    ],
    [
      .testTarget(
        name: "GoldenTests",
        dependencies: [
          "Compression", "DecoderModels", "KVCaches", "MemoryPlanner", "ModelLoader", "NanoModels",
          "Quantizers", "Tensors",
        ],
        path: "Tests/GoldenTests"),
      .testTarget(
        name: "ExampleTests", dependencies: libraries.map { .byName(name: $0) },
        path: "Tests/ExampleTests"),
      .testTarget(
        name: "CommandTests",
        dependencies: ["AppSupport", "bitbudget", "NanoModels"],
        path: "Tests/CommandTests"),
    ],
  ].flatMap { $0 }
)

// `make docs` alone needs the plugin that builds documentation.
if Context.environment["BITBUDGET_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}
