import DecoderModels
import KVCaches

extension ForwardPass {
  /// The states of a text's tokens from an empty context, behind the last block and the norm before
  /// the head.
  ///
  /// - Parameter tokens: the text, no longer than the model's context.
  /// - Returns: `[tokens, hidden]`.
  /// - Throws: `GenerationError.model` for what the pass objects to, `.cache` for a model without a
  ///   cache.
  public func states(of tokens: [Int32]) throws(GenerationError) -> [Float] {
    var caches: [KVCache] = []
    do throws(KVPolicyError) { caches.append(try makeCache(meter: KVMeter())) } catch {
      throw .cache(error)
    }
    do throws(ModelError) {
      return try states(of: TokenRun(cache: 0, tokens: tokens), caches: &caches)
    } catch {
      throw .model(error)
    }
  }
}
