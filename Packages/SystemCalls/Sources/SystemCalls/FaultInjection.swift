import Synchronization

/// Makes one operation of the process fail, so that tests can try each place where one may.
///
/// The n-th file opening, write, sync, rename, large allocation or thread fails as it would on a
/// full disk or in a full memory; all others succeed. Nothing is armed unless a program asks for
/// it.
public enum FaultInjection {
  /// What can be made to fail.
  public enum Operation: String, Sendable, CaseIterable {
    /// Opening or creating a file, and making a folder (`EACCES`).
    case open
    /// Writing bytes (`ENOSPC`).
    case write
    /// Forcing a file or folder to the disk (`EIO`).
    case sync
    /// Giving a file or folder another name (`EIO`).
    case rename
    /// Taking memory for weights, caches or working memory.
    case allocate
    /// Starting a thread.
    case thread

    fileprivate var number: Int {
      switch self {
      case .open: 1
      case .write: 2
      case .sync: 3
      case .rename: 4
      case .allocate: 5
      case .thread: 6
      }
    }
  }

  /// The number of the armed operation, or 0.
  private static let armed = Atomic<Int>(0)
  /// How many of the armed operation are still to come, the failing one included.
  private static let left = Atomic<Int>(0)

  /// Arms the failure of the `nth` operation of a kind, counted from 1 and from now on.
  public static func arm(_ operation: Operation, nth: Int) {
    left.store(nth, ordering: .relaxed)
    armed.store(operation.number, ordering: .releasing)
  }

  /// Arms what a text such as `write:17` says.
  ///
  /// - Returns: false where it says nothing that can be armed.
  public static func arm(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let operation = Operation(rawValue: String(parts[0])),
      let nth = Int(parts[1]), nth > 0
    else { return false }
    arm(operation, nth: nth)
    return true
  }

  /// Whether an operation is armed that has not come yet.
  public static var isPending: Bool {
    armed.load(ordering: .acquiring) != 0 && left.load(ordering: .relaxed) > 0
  }

  /// Counts one operation, and tells whether it is the one that has to fail.
  public static func strikes(_ operation: Operation) -> Bool {
    guard armed.load(ordering: .acquiring) == operation.number else { return false }
    return left.subtract(1, ordering: .relaxed).newValue == 0
  }
}
