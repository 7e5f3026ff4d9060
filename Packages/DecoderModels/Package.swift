// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "DecoderModels",
  platforms: [.macOS(.v15)],
  products: [.library(name: "DecoderModels", targets: ["DecoderModels"])],
  dependencies: [
    .package(path: "../Kernels"), .package(path: "../Tensors"), .package(path: "../KVCaches"),
    .package(path: "../ModelLoader"), .package(path: "../MemoryPlanner"),
    .package(path: "../JSON"),
  ],
  targets: [
    .target(
      name: "DecoderModels",
      dependencies: [
        .product(name: "JSON", package: "JSON"),
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "Tensors", package: "Tensors"),
        .product(name: "MemoryPlanner", package: "MemoryPlanner"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "ModelLoader", package: "ModelLoader"),
      ]),
    .testTarget(
      name: "DecoderModelsTests",
      dependencies: [
        "DecoderModels", .product(name: "JSON", package: "JSON"),
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "ModelLoader", package: "ModelLoader"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
