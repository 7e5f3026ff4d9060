import Foundation

extension EvaluationRun {
  /// The question of an item, for its first sample.
  public func question(_ index: Int) -> SampleQuestion {
    request(for: SampleID(index: index, sample: 0)).question
  }

  /// The questions and replies of a journal of this run or a part of it, in the order of the items.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal.
  public func replies(
    from journal: URL
  ) throws(EvaluationError) -> [(question: SampleQuestion, reply: SampleResponse)] {
    var records: [SampleRecord] = []
    _ = try JournalIndex.read(journal) { records.append($0) }
    return records.sorted { $0.id < $1.id }.map { (request(for: $0.id).question, $0.response) }
  }
}
