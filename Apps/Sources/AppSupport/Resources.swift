import Foundation
import SystemCalls

/// Where the commands look for what ships with them.
public enum Resources {
  /// The folder of `BITBUDGET_RESOURCES` first, then the places of an installed program.
  public static let search = ResourceSearch(
    explicit: ProcessInfo.processInfo.environment["BITBUDGET_RESOURCES"].flatMap {
      $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true)
    })
}
