import Serving
import Testing

@Test func limitsAreFinite() {
  #expect(ServerLimits().bodyBytes > 0)
}
