import MemoryPlanner
import ModelLoader
import Tensors

/// What can go wrong when a model is made or run.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// `config.json` names a model type that no family here maps; `reason` says what such a model has
  /// that is missing here, where that is known, and `known` what works.
  case unknownFamily(file: String, found: String, reason: String?, known: [String])
  /// What is wrong with a file, key or tensor of the model.
  case checkpoint(CheckpointError)
  /// Sizes that the memory equations cannot hold.
  case shape(PlannerError)
  /// Memory was refused.
  case tensors(TensorError)
  /// A token id outside the embedding.
  case tokenOutOfRange(id: Int32, vocabulary: Int)
  /// More tokens than the model has positions for.
  case contextExceeded(tokens: Int, limit: Int)

  /// One sentence with the values.
  public var description: String {
    switch self {
    case .unknownFamily(let file, let found, let reason, let known):
      "\(file): model_type \(found) is not supported\(reason.map { ": \($0)" } ?? ""); "
        + "what works: \(known.joined(separator: ", "))"
    case .checkpoint(let error): error.description
    case .shape(let error): "\(error)"
    case .tensors(let error): "\(error)"
    case .tokenOutOfRange(let id, let vocabulary):
      "token id \(id) is outside the vocabulary 0..<\(vocabulary)"
    case .contextExceeded(let tokens, let limit):
      "\(tokens) tokens do not fit the model's context of \(limit)"
    }
  }
}
