/// A time of the day: `11:30`, `2:05 p.m.`
struct ClockTime: Equatable {
  /// Half a day, where the text says which one.
  enum Half: Equatable { case morning, afternoon }

  /// The hour as it is written, 0 to 24.
  let hour: Int
  /// 0 to 59.
  let minute: Int
  let half: Half?

  /// Reads an hour, a colon and two digits, perhaps with `am` or `pm`; nil for anything else.
  init?(_ text: ArraySlice<UInt8>) {
    var plain = String(decoding: text.filter { !" .~".utf8.contains($0) }, as: UTF8.self)
      .lowercased()
    var half: Half?
    for (mark, named) in [("am", Half.morning), ("pm", Half.afternoon)] where plain.hasSuffix(mark)
    {
      half = named
      plain.removeLast(2)
    }
    let parts = plain.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
      let hour = Int(parts[0]), let minute = Int(parts[1]), (0...24).contains(hour),
      (0..<60).contains(minute)
    else { return nil }
    self.hour = hour
    self.minute = minute
    self.half = half
  }

  /// Whether both may be the same moment, where one leaves out the half of the day.
  func agrees(with other: ClockTime) -> Bool {
    guard minute == other.minute else { return false }
    if half == other.half { return hour == other.hour }
    guard half == nil || other.half == nil else { return false }
    return hour == other.hour || hourOfDay == other.hourOfDay
  }

  private var hourOfDay: Int {
    switch half {
    case .morning: hour % 12
    case .afternoon: hour % 12 + 12
    case nil: hour
    }
  }
}
