// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "NanoModels",
  products: [.library(name: "NanoModels", targets: ["NanoModels"])],
  targets: [
    .target(name: "NanoModels", resources: [.copy("Resources")]),
    .testTarget(name: "NanoModelsTests", dependencies: ["NanoModels"]),
  ],
  swiftLanguageModes: [.v6]
)
