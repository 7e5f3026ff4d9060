// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Quantizers",
  products: [.library(name: "Quantizers", targets: ["Quantizers"])],
  dependencies: [.package(path: "../Tensors")],
  targets: [
    .target(name: "Quantizers", dependencies: [.product(name: "Tensors", package: "Tensors")]),
    .testTarget(
      name: "QuantizersTests",
      dependencies: ["Quantizers", .product(name: "Tensors", package: "Tensors")]),
  ]
)
