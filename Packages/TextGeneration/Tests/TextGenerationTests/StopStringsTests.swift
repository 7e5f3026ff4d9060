import Testing
import TextGeneration

/// Stop strings that come up within and across pieces.
@Suite struct StopStringsTests {
  private func shown(_ pieces: [String], _ strings: [String]) -> (text: String, isHit: Bool) {
    var stops = StopStrings(strings)
    let text = pieces.map { stops.push($0) }.joined() + stops.finish()
    return (text, stops.isHit)
  }

  @Test func theTextEndsBeforeTheFirst() {
    #expect(shown(["one two", " three"], ["two"]) == ("one ", true))
    #expect(shown(["a", "b", "c", "d", "e"], ["cd"]) == ("ab", true))
    #expect(shown(["aab", "aac"], ["aac", "zzz"]) == ("aab", true))
    #expect(shown(["x", "END", "y"], ["ND", "EN"]) == ("x", true))
  }

  @Test func whatOnlyBeginsLikeOneIsShown() {
    #expect(shown(["ab", "ab", "c"], ["abd"]) == ("ababc", false))
    #expect(shown(["ab", "ab"], ["abc"]) == ("abab", false))
    #expect(shown(["text"], []) == ("text", false))
    #expect(shown(["text"], [""]) == ("text", false))
  }
}
