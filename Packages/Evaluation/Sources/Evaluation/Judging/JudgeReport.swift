import Foundation

/// How often a judge prefers a model's answers to another's: Arena-Hard's score, from 0 to 1.
///
/// A verdict counts 1, 0 or half for a tie, and three times where an answer is significantly better:
/// the win rate that a Bradley-Terry model of the games of two models gives. Every question is
/// judged twice, in both orders; the score is the mean of those of the two orders.
public struct JudgeReport: Sendable, Hashable {
  /// The judge's run.
  public let summary: Summary
  /// Questions with a verdict in either order.
  public let questions: Int
  /// The score where the other model's answer is shown first, and where it is shown second; nil
  /// without verdicts.
  public let orders: [Double?]
  /// The mean of both; nil where one is missing.
  public let score: Double?
  /// Where 95 % of the scores lie of samples of the questions, drawn with replacement.
  public let interval: ClosedRange<Double>?
  /// Replies of the judge without a verdict, or with several.
  public let undecided: Int

  /// Sums of weights and of weighted scores, for both orders.
  private struct Games {
    var won = [0.0, 0.0]
    var weight = [0.0, 0.0]

    static func += (sum: inout Games, other: Games) {
      for order in 0..<2 {
        sum.won[order] += other.won[order]
        sum.weight[order] += other.weight[order]
      }
    }

    func score(_ order: Int) -> Double? { weight[order] > 0 ? won[order] / weight[order] : nil }

    var score: Double? {
      guard let first = score(0), let second = score(1) else { return nil }
      return (first + second) / 2
    }
  }

  /// Reads a judge's journal.
  ///
  /// - Parameters:
  ///   - journal: The journal.
  ///   - rounds: Samples of the questions for the interval.
  /// - Throws: ``EvaluationError`` for a damaged journal, or one that is no judge's.
  public init(journal: URL, rounds: Int = 1000) throws(EvaluationError) {
    summary = try Summary(journal: journal)
    guard summary.scenario.grading == .verdict else {
      throw .notComparable(reason: "\(journal.path) holds no verdicts of a judge")
    }
    var games: [Int: Games] = [:]
    var undecided = 0
    _ = try JournalIndex.read(journal) { record in
      guard record.response.finish != .failed else { return }
      guard let verdict = record.extracted.flatMap({ Verdict($0) }),
        let order = record.order?.first,
        (0..<2).contains(order)
      else {
        undecided += 1
        return
      }
      games[record.index, default: Games()].won[order] +=
        verdict.weight * verdict.score(of: record.key)
      games[record.index, default: Games()].weight[order] += verdict.weight
    }
    let all = games.sorted { $0.key < $1.key }.map(\.value)
    let total = all.reduce(into: Games()) { $0 += $1 }
    questions = all.count
    orders = [total.score(0), total.score(1)]
    score = total.score
    self.undecided = undecided
    interval = Self.interval(all, rounds: rounds)
  }

  /// The interval by the bootstrap of Efron (1979), percentiles of the score of samples of the
  /// questions, which are the independent draws: both games of a question go together.
  private static func interval(_ games: [Games], rounds: Int) -> ClosedRange<Double>? {
    guard games.count > 1 else { return nil }
    var random = PythonRandom(seed: 42)
    var scores: [Double] = []
    for _ in 0..<rounds {
      var sum = Games()
      for _ in games.indices { sum += games[random.number(below: games.count)] }
      if let score = sum.score { scores.append(score) }
    }
    guard scores.count > 1 else { return nil }
    scores.sort()
    func percentile(_ share: Double) -> Double {
      let place = share * Double(scores.count - 1)
      let (low, part) = (Int(place), place - place.rounded(.down))
      return scores[low] + part * (scores[min(low + 1, scores.count - 1)] - scores[low])
    }
    return percentile(0.025)...percentile(0.975)
  }
}

extension SummaryTable {
  /// A judge's scores.
  public init(_ report: JudgeReport) {
    func number(_ value: Double?) -> Cell { value.map(Cell.number) ?? .missing }
    let (summary, interval) = (report.summary, report.interval)
    let engine = summary.scenario.engine
    let range = interval.map { String(format: "%.4f to %.4f", $0.lowerBound, $0.upperBound) }
    self.init(rows: [
      [
        ("answers of", .text(engine[JudgeReport.answers] ?? "")),
        ("against", .text(engine[JudgeReport.baseline] ?? "")),
        ("judge", .text(engine["model"] ?? "")), ("questions", .count(Int64(report.questions))),
        ("other answer first", number(report.orders[0])),
        ("other answer second", number(report.orders[1])), ("score", number(report.score)),
        ("score_low95", number(interval?.lowerBound)),
        ("score_high95", number(interval?.upperBound)),
        ("95 % interval", range.map(Cell.text) ?? .missing),
        ("no verdict", .count(Int64(report.undecided))),
        ("failed", .count(Int64(summary.flags.failed))),
        ("fingerprint", .text(summary.fingerprint)),
      ]
    ])
  }
}

extension JudgeReport {
  /// The setting of a judge's run that names the model whose answers are judged.
  public static let answers = "answers"
  /// The setting that names the model with whose answers they are compared.
  public static let baseline = "baseline"
}
