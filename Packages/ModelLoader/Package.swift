// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "ModelLoader",
  products: [.library(name: "ModelLoader", targets: ["ModelLoader"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    .package(path: "../JSON"),
    .package(path: "../Quantizers"),
    .package(path: "../SystemCalls"),
    .package(path: "../Tensors"),
  ],
  targets: [
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .target(
      name: "ModelLoader",
      dependencies: [
        "CZstd", .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "JSON", package: "JSON"),
        .product(name: "Quantizers", package: "Quantizers"),
        .product(name: "SystemCalls", package: "SystemCalls"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
    .testTarget(
      name: "ModelLoaderTests",
      dependencies: [
        "ModelLoader", "CZstd", .product(name: "JSON", package: "JSON"),
        .product(name: "Tensors", package: "Tensors"),
      ]),
  ]
)
