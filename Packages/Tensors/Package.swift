// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Tensors",
  products: [.library(name: "Tensors", targets: ["Tensors"])],
  dependencies: [.package(path: "../Kernels"), .package(path: "../SystemCalls")],
  targets: [
    .target(
      name: "Tensors",
      dependencies: [
        .product(name: "Kernels", package: "Kernels"),
        .product(name: "SystemCalls", package: "SystemCalls"),
      ]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
  ]
)
