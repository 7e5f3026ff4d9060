import Foundation

/// A thread of the system. Where none can be had, which a tight limit on the address space does,
/// its maker is told and can do the work itself; pools that wait for threads would wait for ever.
///
/// Sendable by rule: the handle never changes.
public final class SystemThread: @unchecked Sendable {
  private let thread: pthread_t

  /// Starts a thread that runs `body`; nil where the system gives none.
  ///
  /// - Parameters:
  ///   - stackBytes: how large its stack is.
  ///   - body: what it does.
  public init?(stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) {
    if FaultInjection.strikes(.thread) { return nil }
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return nil }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackBytes)
    let box = Unmanaged.passRetained(Body(body))
    #if canImport(Darwin)
      var made: pthread_t?
      let code = pthread_create(
        &made, &attributes,
        { pointer in
          Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
          return nil
        }, box.toOpaque())
      guard code == 0, let made else {
        box.release()
        return nil
      }
    #else
      var made = pthread_t()
      let code = pthread_create(
        &made, &attributes,
        { pointer in
          if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
          return nil
        }, box.toOpaque())
      guard code == 0 else {
        box.release()
        return nil
      }
    #endif
    thread = made
  }

  /// Waits until it has ended; to be called once.
  public func join() { pthread_join(thread, nil) }

  /// Runs `body` with 0..<count, each on a thread of its own as far as there are threads, and
  /// returns when all are done. The caller is one of them.
  public static func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var threads: [SystemThread] = []
      var rest: [Int] = []
      for index in stride(from: 1, to: count, by: 1) {
        // Once refused, others would be too.
        let thread = rest.isEmpty ? SystemThread { body(index) } : nil
        if let thread { threads.append(thread) } else { rest.append(index) }
      }
      if count > 0 { body(0) }
      for index in rest { body(index) }
      for thread in threads { thread.join() }
    }
  }

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
