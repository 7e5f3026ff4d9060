import Foundation

/// The rows of one batch: which sequence each token belongs to, where it stands, and its rotary
/// angles, if any.
public struct RowLayout: Sendable {
  /// Consecutive tokens of one sequence inside the batch.
  public struct Run: Sendable {
    /// Index of the sequence's cache.
    public let cache: Int
    /// Its rows in the batch.
    public let rows: Range<Int>
    /// Position of its first token in the sequence.
    public let position: Int
  }

  /// The runs, in row order.
  public let runs: [Run]
  /// Number of rows.
  public let count: Int
  let cosines: [Float]
  let sines: [Float]
  let positions: [Int]
  /// Rows of its run that come after a row: it may attend to all that its cache holds once they are
  /// appended, but for them.
  let behind: [Int]

  /// Lays out runs: their cache, the position of their first token, and how many tokens they are.
  public init(_ parts: [(cache: Int, position: Int, tokens: Int)], rotary: RotaryConfig?) {
    var runs: [Run] = []
    var row = 0
    var positions: [Int] = []
    var behind: [Int] = []
    for part in parts {
      runs.append(
        Run(cache: part.cache, rows: row..<row + part.tokens, position: part.position))
      row += part.tokens
      for token in 0..<part.tokens {
        positions.append(part.position + token)
        behind.append(part.tokens - token - 1)
      }
    }
    let frequencies = rotary?.frequencies ?? []
    let amplitude = rotary?.amplitude ?? 1
    var cosines = [Float](repeating: 0, count: row * frequencies.count)
    var sines = cosines
    for index in 0..<row {
      for (pair, frequency) in frequencies.enumerated() {
        // The angle is rounded to F32 first, as the reference implementations have it.
        let angle = Double(Float(positions[index]) * frequency)
        cosines[index * frequencies.count + pair] = Float(cos(angle)) * amplitude
        sines[index * frequencies.count + pair] = Float(sin(angle)) * amplitude
      }
    }
    self.runs = runs
    self.count = row
    self.cosines = cosines
    self.sines = sines
    self.positions = positions
    self.behind = behind
  }

  /// The layout of some of the rows, in ascending order, each a run of its own.
  func selecting(_ rows: [Int]) -> RowLayout { RowLayout(self, rows: rows) }

  private init(_ whole: RowLayout, rows: [Int]) {
    let pairs = whole.cosines.count / max(whole.count, 1)
    func angles(_ all: [Float]) -> [Float] {
      rows.flatMap { all[$0 * pairs..<($0 + 1) * pairs] }
    }
    var selected: [Run] = []
    for run in whole.runs {
      for row in rows where run.rows.contains(row) {
        selected.append(
          Run(
            cache: run.cache, rows: selected.count..<selected.count + 1,
            position: whole.positions[row]))
      }
    }
    runs = selected
    count = rows.count
    cosines = angles(whole.cosines)
    sines = angles(whole.sines)
    positions = rows.map { whole.positions[$0] }
    behind = rows.map { whole.behind[$0] }
  }
}

/// Moves some rows of `x` `[rows, width]`, in ascending order, to the front.
func moveToFront(_ rows: [Int], of x: UnsafeMutablePointer<Float>, width: Int) {
  for (index, row) in rows.enumerated() where index != row {
    (x + index * width).update(from: x + row * width, count: width)
  }
}
