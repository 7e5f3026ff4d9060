// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "TextGeneration",
  platforms: [.macOS(.v15)],
  products: [.library(name: "TextGeneration", targets: ["TextGeneration"])],
  dependencies: [
    .package(path: "../Kernels"), .package(path: "../Tensors"), .package(path: "../KVCaches"),
    .package(path: "../DecoderModels"), .package(path: "../ModelLoader"),
    .package(path: "../JSON"),
  ],
  targets: [
    .target(
      name: "TextGeneration",
      dependencies: [
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "Tensors", package: "Tensors"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "DecoderModels", package: "DecoderModels"),
      ]),
    .testTarget(
      name: "TextGenerationTests",
      dependencies: [
        "TextGeneration", .product(name: "JSON", package: "JSON"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "DecoderModels", package: "DecoderModels"),
        .product(name: "ModelLoader", package: "ModelLoader"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
