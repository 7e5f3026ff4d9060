import KVCaches

/// Decides when requests may start, so that whatever starts can finish in the memory there is.
///
/// A text is charged with the most bytes that it and its branches may ever hold. Pages full of prompt are charged once to
/// requests in a row that share it.
struct Admission {
  private let room: Int
  private let charges: [KVForecast.Charge]
  private let leaders: [Int]
  /// Requests that run, by the leader of their prompt; a leader without any still holds the prompt.
  private var running: [Int: Set<Int>] = [:]
  private(set) var reserved = 0

  /// Charges all requests; none runs yet.
  ///
  /// - Parameters:
  ///   - requests: all requests, in the order in which they will start.
  ///   - prompts: which of them share a prompt.
  ///   - forecast: the bytes of caches.
  ///   - context: tokens that the model's context holds.
  ///   - room: most bytes of all caches together.
  /// - Throws: `GenerationError.memoryExceeded` for the first request that does not fit alone.
  init(
    _ requests: [GenerationRequest], prompts: SharedPrompts, forecast: KVForecast, context: Int,
    room: Int
  ) throws(GenerationError) {
    self.room = room
    leaders = requests.indices.map { prompts.leader(of: $0) }
    charges = requests.indices.map { index in
      Self.charge(
        requests[index], isShared: prompts.isShared(index), forecast: forecast, context: context)
    }
    for (index, charge) in charges.enumerated() where charge.total > room {
      let request = requests[index]
      throw .memoryExceeded(
        bytes: charge.total, room: room, prompt: request.prompt.count,
        reply: request.longestReply(context: context),
        fits: Self.longestFit(
          request, isShared: prompts.isShared(index), forecast: forecast, context: context,
          room: room))
    }
  }

  /// Starts a request if it and all that run can finish.
  mutating func start(_ request: Int) -> Bool {
    let leader = leaders[request]
    for other in running.keys where other != leader && running[other]?.isEmpty == true {
      running[other] = nil
      reserved -= charges[other].shared
    }
    let charge = charges[request]
    let bytes = charge.own + (running[leader] == nil ? charge.shared : 0)
    guard reserved + bytes <= room else { return false }
    reserved += bytes
    running[leader, default: []].insert(request)
    return true
  }

  /// Says that a request and all its branches have ended.
  mutating func end(_ request: Int) {
    guard running[leaders[request]]?.remove(request) != nil else { return }
    reserved -= charges[request].own
  }

  /// What a request, with its branches, is charged with.
  static func charge(
    _ request: GenerationRequest, isShared: Bool, forecast: KVForecast, context: Int
  ) -> KVForecast.Charge {
    let prompt = request.prompt.count
    var charge = forecast.charge(
      prompt: prompt, reply: request.longestReply(context: context), isShared: isShared)
    if let budget = request.budget {
      for branch in request.branches {
        let end =
          prompt
          + min(
            branch + budget.cue.count + budget.answerLimit, request.tokenLimit(context: context))
        // It shares the pages that are full where it branches off, before the drawn token or the words in
        // its place.
        let start = prompt + max(0, branch - max(budget.wait.count, 1))
        charge.own += forecast.branchBytes(start: start, end: end, prompt: prompt)
      }
    }
    return charge
  }

  /// The longest reply to the request's prompt that fits, in tokens; 0 for none.
  private static func longestFit(
    _ request: GenerationRequest, isShared: Bool, forecast: KVForecast, context: Int, room: Int
  ) -> Int {
    var plain = request
    plain.budget = nil
    plain.branches = []
    var (fits, beyond) = (0, request.tokenLimit(context: context) + 1)
    while fits + 1 < beyond {
      plain.maxTokens = (fits + beyond) / 2
      let charge = charge(plain, isShared: isShared, forecast: forecast, context: context)
      if charge.total <= room { fits = plain.maxTokens } else { beyond = plain.maxTokens }
    }
    return fits
  }
}
