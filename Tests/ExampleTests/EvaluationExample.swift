// Made by Tools/docs/examples.py from Packages/Evaluation/Sources/Evaluation/Evaluation.docc/Evaluation.md.
// swift-format-ignore-file
import Evaluation
import Testing

@Test func exampleOfEvaluation() throws {
  let extractor = AnswerExtractor(steps: [.box, .lastNumber], grading: .mathematics)
  let found = extractor.extract(from: #"So the answer is \boxed{\frac{1}{2}}."#)
  #expect("\(extractor.grading.areEqual(found?.answer, "0.5"))" == "true")
}
