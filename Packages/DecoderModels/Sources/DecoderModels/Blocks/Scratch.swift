import Tensors

/// Working memory of the part of a block that runs: numbered spaces in one region, which the next part
/// takes over. So a pass holds what the largest part needs, not the largest space of every number.
final class Scratch {
  /// Of a pass.
  static let slots = 6

  private let region = GrowingBuffer<Float>()
  /// Floats of the region, those of them that spaces have taken, and all that this part asked for.
  private var (capacity, used, asked) = (0, 0, 0)
  /// Spaces for which the region had no room.
  private var beside: [GrowingBuffer<Float>] = []
  private var spaces = [UnsafeMutableBufferPointer<Float>?](repeating: nil, count: slots)

  /// Gives all spaces back, for a part that takes `count` floats.
  func restart(_ count: Int) {
    let needed = max(count + Self.slots * Self.line, asked)
    if capacity < needed {
      beside = []
      _ = region.reserve(needed)
      capacity = needed
    }
    (used, asked) = (0, 0)
    for slot in spaces.indices { spaces[slot] = nil }
  }

  /// Gives the region back where it is larger than some bytes.
  func rest(above bytes: Int) {
    restart(0)
    guard capacity * MemoryLayout<Float>.stride > bytes else { return }
    region.release(above: bytes)
    capacity = 0
  }

  /// Space for `count` floats, aligned to 64 bytes: where this number has space for as many, that.
  func reserve(_ slot: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
    if let space = spaces[slot], space.count >= count, let start = space.baseAddress {
      return start
    }
    let start: UnsafeMutablePointer<Float>
    let rounded = (count + Self.line - 1) / Self.line * Self.line
    asked += rounded
    if capacity - used >= rounded {
      start = region.reserve(capacity) + used
      used += rounded
    } else {
      beside.append(GrowingBuffer())
      start = beside[beside.count - 1].reserve(count)
    }
    spaces[slot] = UnsafeMutableBufferPointer(start: start, count: count)
    return start
  }

  /// Floats of 64 bytes.
  private static let line = 16
}
