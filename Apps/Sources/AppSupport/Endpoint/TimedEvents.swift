import Foundation
import JSON
import ModelHub

/// Takes server-sent events of `/v1/chat/completions` and notes when pieces of the text come.
///
/// Sendable by rule: the transport calls it from one thread, its owner looks when that is done.
public final class TimedEvents: BodyReceiver, @unchecked Sendable {
  /// Seconds from the making of this value to each piece of text.
  public private(set) var arrivals: [Double] = []
  /// Tokens of the prompt, where the endpoint says.
  public private(set) var promptTokens: Int?
  /// Tokens of the text, where the endpoint says.
  public private(set) var tokens: Int?
  /// What is wrong with the stream; nil for one that came to its end.
  var fault: String? { said ?? (isComplete ? nil : "one without [DONE]") }
  /// The beginning of a refusal.
  private(set) var refusal = Data()

  private let started = ContinuousClock.now
  private var isSuccess = false
  private var isComplete = false
  private var said: String?
  private var line = Data()

  /// Bytes of a refusal that are kept, and of a line that is read.
  private static let (refusalLimit, lineLimit) = (16 << 10, 4 << 20)

  /// Seconds since this value was made.
  public var elapsed: Double { (ContinuousClock.now - started) / .seconds(1) }

  init() {}

  /// See `BodyReceiver`.
  public func begin(_ response: HTTPResponse) -> Bool {
    isSuccess = (200...299).contains(response.status)
    return true
  }

  /// See `BodyReceiver`.
  public func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard isSuccess else {
      refusal.append(contentsOf: bytes.prefix(Self.refusalLimit - refusal.count))
      return refusal.count < Self.refusalLimit
    }
    let now = elapsed
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        take(line: line, at: now)
        line.removeAll(keepingCapacity: true)
      } else {
        line.append(byte)
      }
    }
    if line.count > Self.lineLimit { said = "a line of more than \(Self.lineLimit) bytes" }
    return said == nil
  }

  private func take(line: Data, at now: Double) {
    guard line.starts(with: Data("data:".utf8)) else { return }
    let content = line.dropFirst(5).filter { $0 != UInt8(ascii: "\r") }
    if String(decoding: content, as: UTF8.self).trimmingCharacters(in: .whitespaces) == "[DONE]" {
      isComplete = true
      return
    }
    guard let event = try? JSONValue(parsing: content, file: "event") else {
      said = "an event that is no JSON"
      return
    }
    if let error = event["error"], !error.isNull {
      said = "the error \((error["message"] ?? error).summary)"
    }
    let delta = event["choices"]?.array?.first?["delta"]
    let pieces = ["content", "reasoning_content", "reasoning"].compactMap { delta?[$0]?.string }
    if pieces.contains(where: { !$0.isEmpty }) { arrivals.append(now) }
    promptTokens = event["usage"]?["prompt_tokens"]?.integer ?? promptTokens
    tokens = event["usage"]?["completion_tokens"]?.integer ?? tokens
  }
}
