// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "MemoryPlanner",
  products: [.library(name: "MemoryPlanner", targets: ["MemoryPlanner"])],
  dependencies: [.package(path: "../KVLayout")],
  targets: [
    .target(
      name: "MemoryPlanner", dependencies: [.product(name: "KVLayout", package: "KVLayout")]),
    .testTarget(
      name: "MemoryPlannerTests",
      dependencies: ["MemoryPlanner", .product(name: "KVLayout", package: "KVLayout")]),
  ]
)
