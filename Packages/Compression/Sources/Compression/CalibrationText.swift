import Crypto
import Foundation
import JSON
import ModelLoader
import SystemCalls

/// Text that shows a quantizer what the model's activations look like.
public struct CalibrationText: Sendable {
  /// The documents, in file order.
  public let documents: [String]
  /// A larger file is a mistake: no calibration reads that much.
  private static let mostBytes = 1 << 30

  /// Whether each document is a sample of its own; one long text is cut into windows instead.
  public let isOneSampleEach: Bool

  /// Reads a JSONL file of `{"text": ...}` rows (name ends in `.jsonl`), each a sample, or any
  /// other file as one text.
  ///
  /// - Throws: `CompressionError.calibration` naming the file and line.
  public init(contentsOf url: URL) throws(CompressionError) {
    let text: String
    do throws(FileError) {
      text = try TextFile.contents(of: url.path, atMost: Self.mostBytes)
    } catch {
      throw .calibration(file: url.path, line: nil, reason: error.reason)
    }
    isOneSampleEach = url.pathExtension == "jsonl"
    guard isOneSampleEach else {
      documents = [text]
      return
    }
    let bytes = Data(text.utf8)
    var documents: [String] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      do throws(CheckpointError) {
        let row = try JSONObject(parsing: [UInt8](line), file: url.path)
        documents.append(try row.string("text"))
      } catch {
        let reason =
          switch error {
          case .value(_, let key, let expected, let found):
            "\(key): expected \(expected), found \(found)"
          case .json(_, let offset, let reason): "byte \(offset): \(reason)"
          default: "\(error)"
          }
        throw .calibration(file: url.path, line: index + 1, reason: reason)
      }
    }
    self.documents = documents
  }

  /// The same documents, each changed by `change`; put into a chat template, say.
  public func mapped<Failure>(
    _ change: (String) throws(Failure) -> String
  ) throws(Failure) -> CalibrationText {
    CalibrationText(documents: try documents.map(change), isOneSampleEach: isOneSampleEach)
  }

  private init(documents: [String], isOneSampleEach: Bool) {
    self.documents = documents
    self.isOneSampleEach = isOneSampleEach
  }

  /// SHA-256 of token sequences, in hexadecimal; tells whether two runs were calibrated alike.
  public static func digest(of sequences: [[Int32]]) -> String {
    var hash = SHA256()
    for sequence in sequences {
      withUnsafeBytes(of: Int64(sequence.count).littleEndian) { hash.update(bufferPointer: $0) }
      sequence.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
    return hash.finalize().hexadecimal
  }

  /// Token sequences for calibration.
  ///
  /// Documents are cut to `length` tokens; one long text is cut into windows of `length`. Of more
  /// than `samples`, that many are taken at even distances.
  ///
  /// - Throws: `CompressionError.calibration` when nothing is left.
  public func sequences(
    samples: Int, length: Int, file: String, encode: (String) -> [Int32]
  ) throws(CompressionError) -> [[Int32]] {
    var all: [[Int32]] = []
    for document in documents {
      let ids = encode(document)
      if isOneSampleEach {
        all.append(Array(ids.prefix(length)))
      } else {
        for start in stride(from: 0, to: ids.count, by: length) {
          all.append(Array(ids[start..<min(start + length, ids.count)]))
        }
      }
    }
    all.removeAll(where: \.isEmpty)
    guard !all.isEmpty, samples > 0, length > 0 else {
      throw .calibration(file: file, line: nil, reason: "holds no text")
    }
    if all.count <= samples { return all }
    return (0..<samples).map { all[$0 * all.count / samples] }
  }
}
