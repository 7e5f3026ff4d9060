import Foundation

/// A line that tells how far a task is: redrawn in place on a terminal, never longer than it is
/// wide; a plain line now and then elsewhere.
public final class ProgressLine {
  private let label: String
  private let unit: ProgressUnit
  private let started = ContinuousClock.now
  private var lastShown: ContinuousClock.Instant?
  /// What was done already when the line was first shown, by an earlier run: it says nothing of the
  /// pace.
  private var before: Double?
  private var isFinished = false

  /// A line that begins with `label`.
  public init(_ label: String, in unit: ProgressUnit = .pieces) {
    self.label = label
    self.unit = unit
  }

  /// Shows that `done` of `total` are done and `part` (0 to 1) of the next one; `detail` follows
  /// the figures, and is asked for when a line is due.
  public func show(
    _ done: Int, of total: Int, part: Double = 0, detail: @autoclosure () -> String = ""
  ) {
    let now = ContinuousClock.now
    let before = before ?? Double(done) + part
    self.before = before
    let pause = Duration.milliseconds(Console.isInteractive ? 100 : 10_000)
    let isDue = lastShown.map { $0.duration(to: now) >= pause } ?? true
    guard !isFinished, isDue || done == total else { return }
    isFinished = done == total
    lastShown = now
    let state = ProgressState(
      label: label, done: done, total: total, part: part, before: before,
      seconds: started.duration(to: now) / .seconds(1), detail: detail(), unit: unit)
    if Console.isInteractive {
      Console.draw("\r\u{1B}[K" + state.line(width: Console.width) + (isFinished ? "\n" : ""))
    } else {
      Console.note(state.text)
    }
  }
}

/// What the units of a task are.
public enum ProgressUnit: Sendable {
  /// Things that are counted.
  case pieces
  /// Bytes.
  case bytes

  fileprivate func text(_ count: Int) -> String { self == .bytes ? Text.bytes(count) : "\(count)" }

  fileprivate func text(rate: Double) -> String {
    self == .bytes
      ? Text.bytes(Int(min(rate, 1e15))) + "/s" : String(format: "%.1f/s", rate)
  }
}

/// How far a task is, and what that says of the rest.
public struct ProgressState: Sendable {
  /// Too little of a task says nothing of the rest: seconds, and a part of what was to be done.
  private static let tooEarly = (seconds: 1.0, part: 0.02)

  /// What is done.
  public let label: String
  /// Units that are done.
  public let done: Int
  /// Units there are.
  public let total: Int
  /// What is done of the next unit, 0 to 1.
  public let part: Double
  /// What an earlier run had done.
  public let before: Double
  /// Seconds since this run began.
  public let seconds: Double
  /// More to say.
  public let detail: String
  /// What is counted.
  public let unit: ProgressUnit

  /// A state of a task.
  public init(
    label: String, done: Int, total: Int, part: Double = 0, before: Double = 0, seconds: Double,
    detail: String = "", unit: ProgressUnit = .pieces
  ) {
    self.label = label
    self.done = done
    self.total = total
    self.part = part
    self.before = before
    self.seconds = seconds
    self.detail = detail
    self.unit = unit
  }

  private var finished: Double { Double(done) + part }
  /// Units a second of this run.
  private var rate: Double { seconds > 0 ? max(0, finished - before) / seconds : 0 }

  /// Seconds that the rest will take at the pace so far; nil while that says nothing.
  public var secondsLeft: Double? {
    let own = (finished - before) / max(Double(total) - before, 1)
    guard done < total, rate > 0, seconds >= Self.tooEarly.seconds, own >= Self.tooEarly.part else {
      return nil
    }
    return (Double(total) - finished) / rate
  }

  /// The figures in words.
  public var text: String {
    var line = "\(label) \(unit.text(done))/\(unit.text(total))"
    if rate >= 0.1, seconds >= Self.tooEarly.seconds || done == total {
      line += "  " + unit.text(rate: rate)
    }
    if done == total {
      line += "  " + Text.duration(seconds)
    } else if let left = secondsLeft {
      line += "  ETA " + Text.duration(left)
    }
    return detail.isEmpty ? line : line + "  " + detail
  }

  /// The figures with a bar, in one line of a terminal: where it is narrow without the bar, then
  /// cut.
  public func line(width: Int) -> String {
    let size = 20
    let filled = total > 0 ? min(size, max(0, Int(Double(size) * finished / Double(total)))) : size
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: size - filled)
    // The last column would wrap on some terminals.
    let room = max(width - 1, 1)
    let whole = "[\(bar)] \(text)"
    return whole.count <= room ? whole : String(text.prefix(room))
  }
}
