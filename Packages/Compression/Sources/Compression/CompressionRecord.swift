import Quantizers

/// How a smaller checkpoint was made; written into it as `bitbudget.json`.
public struct CompressionRecord: Sendable, Codable {
  /// The calibration data.
  public struct Calibration: Sendable, Codable {
    /// Name of the file the text came from.
    public let file: String
    /// Sequences used.
    public let sequences: Int
    /// Tokens in all of them.
    public let tokens: Int
    /// True where the model wrote the text itself; nil for a file.
    public let isOwn: Bool?

    /// What was used.
    public init(file: String, sequences: Int, tokens: Int, isOwn: Bool? = nil) {
      self.isOwn = isOwn
      self.file = file
      self.sequences = sequences
      self.tokens = tokens
    }
  }

  /// One quantized layer.
  public struct Layer: Sendable, Codable {
    /// Its name in the checkpoint.
    public let name: String
    /// The form of its codes.
    public let scheme: QuantizationScheme
    /// The errors it makes.
    public let report: QuantizationReport
    /// Of a layer of an expert: calibration rows that reached it.
    public var reached: Int?
    /// True where those were so few that it was rounded to nearest instead.
    public var isRounded: Bool?
  }

  /// Version of this file's form.
  public var format = 2
  /// Name of the program that wrote it.
  public var writer = "BitBudget"
  /// Methods and settings.
  public let plan: CompressionPlan
  /// Name of the source's folder.
  public let source: String
  /// SHA-256 over the source's tensors; see `Checkpoint.digest`.
  public let sourceDigest: String
  /// The calibration, where the method used one.
  public let calibration: Calibration?
  /// All quantized layers, in the order of the model.
  public internal(set) var layers: [Layer] = []

  /// A record without layers yet.
  public init(
    plan: CompressionPlan, source: String, sourceDigest: String, calibration: Calibration?
  ) {
    self.plan = plan
    self.source = source
    self.sourceDigest = sourceDigest
    self.calibration = calibration
  }

  /// Mean of the layers' relative output errors, where calibration measured them, else of the
  /// weights' errors.
  public var meanError: Double {
    let outputs = layers.compactMap(\.report.layerError)
    let errors = outputs.isEmpty ? layers.map(\.report.weightError) : outputs
    return errors.isEmpty ? 0 : errors.reduce(0, +) / Double(errors.count)
  }
}
