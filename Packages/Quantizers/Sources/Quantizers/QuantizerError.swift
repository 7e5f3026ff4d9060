import Tensors

/// What can go wrong while quantizing a matrix. Callers know its name and put it in front.
public enum QuantizerError: Error, Equatable, CustomStringConvertible {
  /// A setting has a value that is not allowed.
  case invalidSetting(name: String, found: String, expected: String)
  /// `what` needed `expected` and got `found`.
  case shapeMismatch(what: String, expected: [Int], found: [Int])
  /// A weight is NaN or infinite.
  case nonFiniteWeight(row: Int, column: Int)
  /// The Hessian is NaN or infinite: some activation was, or their squares are too large for F32.
  case nonFiniteHessian(row: Int, column: Int)
  /// The Hessian was made from no activations, or from zeros only: calibration never reached the
  /// matrix.
  case noCalibration(samples: Int)
  /// `method` needs a Hessian and none was given.
  case missingHessian(method: String)
  /// The Hessian is not positive definite even with `damping` times its mean diagonal added.
  case notPositiveDefinite(reason: String, damping: Float)
  /// A group's scale does not fit the type it is to be stored in.
  case scaleOutOfRange(row: Int, group: Int, type: DType)
  /// Weights, or products with activations, are beyond the range of F32.
  case overflow
  /// The work needs a matrix larger than memory or the library allows.
  case tensor(TensorError)

  /// The message for people.
  public var description: String {
    switch self {
    case .invalidSetting(let name, let found, let expected):
      "\(name) is \(found); expected \(expected)"
    case .shapeMismatch(let what, let expected, let found):
      "\(what): expected shape \(expected), found \(found)"
    case .nonFiniteWeight(let row, let column):
      "the weight at row \(row), column \(column) is NaN or infinite"
    case .nonFiniteHessian(let row, let column):
      "the Hessian is NaN or infinite at row \(row), column \(column); check the activations"
    case .noCalibration(let samples):
      "calibration never reached this matrix: \(samples) tokens, all of them zero"
    case .missingHessian(let method):
      "\(method) needs calibration activations and got none"
    case .notPositiveDefinite(let reason, let damping):
      "the Hessian is \(reason) even with damping \(damping)"
    case .scaleOutOfRange(let row, let group, let type):
      "the scale of row \(row), group \(group) does not fit \(type.rawValue)"
    case .overflow:
      "weights or activations are too large for F32 arithmetic"
    case .tensor(let error):
      error.description
    }
  }
}
