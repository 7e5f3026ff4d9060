import Testing

@testable import Evaluation

/// Replies as models write them, a line each: rule (M mathematics, I integer, L letter), whether
/// the answer is right, the key, and the reply, in which `@n` is a line break.
@Suite struct AnswerFormTests {
  private static let steps: [String: [ExtractionStep]] = [
    "M": [.box, .hashMark, .lastNumber], "I": [.box, .answerPhrase],
    "L": [.box, .answerPhrase, .lastLine],
  ]
  private static let rules: [String: GradingRule] = [
    "M": .mathematics, "I": .integer(from: 0, to: 999), "L": .letter(count: 4),
  ]

  @Test(arguments: forms.split(separator: "\n").map(String.init))
  func formsAreJudgedAsAReaderWould(line: String) throws {
    let fields = line.split(separator: " | ", maxSplits: 3).map(String.init)
    try #require(fields.count == 4)
    let rule = try #require(Self.rules[fields[0]])
    let extractor = AnswerExtractor(
      steps: try #require(Self.steps[fields[0]]), grading: rule)
    let found = extractor.extract(from: fields[3].replacing("@n", with: "\n"))
    let key = try #require(rule.canonical(fields[2]))
    #expect(
      rule.areEqual(found?.answer, key) == (fields[1] == "1"),
      "\(found?.answer ?? "nothing") against \(key)")
  }

  private static let forms = #"""
    M | 1 | \frac{7}{2} | \boxed{3\frac{1}{2}}
    M | 1 | \frac{7}{2} | \boxed{3 \frac12}
    M | 1 | \frac{7}{2} | #### 3 1/2
    M | 0 | \frac{31}{2} | \boxed{3 1/2}
    M | 0 | \frac{3}{2} | \boxed{3\frac{1}{2}}
    M | 1 | -\frac{7}{2} | \boxed{-3\frac{1}{2}}
    M | 0 | -\frac{5}{2} | \boxed{-3\frac{1}{2}}
    M | 0 | 2 | the result is 1/2
    M | 1 | \frac{1}{2} | the result is 1/2
    M | 1 | \frac{1}{2} | the result is $\frac{1}{2}$.
    M | 0 | 2 | the result is $\frac{1}{2}$.
    M | 1 | -5 | the result is -5.
    M | 0 | 5 | the result is -5.
    M | 0 | -3 | we get 10-3
    M | 1 | -5 | the result is −5.
    M | 1 | -\frac{1}{2} | so x = -\frac{1}{2}
    M | 0 | 123 | \boxed{1 2 3}
    M | 1 | 10000 | \boxed{10 000}
    M | 1 | 10000 | \boxed{10,\!000}
    M | 1 | 10000 | \boxed{10\,000}
    M | 0 | 5 | \boxed{2x = 5}
    M | 0 | x+y=3 | \boxed{3}
    M | 1 | x=5 | \boxed{5}
    M | 1 | 5 | \boxed{5 = x}
    M | 0 | 71 | \boxed{48+24=71}
    M | 0 | 48 | \boxed{48+24=72}
    M | 1 | (5,\infty) | \boxed{x > 5}
    M | 0 | [5,\infty) | \boxed{x > 5}
    M | 1 | x \ge 5 | \boxed{[5, \infty)}
    M | 0 | (1,2) | \boxed{[1,2]}
    M | 0 | (1,2) | \boxed{\{1,2\}}
    M | 1 | \{1,2\} | \boxed{2,1}
    M | 0 | \{1,2\} | \boxed{\{1,2,3\}}
    M | 0 | (1,2) | \boxed{(2,1)}
    M | 0 | \begin{pmatrix}1&2\\3&4\end{pmatrix} | \boxed{\begin{vmatrix}1&2\\3&4\end{vmatrix}}
    M | 0 | \begin{pmatrix}1&2\\3&4\end{pmatrix} | \boxed{\begin{pmatrix}1&3\\2&4\end{pmatrix}}
    M | 1 | \begin{pmatrix}1&2\\3&4\end{pmatrix} | \boxed{\left(\begin{array}{rr}1&2\\[4pt]3&4\end{array}\right)}
    M | 1 | \begin{pmatrix}1&2\\3&4\end{pmatrix} | \boxed{[[1,2],[3,4]]}
    M | 0 | 5 | \boxed{5 million}
    M | 1 | 5 | \boxed{5\text{ m}}
    M | 1 | 5 | \boxed{5 m}
    M | 0 | 5 | \boxed{5x}
    M | 0 | 2 | \boxed{2\pi}
    M | 0 | 2 | \boxed{2 pi}
    M | 1 | 2\pi | \boxed{2π}
    M | 1 | 2\pi | \boxed{2pi}
    M | 1 | \sqrt{2} | \boxed{sqrt(2)}
    M | 0 | 0.5 | \boxed{5\%}
    M | 1 | 50 | \boxed{50\%}
    M | 1 | 50\% | \boxed{50 percent}
    M | 1 | 3.5 | \boxed{3½}
    M | 0 | \infty | \boxed{\mathbb{R}}
    M | 1 | \mathbb{R} | \boxed{x \in \mathbb{R}}
    M | 1 | \sqrt[3]{x} | \boxed{x^{1/3}}
    M | 0 | x | \boxed{-x}
    M | 0 | x^3 | \boxed{|x|^3}
    M | 1 | x^2 | \boxed{|x|^2}
    M | 0 | \sqrt{(x-1)^2} | \boxed{x-1}
    M | 1 | 2x+1 | \boxed{1+2x}
    M | 1 | \arcsin x+1 | \boxed{1+\arcsin x}
    M | 1 | \ln 2 | \boxed{\ln(2)}
    M | 1 | 42 | \boxed{$42$}
    M | 1 | 42 | \boxed{**42**}
    M | 1 | 42 | \boxed{\mathbf{42}}
    M | 1 | 42 | \boxed{{\color{red} 42}}
    M | 1 | 3, 4 | \boxed{x=3}, \boxed{x=4}
    M | 1 | 3, 4 | \boxed{x = 3 \text{ or } x = 4}
    M | 0 | 4 | First \boxed{3}. Then \boxed{4} wrong? \boxed{5}
    M | 1 | 5 | First \boxed{3}.@nThen \boxed{5}
    M | 0 | 3,5 | Step one gives \boxed{3}. Step two gives \boxed{5}
    M | 1 | \text{Evelyn} | \boxed{Evelyn}
    M | 1 | \text{even} | \boxed{\textbf{even}}
    M | 0 | \text{even} | \boxed{odd}
    M | 1 | 18 | \boxed{\$18.00}
    M | 1 | 18 | Answer: 18 dollars
    M | 1 | 1024 | \boxed{2^{10}}
    M | 0 | 10 | we get 2^{10}
    M | 1 | 1024 | we get 2^{10}
    M | 1 | 6 | The answer is 2 + 4 = 6
    M | 1 | (3,4) | \boxed{(3, 4)}
    M | 1 | 30 | \boxed{30^\circ}
    M | 1 | 30 | \boxed{30°}
    M | 1 | 30 | \boxed{30 degrees}
    M | 1 | 12 | \boxed{12 \text{ square units}}
    M | 1 | 12 | \boxed{12 \text{ cm}^2}
    M | 0 | 1 | \boxed{1/2}
    M | 1 | 0.5 | \boxed{\dfrac12}
    M | 0 | 1.41 | \boxed{\sqrt 2}
    M | 1 | 1\pm\sqrt{2} | \boxed{1+\sqrt2, 1-\sqrt2}
    M | 0 | 3 | \boxed{-3}
    M | 0 | -\frac{1}{2} | \boxed{\frac{1}{2}}
    M | 1 | -\frac{1}{2} | \boxed{\frac{-1}{2}}
    M | 0 | x^2+1 | \boxed{x^2-1}
    M | 1 | 11:30 | \boxed{11:30}
    M | 1 | y=2x+3 | \boxed{2x-y+3=0}
    M | 0 | y=2x+3 | \boxed{2x+y+3=0}
    M | 1 | 9 | #### 9@n
    M | 1 | 5 | \boxed{x \in \{5\}}
    M | 1 | 3 | \boxed{x=3} hence the answer.
    I | 1 | 42 | \boxed{042}
    I | 1 | 42 | \boxed{42^\circ}
    I | 1 | 42 | \boxed{\textbf{42}}
    I | 0 | 42 | \boxed{4200}
    I | 1 | 42 | The answer is **42**.
    I | 1 | 42 | **Final Answer:** 42
    I | 0 | 3 | The answer is 3/4
    I | 0 | 5 | The answer is 5 + 3
    I | 1 | 8 | The answer is 5 + 3 = 8.
    I | 1 | 5 | The answer is 5 - as shown above
    L | 1 | B | The correct answer is (B) because
    L | 1 | C | \boxed{C}
    L | 1 | C | \boxed{(C)}
    L | 1 | C | \boxed{\text{C}}
    L | 1 | C | \boxed{C: opt2}
    L | 0 | C | \boxed{B \text{ and } C}
    L | 0 | B | \boxed{B \text{ and } C}
    L | 0 | A | The answer is not A
    L | 0 | C | Option C is incorrect.
    L | 1 | A | The answer is A because it fits.
    L | 1 | D | So the correct choice is D.
    L | 0 | D | A. one@nB. two@nC. three@nD. four
    L | 1 | B | **Answer: B**
    L | 1 | B | "answer": "B"
    L | 1 | B | I choose option B. Option B is the correct answer
    L | 1 | B | Final answer: [B]
    L | 0 | A | \boxed{A square}
    L | 1 | B | \boxed{B) opt1}
    L | 1 | B | Answer: b)@n\boxed{B}
    L | 1 | B | \boxed{\textbf{(B) }opt1}
    L | 1 | B | \boxed{\textbf{B}\ \text{opt1}}
    L | 1 | B | \boxed{\text{Option B}}
    L | 1 | B | \boxed{\text{The answer is B}}
    L | 1 | B | \boxed{Answer: B}
    L | 1 | B | Answer: \textbf{B}
    L | 1 | B | The answer is $\mathbf{B}$
    L | 1 | B | The answer is \textbf{(B)}.
    L | 1 | B | The correct option is B.
    L | 1 | B | So, option B is correct.
    L | 1 | B | The answer should be B
    L | 1 | B | The answer is [B]
    L | 1 | B | {"answer": "B"}
    L | 1 | B | ### Conclusion@n@n**B.** opt1
    L | 1 | B | B. opt1
    L | 0 | A | The answer is A lot to take in. Nothing more.
    M | 1 | 1, 2, 3 | \boxed{1,2,\text{ and }3}
    M | 1 | 2, 3, 5 | \boxed{2, 3, \text{and } 5}
    M | 1 | 19, 46, 82 | \boxed{19, 46,\text{ and } 82}
    M | 1 | 1,2 | \boxed{1 and 2}
    M | 1 | 72 | \boxed{48+24=72}
    M | 1 | 18 | \boxed{9 \times 2 = 18}
    M | 1 | 11 | \boxed{x = 5+6 = 11}
    M | 1 | 18 | \boxed{a+b=18}
    M | 1 | \frac{1}{18} | \boxed{\frac{1}{18} \approx 5.6\%}
    M | 1 | 11 | \boxed{x \approx 11}
    M | 1 | 42 | \boxed{\boxed{42}}
    M | 1 | 42 | \boxed{\large 42}
    M | 1 | 42 | \boxed{\bf 42}
    M | 1 | 42 | \boxed{\textcolor{red}{42}}
    M | 1 | 42 | \boxed{\underline{42}}
    M | 1 | 42 | \boxed{\textnormal{42}}
    M | 1 | 42 | \boxed{\(42\)}
    M | 1 | 5 | \boxed{5 \textnormal{ cm}}
    M | 1 | 42 | \boxed{42\ }
    M | 0 | |x| | \boxed{x}
    M | 0 | x | \boxed{|x|}
    M | 0 | \sqrt{x^2} | \boxed{x}
    M | 1 | 40 | \boxed{40 apples}
    M | 1 | 40 | \boxed{40 eggs}
    M | 1 | 40 | \boxed{40 cm^2}
    M | 1 | 40 | \boxed{40 km/h}
    M | 1 | 40 | \boxed{40 miles per hour}
    M | 1 | 70000 | \boxed{USD 70,000}
    M | 1 | 70000 | \boxed{€70,000}
    M | 1 | 70000 | \boxed{£70,000}
    M | 1 | 460 | \boxed{\text{The answer is 460}}
    M | 1 | 18 | \boxed{\text{18 eggs}}
    M | 1 | 72 | #### 72 clips
    M | 1 | 72 | #### **72**
    M | 1 | 72 | #### $72.00
    M | 1 | \begin{pmatrix}1&2\\3&4\end{pmatrix} | \boxed{\left[\begin{array}{cc}1&2\\3&4\end{array}\right]}
    M | 1 | x\ge5 | \boxed{x >= 5}
    M | 1 | x\ge5 | \boxed{x ≥ 5}
    M | 1 | 6\times 10^8 | \boxed{6 × 10^8}
    M | 1 | x^2 | \boxed{x²}
    M | 1 | \sqrt{2} | \boxed{√2}
    M | 1 | \frac{1}{2} | \boxed{½}
    M | 1 | -2,1 | \boxed{-2} \text{ and } \boxed{1}
    M | 1 | (2,2),(6,2) | $\boxed{(2, 2)}$ and $\boxed{(6, 2)}$
    I | 1 | 42 | \boxed{42 \text{ units}}
    I | 1 | 113 | \boxed{\boxed{113}}
    I | 1 | 42 | \boxed{42\ }
    I | 1 | 42 | Therefore, the answer is \textbf{42}.
    I | 1 | 42 | The final answer is $\mathbf{42}$
    I | 1 | 42 | The answer is 1 + 41 = 42
    I | 0 | 1 | The answer is 1 + 41 = 42
    I | 1 | 42 | \boxed{42 \pmod{1000}}
    """#
}
