// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "KVCaches",
  products: [.library(name: "KVCaches", targets: ["KVCaches"])],
  dependencies: [
    .package(path: "../KVLayout"), .package(path: "../Kernels"), .package(path: "../Tensors"),
  ],
  targets: [
    .target(
      name: "KVCaches",
      dependencies: [
        .product(name: "KVLayout", package: "KVLayout"),
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
    .testTarget(
      name: "KVCachesTests",
      dependencies: [
        "KVCaches", .product(name: "Kernels", package: "Kernels"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
