/// A number of bytes as people write it: GiB is 2^30 bytes, GB is 10^9.
public struct ByteCount: Sendable, Hashable, CustomStringConvertible {
  /// The bytes.
  public let bytes: Int

  /// So many bytes.
  public init(_ bytes: Int) { self.bytes = bytes }

  /// The units by their lower-case names, each with its bytes.
  private static let units: [(name: String, bytes: Int)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1000),
    ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1),
  ]

  /// Reads a text such as `8GiB`, `7.5 GB` or `512MiB`; a unit has to be given, as GB and GiB
  /// differ.
  ///
  /// - Throws: `PlannerError.invalid` for anything else, and for more bytes than 2^60.
  public init(parsing text: String) throws(PlannerError) {
    let expected = "a number with its unit, such as 8GiB (2^30 bytes each) or 8GB (10^9)"
    let lower = text.lowercased().filter { $0 != " " }
    guard let unit = Self.units.first(where: { lower.hasSuffix($0.name) }),
      let number = Double(lower.dropLast(unit.name.count)), number.isFinite
    else { throw .invalid(name: "memory", value: "'\(text)'", expected: expected) }
    let bytes = number * Double(unit.bytes)
    guard bytes >= 1, bytes <= Double(1 << 60) else {
      throw .invalid(name: "memory", value: "'\(text)'", expected: "1 byte to 2^60")
    }
    self.bytes = Int(bytes)
  }

  /// In GiB with two decimals, or MiB below one GiB; as they are where they are less than a hundredth
  /// of a MiB.
  public var description: String {
    let mebibytes = Double(bytes) / Double(1 << 20)
    if 0..<0.01 ~= mebibytes { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
    return mebibytes < 1024
      ? "\(Self.hundredths(mebibytes)) MiB" : "\(Self.hundredths(mebibytes / 1024)) GiB"
  }

  /// A number of at least 0 with two decimals.
  private static func hundredths(_ value: Double) -> String {
    let whole = Int((value * 100).rounded())
    let rest = whole % 100
    return "\(whole / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
