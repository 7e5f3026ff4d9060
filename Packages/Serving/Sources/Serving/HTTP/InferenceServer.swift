import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// Why a server cannot listen.
public enum ListeningFault: Error, Equatable, CustomStringConvertible {
  /// What the system says, by its number.
  case system(CInt)
  /// No address is known of the name of a host.
  case unknownHost

  /// The reason.
  public var description: String {
    switch self {
    case .system(let code): String(cString: strerror(code))
    case .unknownHost: "no address of this name is known"
    }
  }

  /// The fault that an error of NIO stands for; the error itself where it is another one.
  static func of(_ error: any Error) -> any Error {
    switch error {
    case let error as IOError: Self.system(error.errnoCode)
    case is SocketAddressError.UnknownHost: Self.unknownHost
    default: error
    }
  }
}

extension ServerConfiguration {
  /// Objects to an address at which no server could listen now, before a model is loaded for it.
  ///
  /// - Throws: `ListeningFault`, as for an address in use.
  public func checkAddress() throws {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
    do {
      try bootstrap.bind(host: host, port: port).flatMap { $0.close() }.wait()
    } catch {
      throw ListeningFault.of(error)
    }
  }
}

/// A model behind HTTP, in the OpenAI dialect.
public struct InferenceServer: Sendable {
  let model: ServedModel
  let engine: TextEngine
  let configuration: ServerConfiguration
  private let access: AccessRules
  private let routes: [String: [Route]]
  private let answers = OpenAnswers()

  /// Whether all that was answered is written.
  public var hasAnswered: Bool { answers.isEmpty }

  /// A server of a model that an engine runs.
  public init(_ model: ServedModel, _ engine: TextEngine, _ configuration: ServerConfiguration) {
    self.model = model
    self.engine = engine
    self.configuration = configuration
    access = AccessRules(configuration)
    let endpoints = Endpoints(model: model, engine: engine, configuration: configuration)
    routes = Dictionary(grouping: endpoints.routes, by: \.path)
  }

  /// Listens until the task is cancelled.
  ///
  /// - Parameter whenListening: told the port.
  /// - Throws: `ListeningFault`, as for an address in use; other faults as Hummingbird passes them on.
  public func run(whenListening: @escaping @Sendable (Int) -> Void) async throws {
    let limits = configuration.limits
    var logger = Logger(label: "serving")
    logger.logLevel = .critical
    let application = Application(
      responder: CallbackResponder { (request: Request, context: ServingContext) in
        await respond(to: request, context.channel)
      },
      server: .http1(
        configuration: .init(
          additionalChannelHandlers: [ConnectionGuard(patience: limits.idleSeconds)],
          idleTimeout: .seconds(Int64(limits.idleSeconds)),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
            maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port),
        availableConnectionsDelegate: MaximumAvailableConnections(
          limits.connections, logger: logger)),
      onServerRunning: { channel in
        whenListening(channel.localAddress?.port ?? configuration.port)
      },
      logger: logger)
    do { try await application.run() } catch { throw ListeningFault.of(error) }
  }

  private func respond(to request: Request, _ channel: any Channel) async -> Response {
    var response: Response
    var isRead = !request.announcesBody
    do throws(APIError) {
      response = try await answer(request, channel, isRead: &isRead)
    } catch {
      response = .refusal(error)
    }
    // What comes by the connection now is a body that nobody wants.
    if !isRead {
      response.headers[.connection] = "close"
      channel.closeSoon()
    }
    response.headers.append(contentsOf: access.headers(for: request.head))
    return request.method == .head ? response.createHeadResponse() : response
  }

  /// Answers a request; `isRead` is told when its body was read to its end.
  private func answer(
    _ request: Request, _ channel: any Channel, isRead: inout Bool
  ) async throws(APIError) -> Response {
    let path = request.uri.path.removingPercentEncoding ?? request.uri.path
    let method = request.method == .head ? .get : request.method
    let found = routes[path] ?? []
    let route = found.first { $0.method == method }
    let isPreflight = request.method == .options
    try access.check(request.head, isOpen: isPreflight || (route?.isOpen ?? false))
    if isPreflight { return Response(status: .noContent) }
    guard let route else {
      guard !found.isEmpty else {
        throw APIError(status: 404, message: "there is no \(path) here", code: "unknown_url")
      }
      var response = Response.refusal(
        APIError(status: 405, message: "\(path) does not take \(request.method.rawValue)"))
      response.headers[.allow] = found.map(\.method.rawValue).joined(separator: ", ")
      return response
    }
    var body: [UInt8] = []
    if method == .post {
      body = try await request.bodyBytes(configuration.limits, channel)
      isRead = true
    }
    let query = Dictionary(
      request.uri.queryParameters.map { (String($0.key), String($0.value)) },
      uniquingKeysWith: { first, _ in first })
    let ticket = answers.begin()
    var response = try await route.answer(Call(body: body, query: query, channel: channel))
    if method == .post { response.body = ticket.held(by: response.body) }
    return response
  }
}
