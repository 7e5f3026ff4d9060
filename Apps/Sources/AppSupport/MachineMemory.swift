import SystemCalls

/// The memory that a command may take.
public enum MachineMemory {
  /// Bytes that this process can still take: what the machine has free, or less under `ulimit -v`
  /// or in a control group.
  public static var bytes: Int { MemoryLimits.now().bytes }

  /// What bounds the memory, in words.
  public static var bound: String { MemoryLimits.now().bound.rawValue }
}
