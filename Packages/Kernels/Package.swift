// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "Kernels",
  products: [.library(name: "Kernels", targets: ["Kernels"])],
  targets: [
    .target(name: "Kernels"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels"]),
  ]
)
