// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Tensors",
  products: [.library(name: "Tensors", targets: ["Tensors"])],
  dependencies: [.package(path: "../Kernels")],
  targets: [
    .target(name: "Tensors", dependencies: [.product(name: "Kernels", package: "Kernels")]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
  ]
)
