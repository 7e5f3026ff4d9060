import Foundation

/// Hands the body of a success on, and keeps the beginning of any other, which says why.
final class GuardedBody<Receiver: BodyReceiver>: BodyReceiver, @unchecked Sendable {
  /// Bytes of a refusal that are kept.
  private static var limit: Int { 16 << 10 }

  private let receiver: Receiver
  private var isSuccess = false
  private var refusal = Data()

  init(_ receiver: Receiver) { self.receiver = receiver }

  func begin(_ response: HTTPResponse) -> Bool {
    isSuccess = (200...299).contains(response.status)
    return isSuccess ? receiver.begin(response) : true
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if isSuccess { return receiver.take(bytes) }
    refusal.append(contentsOf: bytes.prefix(Self.limit - refusal.count))
    return refusal.count < Self.limit
  }

  /// What a refusal says in words: the hub's header, or the `error` of its JSON, or a short text.
  func message(_ response: HTTPResponse) -> String {
    if let message = response["X-Error-Message"] { return Self.line(message) }
    let text = String(decoding: refusal, as: UTF8.self)
    if let start = text.range(of: "\"error\":\""),
      let end = text[start.upperBound...].firstIndex(of: "\"")
    {
      return Self.line(String(text[start.upperBound..<end]))
    }
    return text.hasPrefix("<") || text.hasPrefix("{") ? "" : Self.line(text)
  }

  /// One short line without anything that a terminal would obey.
  private static func line(_ text: String) -> String {
    let words = text.split { $0.isWhitespace }.joined(separator: " ")
    return String(
      words.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.map(Character.init)
    )
    .prefix(300).description
  }
}
