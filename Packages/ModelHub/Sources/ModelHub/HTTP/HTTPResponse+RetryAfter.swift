import Foundation

extension HTTPResponse {
  /// The seconds that a `Retry-After` header asks for: a number, or a date; at most a year. Nil
  /// where there is none that can be read.
  public func retryAfter(now: Date = Date()) -> Double? {
    guard let text = self["Retry-After"]?.trimmingCharacters(in: .whitespaces) else { return nil }
    let longest = 365.0 * 86400
    if let seconds = Double(text) { return seconds >= 0 ? min(seconds, longest) : nil }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return format.date(from: text).map { min(max(0, $0.timeIntervalSince(now)), longest) }
  }
}
