import Foundation

/// The memory of this machine.
public enum MachineMemory {
  /// Bytes that programs can still take: what the system calls available, or all there is where it does not say.
  public static var bytes: Int {
    let all = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
    else { return all }
    return min(all, kibibytes * 1024)
  }
}
