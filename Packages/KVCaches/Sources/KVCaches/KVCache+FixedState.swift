import KVLayout
import Tensors

extension KVCache {
  /// Reads and writes the state that a layer holds in place of keys and values
  /// (`KVShape.fixedFloats`): zeros at first; a copy of the cache keeps the state it had when it
  /// was copied.
  ///
  /// - Parameters:
  ///   - layer: a layer that does not attend.
  ///   - tokens: tokens that the state takes in; they count towards `position`.
  ///   - body: called with the state.
  /// - Returns: what `body` returns.
  /// - Throws: `TensorError.outOfMemory` when no copy can be had; the state is then as before.
  public mutating func updateFixedState<Result>(
    of layer: Int, tokens: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Result
  ) throws(TensorError) -> Result {
    body(try openFixedState(of: layer, tokens: tokens))
  }

  /// The state of a layer, to be read and written by any thread until the cache is next copied,
  /// written or released; see `updateFixedState`.
  ///
  /// - Throws: `TensorError.outOfMemory` when no copy can be had; the state is then as before.
  public mutating func openFixedState(
    of layer: Int, tokens: Int
  ) throws(TensorError) -> UnsafeMutableBufferPointer<Float> {
    precondition(!shape.attends(layer), "layer \(layer) holds keys and values")
    let isUnique = isKnownUniquelyReferenced(&layers[layer].fixed)
    let state: CountedFloats
    if let held = layers[layer].fixed {
      state = isUnique ? held : try held.copy()
    } else {
      state = try CountedFloats(count: shape.fixedFloats[layer], meter: meter, kind: .fixed)
    }
    layers[layer].fixed = state
    layers[layer].seen += tokens
    return state.withFloats { $0 }
  }
}
