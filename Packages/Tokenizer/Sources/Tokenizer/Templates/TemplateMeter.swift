/// Counts the work and the output of one rendering and stops it at the limits.
struct TemplateMeter {
  private let limits: ChatTemplate.Limits
  private var steps = 0
  private var depth = 0

  init(_ limits: ChatTemplate.Limits) { self.limits = limits }

  /// Counts `count` steps.
  @inline(__always)
  mutating func charge(_ count: Int = 1) throws(TokenizerError) {
    let (sum, overflow) = steps.addingReportingOverflow(count)
    steps = sum
    if overflow || sum > limits.steps {
      throw .templateLimit(name: "steps", limit: limits.steps)
    }
  }

  /// Counts the work of handling `count` bytes.
  mutating func charge(bytes count: Int) throws(TokenizerError) { try charge(1 + count / 128) }

  /// Counts work that grows with the product of two sizes.
  mutating func charge(bytes first: Int, times second: Int) throws(TokenizerError) {
    let (product, overflow) = first.multipliedReportingOverflow(by: second)
    try charge(bytes: overflow ? .max - 128 : product)
  }

  mutating func checkOutput(bytes: Int) throws(TokenizerError) {
    if bytes > limits.outputBytes {
      throw .templateLimit(name: "bytes of output", limit: limits.outputBytes)
    }
  }

  /// Enters a nested evaluation; ``leave()`` ends it.
  @inline(__always)
  mutating func enter() throws(TokenizerError) {
    depth += 1
    if depth > limits.depth {
      throw .templateLimit(name: "nested evaluations", limit: limits.depth)
    }
  }

  @inline(__always)
  mutating func leave() { depth -= 1 }
}
