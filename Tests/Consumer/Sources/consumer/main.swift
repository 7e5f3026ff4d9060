import DecoderModels
import Evaluation
import Foundation
import KVCaches
import KVLayout
import ModelLoader
import NanoModels
import Tensors
import Tokenizer

struct Problem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func require(_ isTrue: Bool, _ what: String) throws {
  if !isTrue { throw Problem(what) }
}

/// The logits that a model gives for the last of some tokens.
func logits(_ decoder: Decoder, _ pool: ThreadPool, _ cache: inout [KVCache]) throws -> [Float] {
  let tokens = (0..<200).map { Int32(1 + $0 * 7 % 90) }
  var row: [Float] = []
  try ForwardPass(decoder, pool: pool).run(
    [TokenRun(cache: 0, tokens: tokens, endsPrompt: false)], caches: &cache, rows: .last
  ) { _, _, logits in row = Array(logits) }
  return row
}

func run() throws {
  guard let folder = NanoModels.directory(of: "nano-0.15m") else {
    throw Problem("the nano models are not installed")
  }
  let scratch = FileManager.default.temporaryDirectory.appending(path: "consumer-\(getpid())")
  try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: scratch) }
  let pool = try ThreadPool(workers: 2)
  let checkpoint = try Checkpoint(directory: folder)
  let decoder = try Decoder(checkpoint)
  func caches(_ policy: KVPolicy = .full) throws -> [KVCache] {
    [try KVCache(shape: decoder.shape.cacheShape, policy: policy, meter: KVMeter())]
  }
  var full = try caches()
  let expected = try logits(decoder, pool, &full)

  // A weight format: the family's matrices come from a source of one's own.
  let family = try ModelFamilies.standard.family(for: checkpoint.config)
  let sixBits = try Decoder(
    family, from: SixBitSource(tensors: CheckpointTensors(checkpoint: checkpoint)))
  try require(sixBits.formatName == "6-bit group 32", "format \(sixBits.formatName)")
  try require(sixBits.weightBytes * 2 < decoder.weightBytes, "\(sixBits.weightBytes) bytes")
  var other = try caches()
  let rounded = try logits(sixBits, pool, &other)
  let error = zip(rounded, expected).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  let norm = expected.reduce(Float(0)) { $0 + $1 * $1 }
  try require(0 < error && error < 0.02 * norm, "6 bits: squared error \(error) of \(norm)")
  print("weight format: ok")

  // An eviction: a catalog with one more method reads its text.
  let catalog = EvictionCatalog.standard.adding(EvenlySpaced.self)
  let policy = try KVPolicy(parsing: "even:48,buffer=16", evictions: catalog)
  try require(policy.description == "even:48,buffer=16", "text form \(policy)")
  var evicting = try caches(policy)
  evicting[0].endPrompt(at: 8)
  let evicted = try logits(decoder, pool, &evicting)
  try require(evicting[0].position == 200, "position \(evicting[0].position)")
  try require(48..<64 ~= evicting[0].count, "\(evicting[0].count) tokens are held")
  try require(evicted.allSatisfy(\.isFinite) && evicted != expected, "logits after evictions")
  print("eviction: ok")

  // A family: a list of families reads a folder of its model type.
  let copy = scratch.appending(path: "model")
  try FileManager.default.copyItem(at: folder, to: copy)
  let config = copy.appending(path: "config.json")
  let text = try String(contentsOf: config, encoding: .utf8)
    .replacing("\"model_type\": \"qwen3\"", with: "\"model_type\": \"consumer\"")
  try Data(text.utf8).write(to: config)
  var families = ModelFamilies.standard
  families.families.append(OwnFamily.self)
  var own = try caches()
  let found = try logits(
    Decoder(Checkpoint(directory: copy), families: families), pool, &own)
  try require(found == expected, "the own family gives other logits than Qwen3")
  print("family: ok")

  // A benchmark: a definition, data and whoever answers.
  guard let large = NanoModels.directory(of: NanoModels.defaultName) else {
    throw Problem("the nano models are not installed")
  }
  let tokenizer = try TextTokenizer(directory: large)
  let responder = GreedyResponder(
    pass: ForwardPass(try Decoder(Checkpoint(directory: large)), pool: pool), tokenizer: tokenizer,
    template: try ChatTemplate.load(files: ModelFiles(directory: large)),
    stopTokens: Set([tokenizer.eosTokenID].compactMap(\.self)))
  let summary = try OwnBenchmark.run(
    with: responder, limit: 8, journal: scratch.appending(path: "journal.jsonl"))
  try require(summary.replies == 8 && summary.correct >= 5, "\(summary.correct) of 8 are right")
  print("benchmark: ok")
}

do {
  try run()
} catch {
  print("consumer: \(error)")
  exit(1)
}
