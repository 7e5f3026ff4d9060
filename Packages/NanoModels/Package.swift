// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "NanoModels",
  platforms: [.macOS(.v15)],
  products: [.library(name: "NanoModels", targets: ["NanoModels"])],
  dependencies: [.package(path: "../SystemCalls")],
  targets: [
    .target(
      name: "NanoModels",
      dependencies: [.product(name: "SystemCalls", package: "SystemCalls")],
      resources: [.copy("Resources")]),
    .testTarget(name: "NanoModelsTests", dependencies: ["NanoModels"]),
  ],
  swiftLanguageModes: [.v6]
)
