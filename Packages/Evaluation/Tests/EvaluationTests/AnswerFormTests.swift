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

  @Test(
    arguments: [forms, notations, kinds, variants, trials, examiner, traps].joined(separator: "\n")
      .split(
        separator: "\n"
      )
      .map(String.init))
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
    M | 0 | 12\text{ cm} | \boxed{12\text{ m}}
    M | 0 | 12\text{ cm} | \boxed{12 m}
    M | 0 | 12\text{ cm}^2 | \boxed{12\text{ cm}^3}
    M | 1 | 12\text{ cm} | \boxed{0.12 \text{ m}}
    M | 1 | 12\text{ cm} | \boxed{120 mm}
    M | 1 | 12\text{ cm} | \boxed{12}
    M | 1 | 12 | \boxed{12\,\mathrm{cm}}
    M | 1 | 1\text{ m}^2 | \boxed{10000 \text{ square centimeters}}
    M | 1 | 36 \text{ km/h} | \boxed{10 \text{ m/s}}
    M | 0 | 36 \text{ km/h} | \boxed{36 \text{ mph}}
    M | 1 | \$5 | \boxed{500 \text{ cents}}
    M | 0 | \$5 | \boxed{5 \text{ cents}}
    M | 0 | \$5 | \boxed{5 euros}
    M | 0 | 5 \text{ hours} | \boxed{5 \text{ days}}
    M | 1 | 90 \text{ minutes} | \boxed{1 hour 30 minutes}
    M | 1 | 1.5 \text{ hours} | \boxed{1 \text{ hour and } 30 \text{ minutes}}
    M | 1 | 66 \text{ inches} | \boxed{5 feet 6 inches}
    M | 1 | 3, 4 | \boxed{3 \text{ cm}, 4 \text{ cm}}
    M | 1 | 5\sqrt{2} \text{ cm} | \boxed{5\sqrt2}
    M | 0 | 5\sqrt{2} \text{ cm} | \boxed{5\sqrt2 \text{ m}}
    M | 1 | x = 5 \text{ cm} | \boxed{5}
    M | 1 | 4s | \boxed{4s}
    M | 1 | 50\% | \boxed{0.5}
    M | 1 | 50\% | \boxed{\frac{1}{2}}
    M | 1 | 0.5 | \boxed{50\%}
    M | 0 | 0.5 | \boxed{50}
    M | 0 | 50\% | \boxed{5\%}
    M | 1 | 28\% | \boxed{28 pct}
    M | 1 | 28\% | \boxed{28 percentage}
    M | 1 | 30^\circ | \boxed{\frac{\pi}{6}}
    M | 1 | \frac{\pi}{6} | \boxed{30^{\circ}}
    M | 0 | 30^\circ | \boxed{30 \text{ radians}}
    M | 1 | (2, 30^\circ) | \boxed{(2, 30)}
    M | 1 | \sin 50^\circ | \boxed{\cos 40^\circ}
    M | 1 | \frac{1}{2} | \boxed{\sin(30°)}
    M | 1 | 20^\circ \text{C} | \boxed{20°C}
    M | 0 | 20^\circ \text{C} | \boxed{20°F}
    M | 1 | 3:4 | \boxed{\frac{3}{4}}
    M | 1 | \frac{3}{4} | \boxed{3:4}
    M | 1 | 3:4 | \boxed{6:8}
    M | 0 | 3:4 | \boxed{4:3}
    M | 1 | 3:4 | \boxed{3 \text{ to } 4}
    M | 1 | 3:4 | \boxed{three to four}
    M | 1 | 1:2:3 | \boxed{2 : 4 : 6}
    M | 0 | 1:2:3 | \boxed{1:2}
    M | 1 | 3:4 | \boxed{a:b = 3:4}
    M | 1 | \frac{3}{4} | \boxed{3 out of 4}
    M | 0 | 12:00 | \boxed{1:00}
    M | 1 | 12:00 | \boxed{12:00}
    M | 1 | 2\text{:}30\text{ p.m.} | \boxed{2:30 PM}
    M | 1 | 2:30 \text{ p.m.} | \boxed{2{:}30}
    M | 0 | 2:30 \text{ p.m.} | \boxed{2:30 a.m.}
    M | 1 | 385 | \boxed{\sum_{k=1}^{10} k^2}
    M | 1 | \sum_{k=1}^{n} k | \boxed{\frac{n(n+1)}{2}}
    M | 1 | \sum_{i=1}^{n} i | \boxed{\sum_{k=1}^n k}
    M | 0 | \sum_{k=1}^{n} k | \boxed{\frac{n(n-1)}{2}}
    M | 0 | \sum_{k=1}^{10} k^2 | \boxed{\sum_{k=1}^{9} k^2}
    M | 1 | 2^n | \boxed{\sum\limits_{k=0}^{n} \binom{n}{k}}
    M | 1 | 24 | \boxed{\prod_{k=1}^{4} k}
    M | 1 | 2 | \boxed{\sum_{n=0}^{\infty} \frac{1}{2^n}}
    M | 1 | 385 | \boxed{\sum_{k=1}^{10} k^2 = 385}
    M | 1 | \frac{n!}{2} | \boxed{n!/2}
    M | 0 | n! | \boxed{(n+1)!}
    M | 1 | F_n = \sum_{k=0}^{n-1} F_k F_{n-k-1} | \boxed{F_n = \sum_{k=0}^{n-1} F_{n-k-1} F_k}
    M | 0 | F_n = \sum_{k=0}^{n-1} F_k F_{n-k-1} | \boxed{F_n = \sum_{k=0}^{n-2} F_k F_{n-k-2}}
    M | 1 | 12 | \boxed{\text{twelve}}
    M | 1 | 12 | \boxed{twelve cows}
    M | 1 | \text{twenty-one} | \boxed{21}
    M | 1 | 105 | \boxed{one hundred and five}
    M | 1 | 12345 | \boxed{twelve thousand three hundred forty-five}
    M | 0 | 12 | \boxed{twenty}
    M | 1 | \frac{2}{3} | \boxed{two-thirds}
    M | 1 | 3.5 | \boxed{three and a half}
    M | 1 | \frac{1}{2} | \boxed{\text{one half}}
    M | 1 | -5 | \boxed{negative five}
    M | 1 | 1000 | \boxed{1e3}
    M | 1 | 0.00015 | \boxed{1.5E-4}
    M | 1 | 6\times 10^8 | \boxed{6 x 10^8}
    M | 1 | 6\times 10^{12} | \boxed{6*10^12}
    M | 0 | 0 | \boxed{2^10}
    M | 1 | 1000 | \boxed{2^3 5^3}
    M | 1 | 11111111100 | \boxed{11,\! 111,\! 111,\! 100}
    M | 1 | 14916 | \boxed{14 {, }916}
    M | 0 | 32349 | \boxed{32, 349}
    M | 1 | 2, 345 | \boxed{345, 2}
    M | 1 | 1000, 2000 | \boxed{2,000, 1,000}
    M | 1 | 3.14 | \boxed{3,14}
    M | 1 | \text{Yes} | \boxed{yes}
    M | 0 | \text{Yes} | \boxed{no}
    M | 1 | \text{ellipse} | \boxed{an ellipse}
    M | 1 | \text{Mr. Smith} | \boxed{mr. smith}
    M | 1 | (x,y) = (2,3) | \boxed{(2,3)}
    M | 1 | (2,3) | \boxed{(x, y) = (2, 3)}
    M | 1 | (2,3) | \boxed{x = 2, y = 3}
    M | 1 | (2,3) | \boxed{y = 3, x = 2}
    M | 0 | (2,3) | \boxed{x = 3, y = 2}
    M | 1 | 30 | \boxed{m\angle ABC = 30^\circ}
    M | 1 | 7 | \boxed{|AB| = 7}
    M | 1 | \frac{1}{6} | \boxed{P(\text{six}) = \frac16}
    M | 0 | 5 | \boxed{\sqrt{x} = 5}
    M | 1 | x^2+2x+1 | \boxed{(x+1)^2 = x^2+2x+1}
    M | 1 | (-\infty,1)\cup(3,\infty) | \boxed{x < 1 \text{ or } x > 3}
    M | 1 | (2,5] | \boxed{x > 2 \text{ and } x \le 5}
    M | 0 | (2,5] | \boxed{x > 2 \text{ and } x < 5}
    M | 1 | (-\infty,3)\cup(3,\infty) | \boxed{x \ne 3}
    M | 1 | x \ne 3 | \boxed{\mathbb{R} \setminus \{3\}}
    M | 1 | (-\infty,\infty) | \boxed{\text{all real numbers}}
    M | 1 | (2,\infty) | \boxed{\{x \mid x > 2\}}
    M | 1 | \emptyset | \boxed{\varnothing}
    M | 1 | \begin{pmatrix} 1 \\ 2 \end{pmatrix} | \boxed{(1, 2)}
    M | 0 | \begin{pmatrix} 1 \\ 2 \end{pmatrix} | \boxed{(2, 1)}
    M | 0 | \begin{pmatrix} 1&2\\3&4 \end{pmatrix} | \boxed{(1, 2)}
    M | 1 | \arctan x | \boxed{\tan^{-1} x}
    M | 1 | \sin x | \boxed{sin(x)}
    M | 1 | \text{(B)} | \boxed{\textbf{(B)}\ 12}
    M | 1 | 12 | \boxed{\textbf{(B)}\ 12}
    M | 0 | \text{(B)} | \boxed{\textbf{(C)}\ 12}
    M | 1 | 0.\overline{3} | \boxed{0.\bar{3}}
    M | 1 | 1 - \frac{1}{\mathrm{e}} | \boxed{1 - \frac{1}{e}}
    I | 1 | 42 | \boxed{\text{forty-two}}
    I | 1 | 42 | The answer is $m+n = 42$.
    I | 1 | 42 | The answer to the problem is therefore 42.
    I | 1 | 42 | \boxed{42 \text{ cm}}
    L | 1 | B | B is the correct answer.
    L | 1 | B | Of all of these, **B** is the best choice.
    L | 0 | B | I would pick B because it is larger.
    L | 0 | A | Statement A is correct.
    L | 1 | B | The answer is most likely B.
    L | 1 | B | Answer：B
    L | 1 | B | Answer – B
    L | 1 | B | <answer>B</answer>
    L | 1 | B | The answer to this question is B.
    L | 0 | B | B is not the answer.
    M | 1 | 10080 | \boxed{x = 10,080}
    M | 1 | 14,916 | \boxed{N = 14{,}916}
    M | 1 | 10080 | \boxed{\approx 10,080}
    M | 1 | 12.5\% | \boxed{12\frac{1}{2}\%}
    M | 1 | \frac{1}{8} | \boxed{12.5\%}
    M | 1 | 1\frac{1}{2} \text{ hours} | \boxed{90 \text{ minutes}}
    M | 1 | 2 \text{ dozen} | \boxed{24}
    M | 1 | 3\text{ ft} | \boxed{1 yard}
    M | 1 | 1 \text{ L} | \boxed{1000 cm^3}
    M | 1 | 9.8 \text{ m/s}^2 | \boxed{9.8\, \mathrm{m}/\mathrm{s}^2}
    M | 0 | 9.8 \text{ m/s}^2 | \boxed{9.8 \text{ m/s}}
    M | 1 | 1{,}000{,}000 | \boxed{one million}
    M | 1 | 3/4 | \boxed{three-fourths}
    M | 0 | 7 | \boxed{seventeen}
    M | 1 | 45 | \boxed{forty five degrees}
    M | 1 | \frac{2}{5} | \boxed{2 \text{ out of } 5}
    M | 1 | 4:1 | \boxed{4}
    M | 1 | \sum_{k=1}^{n} (2k-1) | \boxed{n^2}
    M | 0 | \sum_{k=1}^{n} (2k-1) | \boxed{n^2+1}
    M | 1 | \prod_{i=1}^{3} (i+1) | \boxed{24}
    M | 0 | 5 | \boxed{5 \text{ million}}
    M | 1 | 5000000 | \boxed{5 \text{ million}}
    M | 1 | 5000000 | \boxed{\$5 \text{ million}}
    M | 1 | 1500 | \boxed{1.5 \text{ thousand}}
    """#
}
