// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Generation",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Generation", targets: ["Generation"])],
  dependencies: [
    .package(path: "../Kernels"), .package(path: "../Tensors"), .package(path: "../KVCaches"),
    .package(path: "../Models"),
  ],
  targets: [
    .target(
      name: "Generation",
      dependencies: [
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "Models", package: "Models"),
      ]),
    .testTarget(
      name: "GenerationTests",
      dependencies: [
        "Generation", .product(name: "KVCaches", package: "KVCaches"),
        .product(name: "Models", package: "Models"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
