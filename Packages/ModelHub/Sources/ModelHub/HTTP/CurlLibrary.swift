import CCurl
import Foundation

/// The system's libcurl, loaded when the first request is sent: a program that sends none pays
/// nothing for it.
///
/// Sendable by rule: addresses of functions never change.
struct CurlLibrary: @unchecked Sendable {
  typealias Function = UnsafeMutableRawPointer
  private typealias Make = @convention(c) () -> UnsafeMutableRawPointer?
  private typealias Drop = @convention(c) (UnsafeMutableRawPointer?) -> Void
  private typealias Run = @convention(c) (UnsafeMutableRawPointer?) -> Int32
  private typealias Words = @convention(c) (Int32) -> UnsafePointer<CChar>?
  private typealias Start = @convention(c) (Int) -> Int32
  private typealias Append =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<CChar>
    ) -> UnsafeMutableRawPointer?

  /// `curl_easy_setopt`.
  let setOption: Function
  private let make: Make
  private let reset: Drop
  private let drop: Drop
  private let run: Run
  private let words: Words
  private let append: Append
  private let dropList: Drop

  /// Names under which systems have it; its interface has kept this number since 2006.
  private static let names = ["libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"]

  /// The library; nil where the system has none.
  static let shared: CurlLibrary? = load()

  private static func load() -> CurlLibrary? {
    for name in names {
      guard let image = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
      func function<Type>(_ name: String, as type: Type.Type) -> Type? {
        dlsym(image, name).map { unsafeBitCast($0, to: type) }
      }
      guard let start = function("curl_global_init", as: Start.self),
        let setOption = dlsym(image, "curl_easy_setopt"),
        let make = function("curl_easy_init", as: Make.self),
        let reset = function("curl_easy_reset", as: Drop.self),
        let drop = function("curl_easy_cleanup", as: Drop.self),
        let run = function("curl_easy_perform", as: Run.self),
        let words = function("curl_easy_strerror", as: Words.self),
        let append = function("curl_slist_append", as: Append.self),
        let dropList = function("curl_slist_free_all", as: Drop.self),
        start(Int(BB_CURL_GLOBAL_ALL)) == 0
      else { continue }
      return CurlLibrary(
        setOption: setOption, make: make, reset: reset, drop: drop, run: run, words: words,
        append: append, dropList: dropList)
    }
    return nil
  }

  /// A handle, which keeps its connection from one request to the next.
  func handle() -> UnsafeMutableRawPointer? { make() }

  /// Forgets the options of a handle.
  func reset(_ handle: UnsafeMutableRawPointer) { reset(Optional(handle)) }

  /// Gives the next request of a handle a body, which is copied.
  func post(_ body: Data, by handle: UnsafeMutableRawPointer) {
    _ = bb_curl_set_number(setOption, handle, Int32(BB_CURLOPT_POSTFIELDSIZE), body.count)
    body.withUnsafeBytes { bytes in
      _ = withUnsafePointer(to: UInt8(0)) { none in
        bb_curl_set_pointer(
          setOption, handle, Int32(BB_CURLOPT_COPYPOSTFIELDS),
          bytes.baseAddress ?? UnsafeRawPointer(none))
      }
    }
  }

  /// Ends a handle and its connection.
  func remove(_ handle: UnsafeMutableRawPointer) { drop(handle) }

  /// Sends the request of a handle and waits for its end.
  ///
  /// - Returns: 0, or a number whose meaning `text` tells.
  func perform(_ handle: UnsafeMutableRawPointer) -> Int32 { run(handle) }

  /// What a number means.
  func text(_ code: Int32) -> String {
    words(code).map { String(cString: $0) } ?? "libcurl's error \(code)"
  }

  /// Runs `body` with a list of lines.
  func withList<Result>(
    _ lines: [String], _ body: (UnsafeMutableRawPointer?) -> Result
  ) -> Result {
    var list: UnsafeMutableRawPointer?
    for line in lines { list = append(list, line) ?? list }
    defer { dropList(list) }
    return body(list)
  }
}
