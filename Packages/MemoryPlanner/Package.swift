// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "MemoryPlanner",
  products: [.library(name: "MemoryPlanner", targets: ["MemoryPlanner"])],
  targets: [
    .target(name: "MemoryPlanner"),
    .testTarget(name: "MemoryPlannerTests", dependencies: ["MemoryPlanner"]),
  ]
)
