// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "ModelHub",
  platforms: [.macOS(.v15)],
  products: [.library(name: "ModelHub", targets: ["ModelHub"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(path: "../JSON"),
    .package(path: "../SystemCalls"),
  ],
  targets: [
    .systemLibrary(name: "CCurl"),
    .target(
      name: "ModelHub",
      dependencies: [
        "CCurl",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "JSON", package: "JSON"),
        .product(name: "SystemCalls", package: "SystemCalls"),
      ]),
    .testTarget(
      name: "ModelHubTests",
      dependencies: ["ModelHub", .product(name: "Crypto", package: "swift-crypto")]),
  ]
)
