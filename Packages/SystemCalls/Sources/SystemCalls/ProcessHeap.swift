import Foundation

/// The memory that the C library hands out.
public enum ProcessHeap {
  /// Gives what nobody uses back to the system. By itself the C library does so at the end of its memory
  /// alone, and holds what is free between pieces in use.
  public static func giveBack() { _ = trim?(0) }

  private typealias Trim = @convention(c) (Int) -> Int32

  /// glibc's `malloc_trim`; other libraries have none.
  private static let trim: Trim? = {
    let program = dlopen(nil, RTLD_NOW)
    return dlsym(program, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }
  }()
}
