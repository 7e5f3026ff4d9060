import Foundation
import ModelHub

/// The hub as this process uses it: by the environment, with progress on standard error, ended by
/// ctrl-C.
public enum Hub {
  /// What the environment says.
  ///
  /// - Throws: `HubError.badSetting` naming the variable.
  public static func settings(_ use: HubUse = .always) throws(HubError) -> HubSettings {
    var settings = try HubSettings(
      environment: ProcessInfo.processInfo.environment,
      home: URL(fileURLWithPath: NSHomeDirectory()))
    if use == .never { settings.offlineBy = "--offline" }
    return settings
  }

  /// The cache that the environment chooses.
  public static var cache: HubCache {
    HubCache(
      environment: ProcessInfo.processInfo.environment,
      home: URL(fileURLWithPath: NSHomeDirectory()))
  }

  /// Fetches a model, or what is absent of it.
  ///
  /// - Parameters:
  ///   - repository: the model.
  ///   - settings: where from and where to.
  ///   - choose: which of its files.
  /// - Returns: the folder of its snapshot.
  /// - Throws: `HubError`.
  @discardableResult
  public static func fetch(
    _ repository: RepositoryName, _ settings: HubSettings,
    choosing choose: (HubListing) throws(HubError) -> [HubFile] = FileChoice.model
  ) throws(HubError) -> URL {
    let client = client(settings)
    let listing = try client.listing(of: repository)
    let files = try choose(listing)
    let absent = client.absent(files, of: listing)
    let total = files.reduce(0) { $0 + $1.size }
    if !absent.isEmpty {
      let some = absent.reduce(0) { $0 + $1.size }
      let rest = absent.count == files.count ? "" : " of \(files.count) (\(Text.bytes(total)))"
      Console.note(
        "fetching \(absent.count)\(rest) files, \(Text.bytes(some)), of \(repository.path) at "
          + "\(listing.commit.prefix(12)) from \(settings.endpoint.host ?? "the hub")")
    }
    let line = ProgressLine(repository.name, in: .bytes)
    var waits: String?
    do throws(HubError) {
      return try client.fetch(files, of: listing) { progress in
        if let file = progress.waitsFor, file != waits {
          Console.note("waiting for another process that fetches \(file)")
        }
        waits = progress.waitsFor
        line.show(
          progress.bytes, of: progress.totalBytes,
          detail: "\(progress.files)/\(progress.totalFiles) files")
      }
    } catch {
      if error.isTransient || error == .cancelled {
        Console.note("what was fetched is kept; the same command goes on there")
      }
      throw error
    }
  }

  /// The files of a model as the hub has them, and those of them that are not here.
  ///
  /// - Throws: `HubError`.
  public static func look(
    at repository: RepositoryName, _ settings: HubSettings
  ) throws(HubError) -> (listing: HubListing, files: [HubFile], absent: [HubFile]) {
    let client = client(settings)
    let listing = try client.listing(of: repository)
    let files = try FileChoice.model(listing)
    return (listing, files, client.absent(files, of: listing))
  }

  /// Fetches a file from outside the hub.
  ///
  /// - Throws: `HubError`.
  public static func fetch(
    _ url: URL, sha256: String, to path: String, _ settings: HubSettings
  ) throws(HubError) {
    Console.note("fetching \(url.lastPathComponent) from \(url.host ?? "the web") into \(path)")
    try client(settings).fetch(url, sha256: sha256, to: path)
  }

  private static func client(_ settings: HubSettings) -> HubClient {
    HubClient(
      settings, transport: CurlTransport(), isCancelled: { Interrupts.isPending })
  }

  /// Whether somebody at the terminal says yes to fetching a model; false where nobody can be
  /// asked.
  static func isAllowed(_ repository: RepositoryName, _ settings: HubSettings) -> Bool {
    guard settings.offlineBy == nil else { return false }
    let bytes = KnownModel.qwen3.first { $0.repository == repository.path }?.bytes
    let size = bytes.map { " (\(Text.bytes($0)))" } ?? ""
    return Console.confirms(
      "\(repository) is not on this machine. Fetch it\(size) from \(settings.endpoint.host ?? "the hub")?"
    )
  }
}
