import DecoderModels
import KVCaches
import ModelLoader
import Quantizers
import Tensors
import TextGeneration

/// What can go wrong when a model is made smaller.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
  /// The method needs calibration text and there is none.
  case noCalibration(method: String)
  /// A calibration file that cannot be used; `line` where it is one line's fault.
  case calibration(file: String, line: Int?, reason: String)
  /// A rule for single layers that cannot be followed; `file` where it is the file's fault whatever
  /// the model.
  case rule(file: String?, rule: String, reason: String)
  /// The store of finished blocks belongs to another run.
  case otherRun(folder: String, differences: [String])
  /// The store of finished blocks cannot be used.
  case store(folder: String, reason: String)
  /// A tensor that is not quantized holds NaN or infinity.
  case nonFiniteTensor(name: String, position: Int)
  /// A change of the weights before quantizing that this model cannot have.
  case transform(name: String, reason: String)
  /// A layer that could not be quantized.
  case layer(name: String, reason: QuantizerError)
  /// What is wrong with a file of the source, of the result or of the rules.
  case checkpoint(CheckpointError)
  /// The model cannot be made or run.
  case model(ModelError)
  /// The model's heads cannot be kept while calibration text is read.
  case cache(KVPolicyError)
  /// Memory or a matrix was refused.
  case tensors(TensorError)
  /// The model could not write its own calibration text.
  case generation(GenerationError)
  /// The caller asked for the end.
  case stopped

  /// One sentence naming the layer or file.
  public var description: String {
    switch self {
    case .noCalibration(let method):
      "\(method) needs calibration text"
    case .calibration(let file, let line, let reason):
      file + (line.map { ", line \($0)" } ?? "") + ": " + reason
    case .rule(let file, let rule, let reason):
      (file.map { $0 + ": " } ?? "") + "\(rule): \(reason)"
    case .otherRun(let folder, let differences):
      "\(folder): holds blocks of another run (other \(differences.joined(separator: ", "))); "
        + "--force starts anew"
    case .store(let folder, let reason):
      "\(folder): \(reason)"
    case .nonFiniteTensor(let name, let position):
      "tensor \(name): element \(position) is NaN or infinite"
    case .transform(let name, let reason):
      "\(name): \(reason)"
    case .layer(let name, let reason):
      "layer \(name): \(reason)"
    case .checkpoint(let error):
      error.description
    case .model(let error): "\(error)"
    case .cache(let error): "\(error)"
    case .tensors(let error): "\(error)"
    case .generation(let error): "\(error)"
    case .stopped: "stopped"
    }
  }
}

extension CompressionError {
  /// Whether the same run may succeed another time: a file, the disk or memory is at fault or the
  /// caller ended it, not what the model holds.
  public var isTransient: Bool {
    switch self {
    case .checkpoint(let error), .model(.checkpoint(let error)): !error.isOfContent
    case .model, .cache, .tensors, .generation, .stopped, .layer(_, .tensor): true
    default: false
    }
  }

  /// Runs what throws errors of files.
  static func wrapping<Result>(
    _ body: () throws(CheckpointError) -> Result
  ) throws(CompressionError) -> Result {
    do { return try body() } catch { throw .checkpoint(error) }
  }

  /// Runs what throws errors of models.
  static func wrapping<Result>(
    model body: () throws(ModelError) -> Result
  ) throws(CompressionError) -> Result {
    do {
      return try body()
    } catch {
      if case .checkpoint(let error) = error { throw .checkpoint(error) }
      throw .model(error)
    }
  }

  /// Runs what throws errors of quantizers, of some layers.
  static func wrapping<Result>(
    layer name: String, _ body: () throws(QuantizerError) -> Result
  ) throws(CompressionError) -> Result {
    do { return try body() } catch { throw .layer(name: name, reason: error) }
  }

  /// Runs what throws errors of tensors.
  static func wrapping<Result>(
    tensors body: () throws(TensorError) -> Result
  ) throws(CompressionError) -> Result {
    do { return try body() } catch { throw .tensors(error) }
  }
}
