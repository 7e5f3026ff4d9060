import Foundation

/// The memory that this process may still take: what the machine has free, less where a limit on
/// the address space (`ulimit -v`) or a control group's (containers, batch systems) is tighter.
public struct MemoryLimits: Sendable, Hashable {
  /// A reason why memory ends.
  public enum Bound: String, Sendable, Hashable {
    /// What the system calls available.
    case machine = "free memory of this machine"
    /// `RLIMIT_AS`.
    case addressSpace = "limit on the address space (ulimit -v)"
    /// `memory.max` of the control group or one above it.
    case controlGroup = "memory limit of the control group"
  }

  /// Bytes that can still be taken.
  public let bytes: Int
  /// What bounds them.
  public let bound: Bound

  /// The least of the bounds.
  public init(_ bounds: [(Bound, Int?)]) {
    let known = bounds.compactMap { bound, bytes in bytes.map { (bound, max(0, $0)) } }
    let least = known.min { $0.1 < $1.1 }
    bytes = least?.1 ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    bound = least?.0 ?? .machine
  }

  /// What holds now.
  public static func now() -> MemoryLimits {
    MemoryLimits([
      (.machine, machineBytes()), (.addressSpace, addressSpaceBytes()),
      (.controlGroup, controlGroupBytes()),
    ])
  }

  /// `MemAvailable`, or all memory where the system does not say.
  private static func machineBytes() -> Int {
    let all = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    guard let kibibytes = statistic("MemAvailable:", in: "/proc/meminfo") else { return all }
    return min(all, kibibytes * 1024)
  }

  /// The limit on the address space less what is mapped; nil without a limit.
  private static func addressSpaceBytes() -> Int? {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
      let resource = RLIMIT_AS
    #endif
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
    let mapped = statistic("VmSize:", in: "/proc/self/status") ?? 0
    return Int(limit.rlim_cur) - mapped * 1024
  }

  /// The least that this process's control group, and those that it lies in, still give; nil
  /// without limits. Pages of files count as free: the system drops them when it needs room.
  private static func controlGroupBytes() -> Int? {
    guard let text = text("/proc/self/cgroup") else { return nil }
    var least: Int?
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isFirst = parts[1].split(separator: ",").contains("memory")
      guard isFirst || parts[1].isEmpty else { continue }
      let names =
        isFirst
        ? (
          root: "/sys/fs/cgroup/memory", most: "memory.limit_in_bytes",
          used: "memory.usage_in_bytes", files: "total_inactive_file"
        )
        : (
          root: "/sys/fs/cgroup", most: "memory.max", used: "memory.current", files: "inactive_file"
        )
      var group = String(parts[2])
      while true {
        let folder = names.root + (group == "/" ? "" : group)
        if let most = number("\(folder)/\(names.most)"), most < Int.max / 2,
          let used = number("\(folder)/\(names.used)")
        {
          let files = statistic(names.files, in: "\(folder)/memory.stat") ?? 0
          least = min(least ?? .max, most - max(0, used - files))
        }
        guard let slash = group.lastIndex(of: "/"), group != "/" else { break }
        group = slash == group.startIndex ? "/" : String(group[..<slash])
      }
    }
    return least
  }

  private static func text(_ path: String) -> String? {
    (try? RegularFile(path).read(from: 0, count: 1 << 16))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// The figure after `name` in a file of lines such as `VmSize:  1234 kB`.
  private static func statistic(_ name: String, in path: String) -> Int? {
    guard let text = text(path) else { return nil }
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      if words.count >= 2, words[0] == name { return Int(words[1]) }
    }
    return nil
  }
}
