import Testing

@testable import Evaluation

@Suite struct AxisTests {
  @Test(arguments: [
    (7.9, 9.1), (2.3, 2.9), (0.14, 0.17), (0.2, 3.0), (1.0, 1.0), (0.03, 900), (130, 150),
  ])
  func aLogarithmicAxisNamesSeveralValues(low: Double, high: Double) {
    let axis = Axis([low, high], scale: .logarithmic)
    #expect((3...12).contains(axis.ticks.count), "\(axis.ticks)")
    #expect(Set(axis.ticks.map(Axis.text)).count == axis.ticks.count)
    #expect(axis.ticks.allSatisfy(axis.range.contains))
    #expect(axis.range.contains(low) && axis.range.contains(high))
    #expect(axis.place(axis.range.lowerBound) == 0 && axis.place(axis.range.upperBound) == 1)
    #expect(axis.place(0) == nil)
  }
}
