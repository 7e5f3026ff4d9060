/// How often the proposals for a text are accepted, the latest of them counting most.
struct AcceptRate {
  private var accepted = 2.0
  private var rejected = 1.0
  /// What each step leaves of the weight of those before it.
  private static let memory = 0.85

  /// The most tokens to propose at once, and the most before anything is known.
  static let longest = 16
  private static let first = 2
  private var isKnown = false

  /// Takes in that `accepted` of `proposed` tokens were drawn; those behind the first that was not
  /// say nothing.
  mutating func take(accepted: Int, of proposed: Int) {
    isKnown = true
    self.accepted = self.accepted * Self.memory + Double(accepted)
    rejected = rejected * Self.memory + (accepted < proposed ? 1 : 0)
  }

  /// The share that is accepted where the proposals before were.
  var value: Double { accepted / (accepted + rejected) }

  /// The number of proposals that gives most tokens a second, where each takes `cost` of the time
  /// of a step without any; 0 where none pays.
  func bestLength(cost: Double) -> Int {
    var (best, most) = (0, 1.0)
    var (tokens, chance) = (1.0, 1.0)
    for length in 1...(isKnown ? Self.longest : Self.first) {
      chance *= value
      tokens += chance
      let speed = tokens / (1 + Double(length) * cost)
      if speed > most { (best, most) = (length, speed) }
    }
    return best
  }
}

/// What steps with and without proposals take, from which follows how many tokens are worth
/// proposing.
///
/// It keeps account of the time that proposals lost and won beside steps without any. Where more
/// than a seventieth of the time is lost nothing is proposed until that is made up for, and where
/// proposals do not seem to pay half as much goes into finding out whether they do by now. So what
/// they can cost is bounded, whatever a proposal takes and how seldom it is accepted.
struct SpeculationLedger {
  /// What steps of so many texts take, in seconds.
  private struct Pace {
    /// A step without proposals.
    var plain = 0.0
    var plainSteps = 0
    /// Each proposal on top, drafting and verifying.
    var proposal: Double?
    /// Steps with proposals since the last without.
    var streak = 0
  }

  private var paces: [Int: Pace] = [:]
  private var elapsed = 0.0
  private var lost = 0.0
  /// A step without proposals, as taken last.
  private var lastPlain = 0.0

  private static let mostLost = 0.014
  private static let exploring = 0.007
  /// Steps without proposals whose time may be lost before any is won.
  private static let credit = 0.75
  /// After so many steps with proposals one without is taken, so that its time is known.
  private static let longestStreak = 32
  /// What a proposal is taken to cost before one was made, as a share of a step.
  private static let assumedCost = 0.15
  /// What a proposal is taken to cost at least, as a share of a step, however short the step was.
  private static let leastCost = 0.02
  /// Tokens that are proposed where they are not expected to pay.
  private static let probe = 2

  /// Whether no more was lost than may be.
  var isSolvent: Bool { lost <= Self.mostLost * elapsed + Self.credit * lastPlain }

  /// How many tokens to propose for a text in a step of `texts` texts.
  func length(_ rate: AcceptRate, texts: Int) -> Int {
    guard let pace = paces[texts], pace.plainSteps > 1, pace.streak < Self.longestStreak, isSolvent
    else { return 0 }
    let cost =
      pace.plain > 0
      ? pace.proposal.map { $0 * Double(texts) / pace.plain } ?? Self.assumedCost : 0
    let best = rate.bestLength(cost: cost)
    if best > 0 { return best }
    return lost <= Self.exploring * elapsed ? Self.probe : 0
  }

  /// Takes in a step in which nobody was in a prompt.
  ///
  /// - Parameters:
  ///   - isPlain: whether none of their tokens were run again.
  ///   - texts: texts that took part.
  ///   - tokens: tokens that they got.
  ///   - proposed: tokens that were proposed.
  ///   - lag: tokens that came since proposals were asked for before, which a draft has to read.
  ///   - drafting: seconds that proposing took.
  ///   - seconds: seconds of the step, with `drafting`.
  mutating func take(
    isPlain: Bool = true, texts: Int, tokens: Int, proposed: Int, lag: Int = 0, drafting: Double,
    seconds: Double
  ) {
    var pace = paces[texts] ?? Pace()
    elapsed += seconds
    if proposed == 0, !isPlain {
      lost += seconds - pace.plain * Double(tokens) / Double(texts)
    } else if proposed == 0 {
      lost += drafting
      pace.streak = 0
      let plain = seconds - drafting
      // A step that something else held up says little.
      pace.plain =
        pace.plainSteps == 0 ? plain : pace.plain + (min(plain, 2 * pace.plain) - pace.plain) / 4
      pace.plainSteps += 1
      lastPlain = pace.plain
    } else {
      pace.streak += 1
      // No token costs more than a step of its own, be it verified, drafted or read by the draft:
      // what takes longer was held up by something else. Nor is one free: else where none is
      // accepted, the swing of the times would pass for a win and proposing would not end.
      let least = pace.plain * (1 + Self.leastCost * Double(proposed))
      let verifying = min(max(seconds - drafting, least), pace.plain * Double(1 + proposed))
      let drafting = min(drafting, pace.plain * Double(lag + proposed))
      let proposal = (verifying + drafting - pace.plain) / Double(proposed)
      pace.proposal = pace.proposal.map { $0 + (proposal - $0) / 4 } ?? proposal
      lost += verifying + drafting - pace.plain * Double(tokens) / Double(texts)
      // What was won long ago says nothing about the text as it is now.
      lost = max(lost, -8 * pace.plain)
    }
    paces[texts] = pace
  }
}
