/// Memory that the workers of a parallel region write, each a part of its own.
///
/// A pointer is not `Sendable`: nothing keeps two threads from writing through it to one element.
/// This type is the place where the project says that they do not; whoever makes one answers for
/// it.
///
/// Sendable by rule: until the barrier, an element is touched by one worker alone. Which part is
/// whose follows from the ranges, indices or panels that a `ThreadPool` hands out, each once. The
/// memory outlives the region.
public struct DisjointMemory<Element>: @unchecked Sendable {
  /// The first element.
  public let base: UnsafeMutablePointer<Element>

  /// Memory of which every worker writes a part of its own.
  @inlinable
  public init(_ base: UnsafeMutablePointer<Element>) { self.base = base }

  /// One element, of the caller's part.
  @inlinable
  public subscript(index: Int) -> Element {
    get { base[index] }
    nonmutating set { base[index] = newValue }
  }

  /// Where an element stands, of the caller's part.
  @inlinable
  public static func + (memory: Self, index: Int) -> UnsafeMutablePointer<Element> {
    memory.base + index
  }
}

/// Memory that the workers of a parallel region read.
///
/// Sendable by rule: nobody writes to it before the barrier, and it outlives the region.
public struct ReadOnlyMemory<Element>: @unchecked Sendable {
  /// The first element.
  public let base: UnsafePointer<Element>

  /// Memory that nobody writes meanwhile.
  @inlinable
  public init(_ base: UnsafePointer<Element>) { self.base = base }

  /// One element.
  @inlinable
  public subscript(index: Int) -> Element { base[index] }

  /// Where an element stands.
  @inlinable
  public static func + (memory: Self, index: Int) -> UnsafePointer<Element> { memory.base + index }
}
