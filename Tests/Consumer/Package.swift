// swift-tools-version: 6.1
// A project elsewhere: it extends the libraries, which it takes by path, without changing them.
import PackageDescription

let libraries = [
  "DecoderModels", "Evaluation", "KVCaches", "KVLayout", "ModelLoader", "NanoModels", "Tensors",
  "TextGeneration", "Tokenizer",
]

let package = Package(
  name: "consumer",
  platforms: [.macOS(.v15)],
  dependencies: libraries.map { .package(path: "../../Packages/\($0)") },
  targets: [
    .executableTarget(
      name: "consumer", dependencies: libraries.map { .product(name: $0, package: $0) }),
    .executableTarget(
      name: "alone", dependencies: [.product(name: "KVCaches", package: "KVCaches")]),
  ]
)
