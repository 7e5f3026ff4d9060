import AppSupport
import ArgumentParser
import Compression
import Foundation
import MemoryPlanner
import ModelLoader
import Quantizers
import SystemCalls
import Tensors

extension QuantizerSettings.Method: ExpressibleByArgument {}

extension GGUFMix {
  /// A mix by its name, in any case.
  ///
  /// - Throws: `ValidationError` that says how types that are no mix are written.
  init(argument: String) throws {
    if let mix = GGUFMix(named: argument) {
      self = mix
      return
    }
    let bits = ["Q8_0": 8, "Q4_0": 4, "F16": 16, "BF16": 16, "F32": 16][argument.uppercased()]
    throw ValidationError(
      bits.map { "no mix of K-quants; --bits \($0) --format gguf writes such files" }
        ?? "expected one of \(GGUFMix.allCases.map(\.rawValue).joined(separator: ", "))")
  }
}

/// The flags that say how layers are quantized; the defaults are the paper's.
struct SettingsFlags: ParsableArguments {
  @Option(
    name: .customLong("bits"),
    help: ArgumentHelp(
      "Bits of a weight: 8, 4, 3 or 2; 16 writes them as they are, in another form (default: 4).",
      valueName: "bits"))
  var givenBits: Int?
  @Option(
    name: .customLong("method"),
    help: ArgumentHelp(
      "gptq; hqq and rtn need no calibration text (default: gptq).", valueName: "method"))
  var givenMethod: QuantizerSettings.Method?
  @Option(
    help: ArgumentHelp(
      "A mix of K-quants for a GGUF file, embedding and head included: \(GGUFMix.allCases.map(\.rawValue).joined(separator: ", ")). Scales are searched and weights rounded to nearest, without calibration.",
      valueName: "mix"), completion: .list(GGUFMix.allCases.map(\.rawValue)),
    transform: { try GGUFMix(argument: $0) })
  var type: GGUFMix?
  @Option(
    help: "Inputs that share a scale; 0 for one scale a row (default: 128; 32 in GGUF files).")
  var groupSize: Int?
  @Flag(help: "Give every group a zero point of its own.")
  var asymmetric = false
  @Flag(help: "Search the scale with the least error (gptq, rtn).")
  var mse = false
  @Flag(inversion: .prefixedNo, help: "GPTQ: round the most used inputs first.")
  var actOrder = true
  @Flag(inversion: .prefixedNo, help: "GPTQ: find all scales before the first input is rounded.")
  var staticGroups = true
  @Option(
    help:
      "GPTQ: what is added to the diagonal of the Hessian, as a part of its mean (default: 0.01).")
  var damping: Float?
  @Option(
    help: ArgumentHelp(
      "SmoothQuant: what part of the activations' difficulty moves to the weights before they are quantized, 0 to 1 (default: none).",
      valueName: "strength"))
  var smooth: Float?
  @Option(
    help:
      "quik-w4a4: inputs of a layer that stay floats, more in wider layers (default: a sixteenth of the model's width, at most 256)."
  )
  var outliers: Int?
  @Option(
    help:
      "quik-w4a4: a layer whose largest activation is at most this has no outliers (default: 0).")
  var outlierThreshold: Float?
  @Option(
    help: ArgumentHelp(
      "Weights and activations together: \(WeightScheme.allCases.map(\.rawValue).joined(separator: ", ")); or rules for single layers: a JSON file (README, 'quantize').",
      valueName: "scheme|file"))
  var scheme: String?

  /// The bits that stand for weights as they are.
  static let unchanged = 16

  /// The scheme that is named; nil for a file.
  var preset: WeightScheme? { scheme.flatMap(WeightScheme.init(rawValue:)) }
  /// Bits of a weight.
  var bits: Int { type == nil ? givenBits ?? preset?.bits ?? 4 : Self.unchanged }
  /// The method of all layers that no rule names.
  var method: QuantizerSettings.Method {
    givenMethod ?? preset?.settings(from: QuantizerSettings()).method ?? .gptq
  }
  /// Whether any layer may be quantized by a method that uses calibration.
  var mayCalibrate: Bool {
    type == nil && bits != Self.unchanged && method == .gptq || scheme != nil && preset == nil
      || smooth != nil
  }
  /// The flag that names the method.
  var methodFlag: String {
    if let type { return "--type \(type.rawValue)" }
    if bits == Self.unchanged { return "--bits \(bits)" }
    return preset.map { "--scheme \($0.rawValue)" } ?? "--method \(method.rawValue)"
  }
  /// What a result's name says of how it was made.
  var form: String {
    if let type { return type.rawValue }
    if let preset { return preset.rawValue }
    return (bits == Self.unchanged ? "" : "\(method.rawValue)-") + "\(bits)bit"
  }

  func validate() throws {
    if let type,
      givenBits != nil || givenMethod != nil || scheme != nil || groupSize != nil || asymmetric
        || mse
        || smooth != nil || !actOrder || !staticGroups || damping != nil
    {
      throw ValidationError(
        "--type \(type.rawValue) says all; it excludes --bits, --method, --scheme, --group-size, --asymmetric, --mse, --smooth and GPTQ's flags"
      )
    }
    if let preset,
      givenBits != nil || givenMethod != nil || groupSize != nil || asymmetric || mse
    {
      throw ValidationError(
        "--scheme \(preset.rawValue) says all; it excludes --bits, --method, --group-size, --asymmetric and --mse"
      )
    }
    guard QuantizedMatrix.codeBits.contains(bits) || bits == Self.unchanged else {
      throw ValidationError("--bits \(bits): expected 16, 8, 4, 3 or 2")
    }
    if let smooth, !(0...1).contains(smooth) {
      throw ValidationError("--smooth \(smooth): expected 0 to 1")
    }
    if preset != .quikW4A4, outliers != nil || outlierThreshold != nil {
      throw ValidationError("--outliers and --outlier-threshold need --scheme quik-w4a4")
    }
    if let outliers, !(0...1 << 20).contains(outliers) {
      throw ValidationError("--outliers \(outliers): expected 0 to \(1 << 20)")
    }
    if let outlierThreshold, !(outlierThreshold >= 0) {
      throw ValidationError("--outlier-threshold \(outlierThreshold): expected at least 0")
    }
    if bits == Self.unchanged, scheme != nil || groupSize != nil || asymmetric || mse {
      throw ValidationError(
        "--bits 16 quantizes nothing; it excludes --scheme, --group-size, --asymmetric and --mse")
    }
    if let groupSize, groupSize < 0 || groupSize % 8 != 0 {
      throw ValidationError("--group-size \(groupSize): expected a multiple of 8, or 0")
    }
    if let damping, !(0...1).contains(damping) {
      throw ValidationError("--damping \(damping): expected 0 to 1")
    }
    if method != .gptq, scheme == nil || preset != nil,
      !actOrder || !staticGroups || damping != nil
    {
      throw ValidationError(
        "\(methodFlag) excludes --damping, --no-act-order and --no-static-groups, which are GPTQ's")
    }
    if method == .hqq && mse {
      throw ValidationError("--method hqq searches by itself; it excludes --mse")
    }
  }

  /// Says of flags about a method that nothing is quantized by.
  func noteIdleMethod() {
    let given = [
      ("--method", givenMethod != nil), ("--damping", damping != nil),
      ("--no-act-order", !actOrder), ("--no-static-groups", !staticGroups),
    ]
    let idle = given.filter(\.1).map(\.0)
    guard type == nil, bits == Self.unchanged, !idle.isEmpty else { return }
    Console.note(
      "warning: --bits 16 quantizes nothing: \(idle.joined(separator: ", ")) had no effect")
  }

  /// What becomes of each layer; groups have `usualGroup` inputs where no flag says otherwise, and
  /// a residual stream `width` numbers.
  func plan(usualGroup: Int, width: Int) throws -> CompressionPlan {
    if let outliers, outliers > width / 2 {
      throw UserError(
        "--outliers \(outliers): at most half of the inputs can stay floats, \(width / 2) of this model's width of \(width)"
      )
    }
    var plan = try plan(of: settings(usualGroup: usualGroup, width: width))
    plan.smoothing = smooth
    return plan
  }

  private func settings(usualGroup: Int, width: Int) -> QuantizerSettings {
    let groupSize = groupSize ?? usualGroup
    var settings = QuantizerSettings()
    settings.method = method
    settings.bits = bits
    settings.groupSize = groupSize == 0 ? nil : groupSize
    settings.grid = asymmetric ? .asymmetric : .symmetric
    settings.scaleSearch = mse ? .leastError : .range
    settings.damping = damping ?? settings.damping
    settings.columnOrder = actOrder ? .activation : .natural
    settings.groupGrids = staticGroups ? .fixed : .finishedBlocks
    settings.outliers =
      outliers ?? (preset == .quikW4A4 ? WeightScheme.usualOutliers(width: width) : nil)
    settings.outlierThreshold = outlierThreshold
    return settings
  }

  private func plan(of settings: QuantizerSettings) throws -> CompressionPlan {
    if bits == Self.unchanged { return .unchanged }
    if let preset { return CompressionPlan(preset, from: settings) }
    guard let scheme else { return CompressionPlan(settings) }
    let rules: Data
    do throws(FileError) {
      rules = try RegularFile.contents(of: scheme, atMost: 1 << 20)
    } catch {
      let names = WeightScheme.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError(
        "--scheme \(scheme): is neither one of \(names) nor a file that can be read: \(error.reason)"
      )
    }
    return try CompressionPlan(settings, rulesFile: [UInt8](rules), file: scheme)
  }
}
