import Foundation
import MemoryPlanner

/// Output for people: data goes to standard output, everything else to standard error.
public enum Console {
  /// Whether standard error is a terminal that can be redrawn.
  public static let isInteractive = isatty(STDERR_FILENO) == 1
  /// Whether standard output may carry colour: a terminal, and NO_COLOR unset.
  public static let usesColor =
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Columns of the terminal that standard error goes to; 80 where they are not known.
  public static var width: Int { columns(of: STDERR_FILENO) ?? 80 }
  /// Columns of the terminal that standard output goes to; nil where it is none.
  public static var outputWidth: Int? { columns(of: STDOUT_FILENO) }

  private static func columns(of file: Int32) -> Int? {
    var size = winsize()
    let request = UInt(TIOCGWINSZ)
    return ioctl(file, request, &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// A line on standard error.
  public static func note(_ line: String) {
    draw(line + "\n")
  }

  /// Text on standard output, at once; ends the process with 1 where it cannot be written.
  public static func write(_ text: String) {
    print(text, terminator: "")
    flush()
  }

  /// Makes sure that everything printed has arrived; ends the process with 1 where it cannot be
  /// written.
  public static func flush() {
    guard fflush(nil) != 0 else { return }
    note("error: standard output cannot be written: \(String(cString: strerror(errno)))")
    _exit(1)
  }

  /// Asks a question whose answer is yes or no.
  ///
  /// - Returns: whether somebody said yes; false where standard input or standard error is no
  ///   terminal.
  public static func confirms(_ question: String) -> Bool {
    guard isInteractive, isatty(STDIN_FILENO) == 1 else { return false }
    draw(question + " [y/N] ")
    let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
    return answer == "y" || answer == "yes"
  }

  /// Text on standard error as it is; nobody can be told when that fails.
  static func draw(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Text in grey where colour is used.
  public static func dim(_ text: String) -> String {
    usesColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text
  }
}

/// Figures as people read them.
public enum Text {
  /// Bytes as MiB, or GiB from one GiB on; as they are where they are less than a hundredth of a MiB.
  public static func bytes(_ count: Int) -> String { "\(ByteCount(max(count, 0)))" }

  /// Seconds as 12s, 3m05s or 2h10m.
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e9).rounded())
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return String(format: "%dm%02ds", whole / 60, whole % 60) }
    return String(format: "%dh%02dm", whole / 3600, whole / 60 % 60)
  }

  /// Rows of cells in aligned columns, the first row a header; columns of numbers are flush right.
  public static func table(_ rows: [[String]]) -> String {
    let columns = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { column < $0.count ? $0[column] : "" }
    }
    let aligned = columns.map { cells in
      let width = cells.map(\.count).max() ?? 0
      let isNumeric = cells.dropFirst().allSatisfy {
        $0.first.map { $0.isNumber || $0 == "-" } ?? true
      }
      return cells.map { cell in
        let padding = String(repeating: " ", count: width - cell.count)
        return isNumeric ? padding + cell : cell + padding
      }
    }
    return rows.indices.map { row in
      var line = aligned.map { $0[row] }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}

/// What the operating system says of this process.
public enum ProcessMemory {
  /// The most bytes of memory the process ever held.
  ///
  /// Linux counts into `ru_maxrss` what the parent held when it started the process, so its own
  /// high-water mark is read instead.
  public static var peakBytes: Int {
    #if os(Linux)
      if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({
          Int($0)
        })
      {
        return kibibytes * 1024
      }
    #endif
    var usage = rusage()
    #if canImport(Darwin)
      let (who, unit) = (RUSAGE_SELF, 1)
    #else
      let (who, unit) = (__rusage_who_t(RUSAGE_SELF.rawValue), 1024)
    #endif
    return getrusage(who, &usage) == 0 ? Int(usage.ru_maxrss) * unit : 0
  }

  /// The bytes of memory that the process holds now; the most it ever held where the system does
  /// not say.
  public static var residentBytes: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return peakBytes }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
