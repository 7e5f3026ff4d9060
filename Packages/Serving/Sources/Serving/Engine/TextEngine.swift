import Foundation
import SystemCalls
import TextGeneration

/// What happened to one text of a submission.
public enum TextEvent: Sendable {
  /// A token was appended.
  case token(GeneratedToken)
  /// The text is complete.
  case finished(GenerationResult)
}

/// Why an engine does not take a submission.
public enum EngineRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// So many texts wait already.
  case busy(waiting: Int)
  /// It is about to end.
  case draining
  /// A request cannot be run.
  case request(GenerationError)

  /// One sentence for people.
  public var description: String {
    switch self {
    case .busy(let waiting): "\(waiting) texts wait already"
    case .draining: "the engine is about to end"
    case .request(let error): error.description
    }
  }
}

/// Texts that were submitted together.
public struct Submission: Sendable {
  /// What happens to them, step by step, each with the index of its text. The stream ends when all
  /// texts have ended or were cancelled; whoever stops listening cancels them. It fails with a
  /// `GenerationError` or an `EngineRefusal`; such streams have no type of error to choose.
  public let events: AsyncThrowingStream<[(text: Int, event: TextEvent)], any Error>
  let number: Int
  let engine: TextEngine

  /// Ends one text, of which nothing more is told than its end.
  public func cancel(_ text: Int) { engine.cancel(number, text: text) }

  /// Ends all texts.
  public func cancel() { engine.cancel(number, text: nil) }
}

/// A `DecodingBatch` that many callers share: one thread drives it, everybody may submit and
/// cancel.
public final class TextEngine: @unchecked Sendable {
  // Sendable by rule: the batch belongs to the driver's thread; what others touch is guarded by
  // `condition`.
  typealias Stream = AsyncThrowingStream<[(text: Int, event: TextEvent)], any Error>

  private enum Order {
    case submit(
      number: Int, [GenerationRequest], Stream.Continuation,
      CheckedContinuation<EngineRefusal?, Never>, at: ContinuousClock.Instant)
    case cancel(number: Int, text: Int?)
  }

  private let makeBatch: () -> DecodingBatch
  private let queuedTexts: Int
  private let concurrency: Int
  private let condition = NSCondition()
  private var orders: [Order] = []
  private var submissions = 0
  private var isDraining = false
  private var isStopped = false
  private var published = EngineStatus()

  /// Starts an engine.
  ///
  /// - Parameters:
  ///   - concurrency: the most texts decoded together, as the batch has it.
  ///   - queuedTexts: the most texts that wait.
  ///   - makeBatch: makes an empty batch: at first, and after a step that failed. It runs on the
  ///     driver's thread.
  public init(concurrency: Int, queuedTexts: Int, makeBatch: @escaping () -> DecodingBatch) {
    self.concurrency = concurrency
    self.queuedTexts = queuedTexts
    self.makeBatch = makeBatch
    let thread = Thread { [self] in drive() }
    thread.name = "decoding"
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// What the engine has done and has to do.
  public var status: EngineStatus { condition.withLock { published } }

  /// Whether it takes no more submissions.
  public var isEnding: Bool { condition.withLock { isDraining || isStopped } }

  /// Submits texts, which start in this order.
  ///
  /// - Throws: `EngineRefusal`.
  public func submit(
    _ requests: [GenerationRequest]
  ) async throws(EngineRefusal) -> Submission {
    let number = condition.withLock {
      submissions += 1
      return submissions
    }
    let (events, stream) = Stream.makeStream()
    stream.onTermination = { [weak self] reason in
      if case .cancelled = reason { self?.cancel(number, text: nil) }
    }
    let refusal = await withCheckedContinuation { reply in
      let isTaken = condition.withLock {
        if isDraining || isStopped { return false }
        orders.append(.submit(number: number, requests, stream, reply, at: .now))
        condition.signal()
        return true
      }
      if !isTaken { reply.resume(returning: .draining) }
    }
    if let refusal { throw refusal }
    return Submission(events: events, number: number, engine: self)
  }

  /// Takes no more submissions; what was submitted goes on.
  public func drain() { condition.withLock { isDraining = true } }

  /// Ends all texts and the driver's thread.
  public func stop() {
    condition.withLock {
      isStopped = true
      condition.signal()
    }
  }

  func cancel(_ number: Int, text: Int?) {
    condition.withLock {
      orders.append(.cancel(number: number, text: text))
      condition.signal()
    }
  }

  // MARK: The driver's thread

  /// The submissions that are under way, by number.
  private struct Work {
    struct Text {
      let submission: Int
      let index: Int
      let submitted: ContinuousClock.Instant
      var hasBegun = false
    }

    var texts: [RequestID: Text] = [:]
    var streams: [Int: Stream.Continuation] = [:]

    /// Forgets a text; a submission without any is over.
    mutating func end(_ id: RequestID) {
      guard let text = texts.removeValue(forKey: id) else { return }
      guard !texts.values.contains(where: { $0.submission == text.submission }) else { return }
      streams.removeValue(forKey: text.submission)?.finish()
    }
  }

  private func drive() {
    var batch = makeBatch()
    var work = Work()
    while let taken = nextOrders(isIdle: batch.isIdle) {
      for order in taken { perform(order, &batch, &work) }
      do {
        deliver(try batch.step(), &work)
        batch.rest()
      } catch {
        for stream in work.streams.values { stream.finish(throwing: error) }
        condition.withLock { published.failures += 1 }
        work = Work()
        batch = makeBatch()
      }
      publish(batch)
    }
    for stream in work.streams.values { stream.finish(throwing: EngineRefusal.draining) }
  }

  /// Seconds without work after which memory that texts have left goes back.
  private static let restingSeconds = 1.0

  /// Waits until there is something to do; nil at the end.
  private func nextOrders(isIdle: Bool) -> [Order]? {
    condition.withLock {
      var isResting = false
      while orders.isEmpty && isIdle && !isStopped {
        if isResting {
          condition.wait()
        } else if !condition.wait(until: Date() + Self.restingSeconds) {
          ProcessHeap.giveBack()
          isResting = true
        }
      }
      defer { orders = [] }
      guard isStopped else { return orders }
      for case .submit(_, _, _, let reply, _) in orders {
        reply.resume(returning: .draining)
      }
      return nil
    }
  }

  private func perform(_ order: Order, _ batch: inout DecodingBatch, _ work: inout Work) {
    switch order {
    case .cancel(let number, let text):
      let ended = work.texts.filter {
        $0.value.submission == number && (text == nil || $0.value.index == text)
      }
      for id in ended.keys.sorted(by: { ended[$0]?.index ?? 0 < ended[$1]?.index ?? 0 }) {
        let result = batch.cancel(id)
        // Whoever ends one text may want to know what it was.
        if let text, let result { work.streams[number]?.yield([(text, .finished(result))]) }
        work.end(id)
      }
      condition.withLock { published.cancelled += ended.count }
    case .submit(let number, let requests, let stream, let reply, let time):
      let load = batch.load
      let places = queuedTexts + max(0, concurrency - load.running)
      guard load.waiting + requests.count <= places || (load.waiting == 0 && load.running == 0)
      else {
        condition.withLock { published.refused += requests.count }
        return reply.resume(returning: .busy(waiting: load.waiting))
      }
      do throws(GenerationError) {
        for request in requests { try batch.check(request) }
        for (index, request) in requests.enumerated() {
          let id = try batch.submit(request)
          work.texts[id] = Work.Text(submission: number, index: index, submitted: time)
        }
        work.streams[number] = stream
        condition.withLock { published.submitted += requests.count }
        reply.resume(returning: nil)
      } catch {
        reply.resume(returning: .request(error))
      }
    }
  }

  /// Tells everybody what happened to their texts in a step.
  private func deliver(_ events: [DecodingBatch.Event], _ work: inout Work) {
    var told: [Int: [(text: Int, event: TextEvent)]] = [:]
    var begun: [Duration] = []
    var ended: [RequestID] = []
    var (finished, cached, prompts) = (0, 0, 0)
    for event in events {
      switch event {
      case .token(let id, let token):
        guard let text = work.texts[id] else { continue }
        if !text.hasBegun {
          work.texts[id]?.hasBegun = true
          begun.append(text.submitted.duration(to: .now))
        }
        told[text.submission, default: []].append((text.index, .token(token)))
      case .branched: continue
      case .finished(let id, let result):
        guard let text = work.texts[id] else { continue }
        told[text.submission, default: []].append((text.index, .finished(result)))
        ended.append(id)
        finished += 1
        cached += result.sharedPromptTokens
        prompts += result.counts.prompt
      }
    }
    for (number, events) in told { work.streams[number]?.yield(events) }
    for id in ended { work.end(id) }
    condition.withLock {
      published.finished += finished
      published.cachedPromptTokens += cached
      published.finishedPromptTokens += prompts
      for duration in begun { published.timeToFirstToken.add(duration / .seconds(1)) }
    }
  }

  private func publish(_ batch: DecodingBatch) {
    let load = batch.load
    let timings = batch.timings
    condition.withLock {
      published.running = load.running
      published.waiting = load.waiting
      published.reservedBytes = load.reservedBytes
      published.heldBytes = load.heldBytes
      published.promptTokens = timings.promptTokens
      published.generatedTokens = timings.generatedTokens
      published.promptSeconds = timings.promptSeconds
      published.generationSeconds = timings.generationSeconds
    }
  }
}
