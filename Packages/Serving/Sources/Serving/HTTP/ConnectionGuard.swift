import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Watches a connection from its own event loop: tells when the client has gone, closes one whose
/// client does not read, answers headers that are too large with 431, has the wish to close heard in
/// whatever case it is written, and clients of HTTP/1.0 answered as these understand it.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let patience: TimeAmount
  private var isGone = false
  private var whenGone: (@Sendable () -> Void)?
  private var deadline: Scheduled<Void>?

  /// A guard that waits so many seconds for a client to read.
  init(patience seconds: Int) { patience = .seconds(Int64(seconds)) }

  func handlerAdded(context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    // There is a parser wherever there is HTTP/1.
    guard let parser = try? pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
    else { return }
    try? pipeline.addHandler(OldClients(), position: .after(parser))
  }

  /// Does something when the client goes away, or at once where it has; nil for nothing any more.
  func onGone(_ action: (@Sendable () -> Void)?) {
    whenGone = action
    if isGone { action?() }
  }

  private func end() {
    isGone = true
    whenGone?()
    whenGone = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data), let wish = head.headerFields[.connection],
      wish != "close",
      wish.lowercased().split(separator: ",").contains(where: {
        $0.trimmingPrefix(while: \.isWhitespace).prefix { !$0.isWhitespace } == "close"
      })
    else { return context.fireChannelRead(data) }
    head.headerFields[.connection] = "close"
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { end() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    end()
    context.fireChannelInactive()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      deadline?.cancel()
      deadline = nil
    } else if deadline == nil {
      let channel = context.channel
      deadline = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard case .headerOverflow? = error as? HTTPParserError else {
      return context.fireErrorCaught(error)
    }
    let channel = context.channel
    let head = HTTPResponsePart.head(
      .init(
        status: .requestHeaderFieldsTooLarge,
        headerFields: [.connection: "close", .contentLength: "0"]))
    context.write(wrapOutboundOut(head), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}

extension Channel {
  /// Does something when the client of this connection goes away; see `ConnectionGuard.onGone`.
  func onGone(_ action: (@Sendable () -> Void)?) {
    eventLoop.execute {
      let found = try? self.pipeline.syncOperations.handler(type: ConnectionGuard.self)
      found?.onGone(action)
    }
  }

  /// Tells a client that waits to be asked for the body of its request to send it.
  func inviteBody() {
    eventLoop.execute {
      let context = try? self.pipeline.syncOperations.context(handlerType: ConnectionGuard.self)
      let head = HTTPResponsePart.head(.init(status: .continue))
      context?.writeAndFlush(NIOAny(head), promise: nil)
    }
  }

  /// Closes the connection soon, when the client had time to read what was written.
  func closeSoon() {
    _ = eventLoop.scheduleTask(in: .seconds(1)) { self.close(promise: nil) }
  }
}
