import AppSupport
import Evaluation
import Foundation

/// Puts the load of use cases on a target.
struct LoadRun: Sendable {
  let target: any LoadTarget
  /// Requests of a measurement.
  let requests: Int
  /// Rates that are tried.
  let steps: Int

  /// One request at a time, behind one that only warms up.
  func latency(_ useCase: UseCase) async throws -> LoadRow {
    _ = try await target.send(useCase, number: Self.number(useCase, 0))
    var timings: [RequestTiming] = []
    var failed = 0
    for place in 1...requests {
      try Interrupts.check()
      do {
        timings.append(try await target.send(useCase, number: Self.number(useCase, place)))
      } catch {
        Console.note("note: \(useCase.name): \(error)")
        failed += 1
      }
    }
    return LoadRow(useCase, timings, failed: failed)
  }

  /// Requests together: the highest rate that holds the limits of the use case, or without limits
  /// what comes of all at once. The rate is 0 where none holds.
  func throughput(_ useCase: UseCase) async throws -> LoadRow {
    let alone = try await target.send(useCase, number: Self.number(useCase, 0))
    guard useCase.limits != nil else { return try await row(useCase, rate: nil, step: 1) }
    var search = RateSearch(start: 1 / max(alone.end, 1e-3), steps: steps)
    var best: LoadRow?
    var last: LoadRow?
    var step = 0
    while let rate = search.next {
      step += 1
      let row = try await row(useCase, rate: rate, step: step)
      let figures = String(
        format: "%.3g requests/s: first token p99 %.3g s, between p99 %.3g s", rate,
        row.first?.p99 ?? .nan, row.between?.p99 ?? .nan)
      Console.note("\(useCase.name): \(figures), \(row.holdsLimits ? "holds" : "does not hold")")
      if row.holdsLimits, row.rate ?? 0 > best?.rate ?? 0 { best = row }
      last = row
      search.take(holds: row.holdsLimits)
    }
    return best ?? last?.atRest ?? LoadRow(useCase, [], failed: 0, rate: 0)
  }

  /// Sends requests at even distances, or all at once, and waits for all of them. The rate is what
  /// was answered a second, at most what was sent.
  private func row(_ useCase: UseCase, rate: Double?, step: Int) async throws -> LoadRow {
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: RequestTiming?.self) { group in
      for place in 0..<requests {
        try Interrupts.check()
        if let rate {
          try await Task.sleep(until: start + .seconds(Double(place) / rate), clock: .continuous)
        }
        let number = Self.number(useCase, step << 20 + place)
        group.addTask { try? await target.send(useCase, number: number) }
      }
      var timings: [RequestTiming] = []
      for try await timing in group {
        if let timing { timings.append(timing) }
      }
      try Interrupts.check()
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let answered = Double(timings.count) / seconds
      return LoadRow(
        useCase, timings, failed: requests - timings.count,
        rate: rate.map { min($0, answered) } ?? answered)
    }
  }

  /// A number that no other request of any use case has.
  private static func number(_ useCase: UseCase, _ place: Int) -> Int {
    (useCase.prompt << 16 ^ useCase.generated) << 26 &+ place &+ 1
  }
}
