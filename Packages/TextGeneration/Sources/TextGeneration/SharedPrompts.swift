import KVCaches

/// What samples of one prompt share: requests in a row with equal prompts run it once.
///
/// Pages are shared by copying the cache value; a sample copies the page it first writes to.
struct SharedPrompts {
  private struct Outcome {
    let cache: KVCache
    let logits: [Float]
  }

  /// For each request the first of those in a row with the same prompt.
  private let leaders: [Int]
  private var outcomes: [Int: Outcome] = [:]

  init(_ requests: [GenerationRequest]) {
    var leaders: [Int] = []
    for index in requests.indices {
      let isEqual = index > 0 && requests[index].prompt == requests[index - 1].prompt
      leaders.append(isEqual ? leaders[index - 1] : index)
    }
    self.leaders = leaders
  }

  /// The request that runs the prompt of `request`: the first in a row with the same one.
  func leader(of request: Int) -> Int { leaders[request] }

  /// Whether a request shares its prompt with another.
  func isShared(_ request: Int) -> Bool { !runsPrompt(request) || isAwaited(request) }

  /// Whether a request runs its prompt itself.
  func runsPrompt(_ request: Int) -> Bool { leaders[request] == request }

  /// Whether requests after `leader` wait for its prompt.
  func isAwaited(_ leader: Int) -> Bool {
    leader + 1 < leaders.count && leaders[leader + 1] == leader
  }

  /// Keeps what running the prompt of `leader` gave: its cache and the last token's logits.
  mutating func keep(_ cache: KVCache, logits: [Float], of leader: Int) {
    outcomes[leader] = Outcome(cache: cache, logits: logits)
  }

  /// The cache and logits a request starts with, when another one ran its prompt.
  func outcome(for request: Int) -> (cache: KVCache, logits: [Float])? {
    outcomes[leaders[request]].map { ($0.cache, $0.logits) }
  }

  /// Lets go of prompts that neither `next` nor a later request starts with.
  mutating func releaseAll(before next: Int) {
    let needed = next < leaders.count ? leaders[next] : nil
    outcomes = outcomes.filter { $0.key == needed }
  }
}
