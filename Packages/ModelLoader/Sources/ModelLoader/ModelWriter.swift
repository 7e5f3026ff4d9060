import JSON
import Tensors

/// Takes the tensors of a model, one at a time, and makes files of them that appear whole or not at
/// all.
public protocol ModelWriter: AnyObject {
  /// The type in which scales of quantized layers are stored. A quantizer that rounds its scales to
  /// this type before it chooses codes loses nothing when they are written.
  var scaleType: DType { get }

  /// Makes sure, before any work, that quantized layers can be written and that other programs will
  /// read them where the files are meant for these.
  ///
  /// - Throws: `.unsupported` naming the layer and what the format cannot hold.
  func check(_ layers: [PlannedLayer]) throws(CheckpointError)

  /// Appends a tensor that is no weight of a linear layer.
  ///
  /// - Throws: `.system` when the disk is full; `.value` for a name that was used before.
  func append(_ tensor: Tensor, named name: String) throws(CheckpointError)

  /// Appends the weight of the linear layer `prefix`.
  ///
  /// - Throws: as above; `.unsupported` or `.tensors` when the format cannot hold the matrix.
  func append(_ linear: StoredLinear, named prefix: String) throws(CheckpointError)

  /// States a key of the configuration otherwise than the source.
  ///
  /// - Throws: `.unsupported` where the files have no such key.
  func setConfiguration(_ key: String, to value: JSONValue) throws(CheckpointError)

  /// Completes the files and gives them their name.
  ///
  /// - Parameter record: how the model was made.
  /// - Throws: `.system`; `.changed` when the source is no longer what was read; `.malformed` when
  ///   no tensor was written.
  func finish(record: some Encodable) throws(CheckpointError)

  /// Removes everything written so far.
  func cancel()
}
