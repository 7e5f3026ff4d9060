import Testing

@testable import ModelLoader

@Suite("XXH64")
struct XXH64Tests {
  @Test(
    "XXH64 of known texts",
    arguments: [
      ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B),
      ("as", 0x1C33_0FB2_D66B_E179), ("asdf", 0x4158_72F5_99CE_A71E),
      (
        "Call me Ishmael. Some years ago--never mind how long precisely-",
        0x02A2_E854_70D6_FD96 as UInt64
      ),
    ])
  func hash(text: String, value: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes(XXH64.hash) == value)
  }
}
