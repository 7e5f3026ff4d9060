import Evaluation

/// The place of this process in a Slurm job array or an indexed Kubernetes job.
public struct JobArray {
  /// The part of a run that the place stands for.
  public let shard: Shard
  /// The variable that says so.
  public let source: String

  /// Reads the place from the environment; nil outside of job arrays.
  ///
  /// Slurm numbers tasks from `SLURM_ARRAY_TASK_MIN` in steps of `SLURM_ARRAY_TASK_STEP`.
  /// Kubernetes numbers pods from 0 and does not tell them how many there are; the job has to set
  /// `JOB_COMPLETION_COUNT`.
  ///
  /// - Throws: `UsageError` where the variables name no part of a run.
  public init?(_ environment: [String: String]) throws {
    func number(_ name: String, default value: Int? = nil) throws -> Int {
      guard let text = environment[name] ?? value.map(String.init), let number = Int(text) else {
        let found = environment[name].map { "is '\($0)'" } ?? "is not set"
        throw UsageError("\(name) \(found); expected a number, or give --shard i/n")
      }
      return number
    }
    let (offset, count, step): (Int, Int, Int)
    if environment["SLURM_ARRAY_TASK_ID"] != nil {
      source = "SLURM_ARRAY_TASK_ID"
      let first = try number("SLURM_ARRAY_TASK_MIN", default: 0)
      offset = try number(source).subtractingReportingOverflow(first).partialValue
      count = try number("SLURM_ARRAY_TASK_COUNT")
      step = try number("SLURM_ARRAY_TASK_STEP", default: 1)
    } else if environment["JOB_COMPLETION_INDEX"] != nil {
      source = "JOB_COMPLETION_INDEX"
      offset = try number(source)
      count = try number("JOB_COMPLETION_COUNT")
      step = 1
    } else {
      return nil
    }
    let place =
      step > 0 ? offset.quotientAndRemainder(dividingBy: step) : (quotient: -1, remainder: 0)
    guard place.remainder == 0, (0..<max(count, 0)).contains(place.quotient) else {
      throw UsageError(
        "\(source) is \(environment[source] ?? ""), which is none of the \(count) numbers that tasks have; "
          + "give --shard i/n")
    }
    shard = try Shard(index: place.quotient + 1, count: count)
  }
}
