import AppSupport
import ArgumentParser
import Compression
import Foundation
import ModelLoader
import DecoderModels
import Quantizers
import Tensors

/// `quantize`: a checkpoint in, a smaller checkpoint out.
struct Quantize: CommandOfManyDefaults, CommandOfOtherWork {
  static let configuration = CommandConfiguration(
    commandName: Program.called("quantize"),
    abstract: "Writes a smaller checkpoint: weights in 8, 4, 3 or 2 bits.",
    discussion: """
      The matrices of the decoder blocks are quantized in groups along their inputs, symmetrically; embedding, \
      norms and head keep their type. gptq uses calibration text to choose the codes that change the outputs \
      least; hqq searches the scales that suit the weights; rtn rounds to nearest. --scheme names formats of \
      weights and activations together. --type Q4_K_M and its like write K-quants for llama.cpp, of all matrices, \
      rounded to nearest by a search of the scales: the codes of gptq have no place in them.
      """,
    version: Program.version)

  static let firstWords = """
    say what to quantize: --model nano --bits 4 takes a second, larger models take minutes to hours; \
    'models' lists those that are here
    """

  static let otherWork = [
    OtherWork("inspect", "prints what a checkpoint holds", with: ["json", "pull", "offline"])
  ]

  /// The forms of the result.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case zstd
    case compressedTensors = "compressed-tensors"
    case gptq
    case gguf
    case safetensors

    /// Inputs that share a scale where nobody says otherwise.
    var usualGroup: Int { self == .gguf ? 32 : 128 }

    /// How the files of a plan's result are written. A zero point of 0 has no place in version 1 of
    /// GPTQ's files.
    func layout(for plan: CompressionPlan) throws -> CheckpointLayout {
      switch self {
      case .zstd: try CheckpointLayout(container: .zstd, method: plan.storage)
      case .compressedTensors, .gguf:
        try CheckpointLayout(container: .safetensors, method: plan.storage)
      case .gptq:
        try CheckpointLayout(
          container: .safetensors, method: plan.hasZeroPoints ? .gptqV2 : .gptq)
      case .safetensors: try CheckpointLayout(container: .safetensors, method: nil)
      }
    }
  }

  @Option(
    name: .shortAndLong,
    help: "Model folder, GGUF file, or a name such as nano-0.5m, 4b or org/name.")
  var model = "nano"
  @OptionGroup(title: "Hub") var hub: HubFlags
  @OptionGroup(title: "Method") var settings: SettingsFlags
  @OptionGroup(title: "Calibration") var calibration: CalibrationFlags
  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "zstd (compressed without loss, for the commands here); for other engines compressed-tensors, gptq or gguf (one file); safetensors: dequantized, as large as the original, for any program (default: zstd; gguf with --type).",
      valueName: "format"))
  var givenFormat: Format?
  @Option(
    help:
      "The folder to write, or the file of gguf (default: out/MODEL-METHOD-BITSbit, or out/MODEL-SCHEME)."
  )
  var output: String?
  @Option(
    help:
      "Print what a checkpoint holds instead: scheme, bits a weight, bytes and digest of every tensor."
  )
  var inspect: String?
  @Flag(help: "With --inspect: print JSON.")
  var json = false
  @Flag(help: "Replace a model that is already there.")
  var force = false
  @Option(name: .shortAndLong, help: "Threads to compute with (default: all processors).")
  var threads: Int?

  var format: Format { givenFormat ?? (settings.type == nil ? .zstd : .gguf) }

  func validate() throws {
    if let type = settings.type, format != .gguf {
      throw ValidationError(
        "--type \(type.rawValue) is for GGUF files; it excludes --format \(format)")
    }
    if let output, output.lowercased().hasSuffix(".gguf"), format != .gguf {
      throw ValidationError(
        "--output \(output): a GGUF file is written by --format gguf; \(format.rawValue) is a folder"
      )
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): expected 1 to 1024")
    }
    if json, inspect == nil { throw ValidationError("--json needs --inspect") }
    if !settings.mayCalibrate, calibration.isGiven {
      throw ValidationError(
        "\(settings.methodFlag) needs no calibration; it excludes --calibration, --samples, --length, --chat-template and --calibration-numerics"
      )
    }
  }

  func run() throws {
    if let inspect { return try Inspection.show(ModelFolder.resolve(inspect, hub.use), json: json) }
    settings.noteIdleMethod()
    let started = Date()
    let folder = try ModelFolder.resolve(model, hub.use)
    let pool = try ThreadPool(
      workers: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let checkpoint = try Checkpoint(directory: folder, workers: pool.workers)
    try warnOfSecondRounding(checkpoint)
    let target = try prepareTarget(folder)
    let width = try DecoderSource(checkpoint, families: Known.families).shape.hiddenSize
    var plan = try settings.plan(usualGroup: format.usualGroup, width: width)
    if let numerics = calibration.numerics { plan.numerics = numerics }
    let writer = try writer(of: checkpoint, to: target, for: plan)
    do {
      var (record, store, times, concerns) = try compress(
        checkpoint, by: plan, to: target, into: writer, pool: pool)
      do {
        try store.retire()
        try times.measure(.writing) { try writer.finish(record: record) }
      } catch {
        store.restore()
        sayWhatIsKept(in: store)
        throw error
      }
      store.remove()
      try QuantizeReport(record: record, times: times, concerns: concerns)
        .show(
          source: checkpoint, target: target, started: started,
          rounded: (writer as? GGUFWriter)?.rounded ?? [])
    } catch {
      writer.cancel()
      throw error
    }
  }

  /// Says of a model in fewer bits that it is quantized a second time.
  private func warnOfSecondRounding(_ checkpoint: Checkpoint) throws {
    guard let first = try checkpoint.quantization() else { return }
    let bits = Set(first.schemes.map(\.bits)).sorted().map { "\($0)" }.joined(separator: ", ")
    Console.note(
      "warning: \(checkpoint.modelName) is quantized already (\(bits) bits, \(first.method.rawValue)): what "
        + "that lost stays lost, and the errors below come on top; the model's own floats give a better result"
    )
  }

  private func writer(
    of checkpoint: Checkpoint, to target: URL, for plan: CompressionPlan
  ) throws -> any ModelWriter {
    format == .gguf
      ? try GGUFWriter(
        target: target, source: checkpoint, name: checkpoint.modelName, mix: settings.type,
        replacing: force)
      : try CheckpointWriter(
        target: target, source: checkpoint, layout: format.layout(for: plan), replacing: force)
  }

  private func compress(
    _ checkpoint: Checkpoint, by plan: CompressionPlan, to target: URL,
    into writer: any ModelWriter, pool: ThreadPool
  ) throws -> (CompressionRecord, BlockStore, PhaseTimes, concerns: [String]) {
    let compressor = try Compressor(
      checkpoint, families: Known.families, plan: plan, scaleType: writer.scaleType, pool: pool)
    try compressor.check(writer)
    var before = PhaseTimes()
    let digest = try before.measure(.digest) { try checkpoint.digest() }
    let (sequences, used) = try shown(
      compressor, plan, checkpoint, digest: digest, target: target)
    let concerns =
      sequences.isEmpty
      ? [] : CalibrationConcerns.of(sequences, inputs: compressor.widestInput)
    for concern in concerns { Console.note("warning: \(concern)") }
    var record = CompressionRecord(
      plan: plan, source: checkpoint.modelName, sourceDigest: digest, calibration: used)
    // What is known only after the text was written was forecast before, and said.
    let forecast = try compressor.forecast(
      sequences: sequences.map(\.count), layout: format.layout(for: plan),
      writtenBits: settings.type?.mostBits)
    let isSaid = used?.isOwn == true
    try checkRoom(forecast, on: target, says: !isSaid)
    if !isSaid, let seconds = seconds(compressor, sequences.map(\.count), target) {
      Console.note("will take   about \(Text.duration(seconds))")
    }
    let store = try BlockStore(
      workFolder(of: target), source: checkpoint,
      identity: .init(
        source: record.sourceDigest, quantizer: String(describing: plan),
        calibration: CalibrationText.digest(of: sequences)), storage: plan.storage,
      scaleType: writer.scaleType, replacing: force)
    let line = ProgressLine("quantizing block")
    do throws(CompressionError) {
      let times = try compressor.run(
        sequences: sequences, store: store, writer: writer, record: &record
      ) { block, blocks, part in
        line.show(block, of: blocks, part: part)
        return !Interrupts.isPending
      }
      before.add(times)
      return (record, store, before, concerns)
    } catch {
      if !error.isTransient {
        // The model or a stored block is at fault: what is finished will never be of use.
        store.remove()
        if case .store = error {
          Console.note("finished blocks are removed; the same command starts anew")
        }
      } else {
        sayWhatIsKept(in: store)
      }
      throw error
    }
  }

  /// Says that finished blocks are kept, where there are any.
  private func sayWhatIsKept(in store: BlockStore) {
    guard store.keepIfUseful() else { return }
    Console.note("finished blocks are kept; the same command goes on after them")
  }

  /// Says what the run will take, and refuses one that cannot be.
  private func checkRoom(
    _ forecast: CompressionForecast, on target: URL, says: Bool = true
  ) throws {
    let parent = target.deletingLastPathComponent().path
    let disk = (try? FileManager.default.attributesOfFileSystem(forPath: parent))
      .flatMap { ($0[.systemFreeSize] as? NSNumber)?.intValue }
    let memory = MachineMemory.bytes
    if says {
      Console.note(
        "needs       at most \(Text.bytes(forecast.memoryBytes)) of memory (\(Text.bytes(memory)) free) and "
          + "\(Text.bytes(forecast.diskBytes)) of disk"
          + (disk.map { " (\(Text.bytes($0)) free)" } ?? ""))
    }
    if forecast.memoryBytes > memory {
      throw UserError(
        "needs \(Text.bytes(forecast.memoryBytes)) of memory, \(Text.bytes(memory)) are free; "
          + "fewer or shorter calibration samples (--samples, --length) need less")
    }
    if let disk, forecast.diskBytes > disk {
      throw UserError(
        "needs \(Text.bytes(forecast.diskBytes)) of disk, \(parent) has \(Text.bytes(disk)) free")
    }
  }

  /// How long the run will take, where it is long. What is wrong with a model the run itself says.
  private func seconds(_ compressor: Compressor, _ sequences: [Int], _ target: URL) -> Double? {
    (try? compressor.secondsForecast(sequences: sequences, beside: workFolder(of: target)))
      .flatMap { $0 }
  }

  /// Where finished blocks wait: beside the target, hidden.
  private func workFolder(of target: URL) -> URL {
    target.deletingLastPathComponent().appendingPathComponent(".\(target.lastPathComponent).blocks")
  }

  /// The calibration's token sequences and what to record of them; none for methods that do
  /// without.
  private func shown(
    _ compressor: Compressor, _ plan: CompressionPlan, _ checkpoint: Checkpoint, digest: String,
    target: URL
  ) throws -> ([[Int32]], CompressionRecord.Calibration?) {
    guard compressor.needsCalibration else { return ([], nil) }
    let (file, sequences): (String, [[Int32]])
    let source = try calibration.source(for: model)
    switch source {
    case .file(let url):
      (file, sequences) = (
        url.lastPathComponent, try calibration.sequences(of: url, checkpoint)
      )
    case .own(let amount):
      try checkRoom(
        compressor.forecast(
          sequences: Array(repeating: amount.tokens, count: amount.sequences),
          layout: format.layout(for: plan)), on: target)
      let writer = SelfWriter(
        checkpoint, amount, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount,
        quantizing: seconds(
          compressor, Array(repeating: amount.tokens, count: amount.sequences), target))
      (file, sequences) = try writer.sequences(
        in: target.deletingLastPathComponent(), digest: digest)
    }
    let tokens = sequences.reduce(0) { $0 + $1.count }
    return (
      sequences,
      .init(
        file: file, sequences: sequences.count, tokens: tokens, isOwn: source.isOwn ? true : nil)
    )
  }

  /// The folder or file to write; the folder it stands in is made.
  private func prepareTarget(_ source: URL) throws -> URL {
    let ending = format == .gguf ? ".gguf" : ""
    let name = "\(ModelFolder.name(of: source))-\(settings.form)\(ending)"
    let target = URL(fileURLWithPath: output ?? "out/" + name)
    let attributes = try? FileManager.default.attributesOfItem(atPath: target.path)
    let model: FileAttributeType = format == .gguf ? .typeRegular : .typeDirectory
    if !force, attributes?[.type] as? FileAttributeType == model {
      BlockStore.removeRetired(workFolder(of: target))
      throw UserError("\(target.path): exists; --force replaces it, --output names another place")
    }
    try OutputFolder.make(target.deletingLastPathComponent())
    return target
  }
}
