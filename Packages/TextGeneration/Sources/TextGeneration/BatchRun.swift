/// Requests under way, event by event: for callers whose own work on an event may fail. What is
/// left when the caller lets go of it ends, and leaves no pages behind.
///
/// ```
/// var run = try generator.start(requests, concurrency: 4)
/// while let event = try run.next() { ... }
/// ```
public struct BatchRun {
  private let generator: BatchGenerator
  private var batch: DecodingBatch
  /// The batch's names of the requests, by index, and the other way.
  private var ids: [RequestID] = []
  private var indices: [RequestID: Int] = [:]
  /// What happened in the last step and was not told yet.
  private var pending: ArraySlice<DecodingBatch.Event> = []
  /// Texts that the caller ended after the last step.
  private var ended: Set<RequestID> = []

  /// Submits the requests to an idle batch.
  ///
  /// - Throws: `GenerationError` for a request that cannot be run.
  init(
    _ requests: [GenerationRequest], in batch: DecodingBatch, of generator: BatchGenerator
  ) throws(GenerationError) {
    self.generator = generator
    self.batch = batch
    for request in requests {
      let id = try self.batch.submit(request)
      indices[id] = ids.count
      ids.append(id)
    }
    generator.timings = GenerationTimings()
  }

  /// What happened next; nil when all texts are complete.
  ///
  /// - Throws: as `DecodingBatch.step` does.
  public mutating func next() throws(GenerationError) -> BatchGenerator.Event? {
    while true {
      while let event = pending.popFirst() {
        if let told = translated(event) { return told }
      }
      if batch.isIdle { return nil }
      pending = try batch.step()[...]
      generator.timings = batch.timings
      ended = []
    }
  }

  /// Ends the text of a request and its branches; the next event is its end. Does nothing where the
  /// text is complete, or did not start.
  public mutating func end(_ request: Int) {
    guard ids.indices.contains(request), ended.insert(ids[request]).inserted,
      let result = batch.cancel(ids[request])
    else { return }
    pending = [.finished(ids[request], result: result)] + pending
  }

  /// An event with the request's index; nil for one that is no longer wanted. A text that ended in
  /// the step in which the caller ended it was ended by the caller.
  private func translated(_ event: DecodingBatch.Event) -> BatchGenerator.Event? {
    switch event {
    case .token(let id, let token):
      guard !ended.contains(id), let index = indices[id] else { return nil }
      return .token(request: index, token)
    case .branched(let id, let budget, let result):
      guard !ended.contains(id), let index = indices[id] else { return nil }
      return .branched(request: index, budget: budget, result: result)
    case .finished(let id, let result):
      guard let index = indices[id] else { return nil }
      return .finished(request: index, result: ended.contains(id) ? result.cancelled : result)
    }
  }
}
