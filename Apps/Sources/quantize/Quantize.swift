import AppSupport
import ArgumentParser
import Compression
import Foundation
import ModelLoader
import Models
import NanoModels
import Quantizers
import Tensors
import Tokenizer

/// `quantize`: a checkpoint in, a smaller checkpoint out.
struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Writes a smaller checkpoint: weights in 8, 4, 3 or 2 bits.",
    discussion: """
      The matrices of the decoder blocks are quantized in groups along their inputs, symmetrically; embedding, \
      norms and head keep their type. gptq uses calibration text to choose the codes that change the outputs \
      least; hqq searches the scales that suit the weights; rtn rounds to nearest.
      """)

  /// The methods, by their names on the command line.
  enum Method: String, ExpressibleByArgument, CaseIterable {
    case gptq, hqq, rtn
  }

  /// The forms of the result.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case zstd
    case compressedTensors = "compressed-tensors"
    case gptq

    func layout() throws -> CheckpointLayout {
      switch self {
      case .zstd: try CheckpointLayout(container: .zstd)
      case .compressedTensors: try CheckpointLayout(container: .safetensors)
      case .gptq: try CheckpointLayout(container: .safetensors, method: .gptq)
      }
    }
  }

  @Option(help: "Model folder, or a name such as nano-0.5m or 4b.")
  var model = "nano"
  @Option(help: "Bits of a weight: 8, 4, 3 or 2.")
  var bits: Int
  @Option(help: "gptq; hqq and rtn need no calibration text.")
  var method = Method.gptq
  @Option(help: "Inputs that share a scale; 0 for one scale a row.")
  var groupSize = 128
  @Option(help: "What is added to the diagonal of GPTQ's Hessian, as a part of its mean.")
  var damping: Float = 0.01
  @Option(
    help:
      "Calibration text: a .jsonl file of {\"text\": ...} rows, or plain text (default: the nano models' own)."
  )
  var calibration: String?
  @Option(help: "Calibration samples.")
  var samples = 128
  @Option(help: "Tokens of a calibration sample.")
  var length = 2048
  @Option(
    help:
      "zstd (compressed without loss, for the commands here), or safetensors for other engines: compressed-tensors, gptq."
  )
  var format = Format.zstd
  @Option(help: "The folder to write (default: out/MODEL-METHOD-BITSbit).")
  var output: String?
  @Flag(help: "Replace a model that is already there.")
  var force = false
  @Option(help: "Threads to compute with (default: all processors).")
  var threads: Int?

  func validate() throws {
    guard [2, 3, 4, 8].contains(bits) else {
      throw ValidationError("--bits \(bits): expected 8, 4, 3 or 2")
    }
    guard groupSize == 0 || (groupSize > 0 && groupSize % 8 == 0) else {
      throw ValidationError("--group-size \(groupSize): expected a multiple of 8, or 0")
    }
    guard damping >= 0, damping <= 1 else {
      throw ValidationError("--damping \(damping): expected 0 to 1")
    }
    guard samples > 0 else { throw ValidationError("--samples \(samples): expected at least 1") }
    guard length > 0 else { throw ValidationError("--length \(length): expected at least 1") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024")
    }
    if method != .gptq && calibration != nil {
      throw ValidationError(
        "--method \(method.rawValue) needs no calibration; it excludes --calibration")
    }
  }

  func run() throws {
    let started = Date()
    let folder = try ModelFolder.resolve(model)
    let pool = try ThreadPool(
      workers: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let checkpoint = try Checkpoint(directory: folder, workers: pool.workers)
    let target = try prepareTarget(folder)
    let writer = try CheckpointWriter(
      target: target, source: checkpoint, layout: format.layout(), replacing: force)
    do {
      let (record, store) = try compress(checkpoint, to: target, into: writer, pool: pool)
      try writer.finish(record: record)
      store.remove()
      try report(record, source: checkpoint, target: target, started: started)
    } catch {
      writer.cancel()
      throw error
    }
  }

  private func compress(
    _ checkpoint: Checkpoint, to target: URL, into writer: CheckpointWriter, pool: ThreadPool
  ) throws -> (CompressionRecord, BlockStore) {
    let scheme = try QuantizationScheme(
      bits: bits, groupSize: groupSize == 0 ? nil : groupSize, scaleType: writer.scaleType)
    let quantizer: any WeightQuantizer =
      switch method {
      case .gptq: try GPTQ(scheme: scheme, damping: damping)
      case .hqq: try HQQ(scheme: scheme)
      case .rtn: RoundToNearest(scheme: scheme)
      }
    let compressor = try Compressor(checkpoint, quantizer: quantizer, pool: pool)
    var sequences: [[Int32]] = []
    var used: CompressionRecord.Calibration?
    if method == .gptq {
      let file = try calibrationFile()
      sequences = try calibrationSequences(file, checkpoint)
      used = .init(
        file: file.lastPathComponent, sequences: sequences.count,
        tokens: sequences.reduce(0) { $0 + $1.count })
    }
    var record = CompressionRecord(
      method: method.rawValue, scheme: scheme, source: checkpoint.directory.lastPathComponent,
      sourceDigest: try checkpoint.digest(), calibration: used)
    let store = try BlockStore(
      workFolder(of: target), source: checkpoint,
      identity: .init(
        source: record.sourceDigest, quantizer: String(describing: quantizer),
        calibration: CalibrationText.digest(of: sequences)), replacing: force)
    let line = ProgressLine("quantizing block")
    do {
      try compressor.run(
        sequences: sequences, store: store, writer: writer, record: &record
      ) { block, blocks in
        try Interrupts.check()
        line.show(block, of: blocks)
      }
    } catch let error as CompressionError {
      // The model is at fault: what is finished will never be of use.
      store.remove()
      throw error
    } catch {
      if store.keepIfUseful() {
        Console.note("finished blocks are kept; the same command goes on after them")
      }
      throw error
    }
    return (record, store)
  }

  /// Where finished blocks wait: beside the target, hidden.
  private func workFolder(of target: URL) -> URL {
    target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).blocks")
  }

  private func calibrationFile() throws -> URL {
    if let calibration { return URL(fileURLWithPath: calibration) }
    guard model == "nano" || NanoModels.names.contains(model) else {
      throw UsageError("GPTQ needs calibration text for this model: --calibration FILE")
    }
    guard let file = NanoModels.calibration else {
      throw UserError("the nano models' calibration text is not installed; give --calibration FILE")
    }
    return file
  }

  private func calibrationSequences(_ file: URL, _ checkpoint: Checkpoint) throws -> [[Int32]] {
    let text = try CalibrationText(contentsOf: file)
    let tokenizer = try TextTokenizer(directory: checkpoint.directory)
    let context = try DecoderSource(checkpoint).config.contextLength
    return try text.sequences(
      samples: samples, length: min(length, context), file: file.path,
      encode: { tokenizer.encode($0, addSpecialTokens: true) })
  }

  /// The folder to write; the folder it stands in is made.
  private func prepareTarget(_ source: URL) throws -> URL {
    let name = "\(source.lastPathComponent)-\(method.rawValue)-\(bits)bit"
    let target = URL(fileURLWithPath: output ?? "out/" + name)
    let parent = target.deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    } catch {
      throw UserError("\(parent.path): cannot be made: \(error.localizedDescription)")
    }
    return target
  }

  private func report(
    _ record: CompressionRecord, source: Checkpoint, target: URL, started: Date
  ) throws {
    let written = try Checkpoint(directory: target)
    let error = String(format: "%.3g", record.meanError)
    let kind = record.calibration == nil ? "weights" : "outputs"
    Console.note(
      """
      tensors     \(Text.bytes(source.storedBytes)) -> \(Text.bytes(written.storedBytes)), \
      \(Text.bytes(try diskBytes(target))) on disk
      error       \(error) of the layers' \(kind), mean of \(record.layers.count) layers
      time        \(Text.duration(Date().timeIntervalSince(started))), \
      peak \(Text.bytes(ProcessMemory.peakBytes))
      """)
    print(target.relativePath)
  }

  private func diskBytes(_ folder: URL) throws -> Int {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return try names.filter { $0.contains(".safetensors") }.reduce(0) { sum, name in
      let path = folder.appendingPathComponent(name).path
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      return sum + (size ?? 0)
    }
  }
}
