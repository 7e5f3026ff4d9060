// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Compression",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Compression", targets: ["Compression"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(path: "../JSON"),
    .package(path: "../SystemCalls"), .package(path: "../Tensors"), .package(path: "../Quantizers"),
    .package(path: "../KVCaches"),
    .package(path: "../ModelLoader"), .package(path: "../DecoderModels"),
    .package(path: "../NanoModels"), .package(path: "../TextGeneration"),
    .package(path: "../MemoryPlanner"),
  ],
  targets: [
    .target(
      name: "Compression",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "JSON", package: "JSON"),
        .product(name: "SystemCalls", package: "SystemCalls"),
        .product(name: "Tensors", package: "Tensors"),
        .product(name: "Quantizers", package: "Quantizers"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "ModelLoader", package: "ModelLoader"),
        .product(name: "DecoderModels", package: "DecoderModels"),
        .product(name: "TextGeneration", package: "TextGeneration"),
        .product(name: "MemoryPlanner", package: "MemoryPlanner"),
      ]),
    .testTarget(
      name: "CompressionTests",
      dependencies: [
        "Compression", .product(name: "DecoderModels", package: "DecoderModels"),
        .product(name: "MemoryPlanner", package: "MemoryPlanner"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "ModelLoader", package: "ModelLoader"),
        .product(name: "TextGeneration", package: "TextGeneration"),
        .product(name: "NanoModels", package: "NanoModels"),
        .product(name: "Quantizers", package: "Quantizers"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
