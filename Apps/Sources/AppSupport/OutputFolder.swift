import Foundation
import SystemCalls

/// Folders that commands write into.
public enum OutputFolder {
  /// Makes a folder, and those above it, unless it is there.
  ///
  /// - Parameters:
  ///   - url: the folder.
  ///   - advice: what the user may do about it, behind the reason.
  /// - Throws: `UserError` naming the folder that cannot be made, and why.
  public static func make(_ url: URL, advice: String? = nil) throws {
    do throws(FileError) { try FileCalls.makeFolder(url.path) } catch {
      throw UserError(
        "\(error.path): cannot be made: \(error.reason)" + (advice.map { "; " + $0 } ?? ""))
    }
  }
}
