/// How alike the texts of two runs are in meaning, as far as a model's states tell.
///
/// BERTScore and the similarity of sentences are defined for any states of tokens in their context.
/// Published figures take those of an encoder; here they are those of whatever model is loaded, by
/// whose name the figures have to be called.
public struct StateSimilarity: Sendable, Hashable {
  /// Mean F1 of BERTScore over items, without weights and rescaling.
  public let bertScore: Estimate
  /// Mean cosine of the means of the texts' states.
  public let sentences: Estimate

  /// Compares texts.
  ///
  /// - Parameters:
  ///   - texts: The texts.
  ///   - states: What the model makes of a text.
  /// - Throws: What `states` throws.
  public init<Failure: Error>(
    _ texts: TextPairs, states: (String) throws(Failure) -> TokenStates
  ) throws(Failure) {
    let means = try texts.means(2) { pair throws(Failure) in
      let reference = try states(pair.reference)
      // Equal texts, as most are where little changed, are run once.
      let candidate =
        pair.candidate == pair.reference ? reference : try states(pair.candidate)
      return [candidate.bertScore(reference: reference), candidate.cosine(reference)]
    }
    (bertScore, sentences) = (means[0], means[1])
  }
}

/// A model's states of the tokens of a text.
public struct TokenStates: Sendable, Hashable {
  /// Floats of a state.
  let width: Int
  /// The states, each divided by its length, `[tokens, width]`.
  let directions: [Float]
  /// Their mean before that.
  let mean: [Double]

  /// Tokens.
  var count: Int { directions.count / width }

  /// States `[tokens, width]`.
  public init(_ states: [Float], width: Int) {
    precondition(width > 0 && states.count % width == 0)
    self.width = width
    var directions = states
    var mean = [Double](repeating: 0, count: width)
    for start in stride(from: 0, to: states.count, by: width) {
      var square = 0.0
      for place in 0..<width {
        let value = Double(states[start + place])
        square += value * value
        mean[place] += value
      }
      let scale = square > 0 ? Float(1 / square.squareRoot()) : 0
      for place in start..<start + width { directions[place] *= scale }
    }
    self.directions = directions
    self.mean = mean.map { $0 / Double(max(states.count / width, 1)) }
  }

  /// F1 of BERTScore (Zhang et al., arXiv:1904.09675, section 3): precision is the mean over this
  /// text's tokens of the largest cosine with a token of the reference, recall that over the
  /// reference's. 0 where a text has no tokens, or the means are not positive.
  ///
  /// Cost: the product of both numbers of tokens and the width.
  func bertScore(reference: TokenStates) -> Double {
    precondition(width == reference.width)
    guard count > 0, reference.count > 0 else { return 0 }
    var own = [Float](repeating: -1, count: count)
    var other = [Float](repeating: -1, count: reference.count)
    directions.withUnsafeBufferPointer { one in
      reference.directions.withUnsafeBufferPointer { two in
        for row in own.indices {
          for column in other.indices {
            let cosine = Self.product(one, row * width, two, column * width, width)
            own[row] = max(own[row], cosine)
            other[column] = max(other[column], cosine)
          }
        }
      }
    }
    let precision = own.reduce(0) { $0 + Double($1) } / Double(own.count)
    let recall = other.reduce(0) { $0 + Double($1) } / Double(other.count)
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
  }

  /// The cosine of the means of two texts' states; 0 where one has no tokens.
  func cosine(_ other: TokenStates) -> Double {
    precondition(width == other.width)
    func product(_ one: [Double], _ two: [Double]) -> Double {
      zip(one, two).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let lengths = product(mean, mean) * product(other.mean, other.mean)
    return lengths > 0 ? product(mean, other.mean) / lengths.squareRoot() : 0
  }

  /// The inner product of two rows, eight floats at a time in one fixed order.
  private static func product(
    _ one: UnsafeBufferPointer<Float>, _ start: Int, _ two: UnsafeBufferPointer<Float>,
    _ otherStart: Int, _ width: Int
  ) -> Float {
    guard let first = one.baseAddress, let second = two.baseAddress else { return 0 }
    let (left, right) = (first + start, second + otherStart)
    var sum = SIMD8<Float>.zero
    let whole = width / 8 * 8
    for place in stride(from: 0, to: whole, by: 8) {
      sum +=
        UnsafeRawPointer(left + place).loadUnaligned(as: SIMD8<Float>.self)
        * UnsafeRawPointer(right + place).loadUnaligned(as: SIMD8<Float>.self)
    }
    return (whole..<width).reduce(sum.sum()) { $0 + left[$1] * right[$1] }
  }
}
