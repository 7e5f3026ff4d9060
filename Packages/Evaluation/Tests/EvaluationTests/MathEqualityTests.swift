import Testing

@testable import Evaluation

struct MathEqualityTests {
  func areEqual(_ answer: String, _ key: String) throws -> Bool {
    let grading = GradingRule.mathematics
    return grading.areEqual(grading.canonical(answer), try #require(grading.canonical(key)))
  }

  @Test(arguments: [
    (#"\frac{1}{2}"#, "0.5"), (#"\dfrac12"#, "1/2"), (".5", #"\tfrac{2}{4}"#),
    (#"1\frac{4}{5}"#, "1.8"), (#"137 \frac{1}{2}"#, "137.5"), (#"10,\!080"#, "10080"),
    ("10{,}000", "10,000"), (#"\$32,\!348"#, "32348"), (#"50\%"#, "50"),
    (#"\frac{270}7\text{ degrees}"#, #"\frac{270}{7}^\circ"#), (#"145^\circ"#, "145"),
    (#"12\text{ cm}^2"#, "12"), ("12 inches", "12"), (#"5\,\mathrm{m}"#, "5"),
    (#"1,200 \text{ dollars}"#, "1200"), ("5 square units", "5"),
    (#"\frac{\sqrt{3}}{3}"#, #"\frac{1}{\sqrt3}"#), (#"3\sqrt{13}"#, #"\sqrt{117}"#),
    (#"11 \sqrt{5} + 11"#, #"11(1+\sqrt{5})"#), (#"\sqrt[3]{-8}"#, "-2"),
    (#"288 \pi"#, #"\pi \cdot 288"#), (#"\frac{20000}{\pi}"#, #"20000\pi^{-1}"#),
    ("6+9i", "9i + 6"), (#"i^2"#, "-1"), (#"2^{10}"#, "1024"), (#"\binom{5}{2}"#, "10"),
    ("5!", "120"),
    ("x^3+3x-6", "-6 + 3x + x^3"), ("(a+5)(b+2)", "ab + 2a + 5b + 10"), ("4a-2", "2(2a-1)"),
    (#"\cot x"#, #"\frac{\cos x}{\sin x}"#), (#"\log_2 8"#, "3"), (#"\ln e"#, "1"),
    (#"\sin^2 x + \cos^2 x"#, "1"), (#"|{-3}|"#, "3"), (#"\lfloor 3.7 \rfloor"#, "3"),
    (#"\left( 3, \frac{\pi}{2} \right)"#, #"(3, 0.5\pi)"#), ("3, 5, 7", "7,5,3"),
    (#"\{1\pm\sqrt{5},-2\}"#, #"\{-2, 1+\sqrt5, 1-\sqrt5\}"#),
    (#"1 \pm \sqrt{19}"#, #"1-\sqrt{19}, 1+\sqrt{19}"#),
    (#"3 \text{ or } 5"#, "5, 3"), (#"(2,\infty)"#, #"(\sqrt4, \infty)"#),
    (#"(0,9) \cup (9,36)"#, #"(9,36)\cup(0,9)"#), (#"x \in (2, 4]"#, "(2,4]"),
    (#"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}"#, #"\begin{pmatrix} 0.2 \\ -3.6 \end{pmatrix}"#),
    ("y = 2x + 3", "y=3+2x"), ("2x+3", "y = 2x + 3"), ("x=5", "5"), ("2x + y = 4", "y = 4 - 2x"),
    ("x > 2", "2 < x"), (#"1 \le x \leq 3"#, #"3 \ge x \geq 1"#),
    (#"\text{Evelyn}"#, "evelyn"), (#"\text{(B)}"#, "B"), ("52_{8}", "52_8"),
    (#"\text{even}"#, "Even"),
    (#"\theta = \frac{\pi}{6}"#, #"\frac{\pi}{6}"#), ("f(x) = x^2", "x^2"), ("007", "7"),
    ("-0", "0"),
    (#"\{3\}"#, "3"), (#"0.1\overline{6}"#, #"\frac16"#), (#"0.\overline{27}"#, #"\frac{3}{11}"#),
    (#"f^{-1}(x) = \frac{x}{2}"#, "x/2"), (#"1.5 \times 10^{-3}"#, ".0015"), ("−4", "-4"),
  ])
  func sameAnswers(answer: String, key: String) throws {
    #expect(try areEqual(answer, key))
    #expect(try areEqual(key, answer))
  }

  @Test(arguments: [
    ("3.14", #"\pi"#), ("0.333", #"\frac{1}{3}"#), ("(1,2)", "(2,1)"), ("(2,4)", "[2,4]"),
    ("(2,4)", "2,4"), ("1,2", "1,2,2"), (#"\{1,2\}"#, #"\{1,3\}"#), ("52_8", "52_9"),
    ("52", "52_8"),
    ("x+1", "x+2"), ("y=2x", "y=3x"), ("x^2+y^2=25", "25"), ("x > 2", "x < 2"),
    ("x>2", #"x \ge 2"#),
    (#"\frac{1}{0}"#, "0"), ("even", "odd"), ("listen", "silent"), ("A", "B"), ("5", "x=6"),
    (#"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"#, #"\begin{pmatrix} 1 & 2 \end{pmatrix}"#),
    ("100000000000000000001", "100000000000000000002"), ("10000", "9999"), ("", "0"),
    (#"\infty"#, #"-\infty"#), (#"3\sqrt{2}"#, #"2\sqrt{3}"#), ("12", "12,13"),
    ("0.1.2", "0.1"), (#"0.\overline{x}"#, "0"), (#"3\overline{4}"#, "34"), ("--", "0"),
    ("(((", "1"),
  ])
  func differentAnswers(answer: String, key: String) throws {
    #expect(try !areEqual(answer, key))
  }

  @Test(arguments: [
    (#"\int_0^1 x^2\,dx"#, #"\frac{1}{3}"#),
    (#"\int_{-\infty}^{\infty} e^{-x^2} dx"#, #"\sqrt{\pi}"#),
    (#"\int_0^{\pi} \sin\theta\,d\theta"#, "2"), (#"\int\limits_1^e \frac{dx}{x}"#, "1"),
    (#"\int_0^1 \frac{2x\,\mathrm{d}x}{x^2+1}"#, #"\ln 2"#),
    ("∫_0^1 x^2+1 dx + 3", #"\frac{13}{3}"#),
    (#"\int_0^x t^2 \, dt"#, #"\frac{x^3}{3}"#), (#"\int_0^1 \frac{1}{\sqrt{x}}dx"#, "2"),
    (#"2\int_0^1 \ln x \, dx"#, "-2"), (#"\int_1^0 x \, dx"#, "-0.5"),
    (#"\int_0^{\infty} \frac{x^3}{e^x - 1} dx"#, #"\frac{\pi^4}{15}"#),
    (#"\int_{0}^{2\pi} \cos x \, dx"#, "0"), (#"\int_0^1 2x dx = 1"#, "1"),
    (#"\lim_{x \to 0} \frac{\sin x}{x}"#, "1"), (#"\lim_{n\to\infty} (1+\frac{1}{n})^n"#, "e"),
    (#"\lim_{x\to 0^+} x \ln x"#, "0"), (#"\lim_{x\rightarrow 2} \frac{x^2-4}{x-2}"#, "4"),
    (#"\lim_{n\to\infty} \sqrt{n^2+n}-n"#, #"\lim_{n\to\infty} \sqrt{n^2+n}-n"#),
    (#"\lim_{n\to\infty} (\sqrt{n^2+n}-n)"#, #"\frac12"#),
    (#"\lim_{x→0} \frac{1-\cos x}{x^2}"#, "0.5"),
    (#"\lim_{h \to 0} \frac{(x+h)^2-x^2}{h}"#, "2x"),
    (#"\lim_{x\to-\infty} \frac{x}{|x|+1}"#, "-1"),
    (#"\lim_{n\to\infty} \sum_{k=1}^{n} \frac{1}{2^k}"#, "1"),
    (#"\lim_{x\to 0} \frac{e^x-1-x}{x^2} = \frac12"#, "1/2"),
    (#"\int_0^1 \int_0^x (x^2 + y^2) \, dy \, dx"#, #"\frac13"#),
    (#"\int_0^{2\pi} \int_0^1 r e^{-r^2} \, dr \, d\theta"#, #"\pi(1 - \frac1e)"#),
  ])
  func integralsAndLimitsHaveValues(answer: String, key: String) throws {
    #expect(try areEqual(answer, key))
    #expect(try areEqual(key, answer))
  }

  @Test(arguments: [
    (#"\int x^2 dx"#, #"\frac{x^3}{3}"#), (#"\int_{-1}^{1} \frac{1}{x} dx"#, "0"),
    (#"\int_{-1}^{2} \frac{1}{x} dx"#, #"\ln 2"#), (#"\int_0^1 \frac{1}{x}dx"#, #"\infty"#),
    (#"\int_0^1 x^2 dx"#, #"\frac{1}{2}"#), (#"\int_0^{\infty} \cos x dx"#, "0"),
    (#"\int_{-1}^1 \frac{1}{x^2} dx"#, "-2"), (#"\int_0^1 x^2 dy"#, #"\frac13"#),
    (#"\lim_{x\to 0} \frac{|x|}{x}"#, "1"), (#"\lim_{x\to 0} (5+\frac{1}{x})"#, "5"),
    (#"\lim_{x\to\infty} \ln x"#, "0"), (#"\lim_{n\to\infty} (-1)^n"#, "1"),
    (#"\lim_{x\to\infty} \sin x"#, "0"), (#"\lim_{x\to 0} \frac{\sin x}{x}"#, "0"),
    (#"\lim_{n\to\infty} 2^n"#, "0"), (#"\int_0^1"#, "1"), (#"\int_0 x dx"#, "0"), (#"\lim"#, "0"),
    (#"\lim_{x\to y} x"#, "x"), (#"\int_0^1 \int_0^1 \int_0^1 xyz dx dy dz"#, "1"),
  ])
  func whatDoesNotConvergeHasNoValue(answer: String, key: String) throws {
    #expect(try !areEqual(answer, key))
  }

  @Test(arguments: [
    (#"\frac{d}{dx} x^3"#, "3x^2"), (#"\frac{\mathrm{d}}{\mathrm{d}x} \ln x"#, "1/x"),
    (#"\frac{d}{dx}(x^2 + \sin x) + 1"#, #"2x + \cos x + 1"#),
    (#"\frac{\partial}{\partial x}(x^2 y^3)"#, "2xy^3"),
    (#"\frac{\partial(x^2 y^3)}{\partial y}"#, "3x^2y^2"), (#"\frac{d^2}{dx^2} e^{2x}"#, "4e^{2x}"),
    (#"\frac{\partial^2}{\partial x \partial y} (x^2 y^3)"#, "6xy^2"),
    (#"\frac{\partial z}{\partial x} = 2xy"#, "2xy"),
    (#"\frac{dy}{dx} = \frac{y}{x}"#, #"\frac yx"#),
    (#"\frac{d}{d\theta} \sin\theta = \cos\theta"#, #"\cos\theta"#),
    (#"\frac{\partial f}{\partial x}(1, 2) = 4"#, "4"),
    (#"\frac{\partial^2 u}{\partial t^2} = 0"#, "0"),
    (#"\frac{d}{t}"#, "d/t"), (#"\frac{dx}{2d}"#, "x/2"),
    (#"\frac{d^3}{dx^3} x^4 = 24x"#, "24x"), (#"\frac{d^9}{dx^9} x^9"#, "362880"),
    (#"\frac{d^3}{dx^3} \ln x"#, #"\frac{2}{x^3}"#), (#"\frac{d^4}{dx^4} e^{2x}"#, "16e^{2x}"),
    (#"\frac{d^4}{dx^4} \sin(3x) = 81\sin(3x)"#, #"81\sin 3x"#),
    (#"\frac{d^3}{dx^3} \sqrt{x}"#, #"\frac{3}{8}x^{-5/2}"#),
    (#"\frac{d^3}{dx^3} \arctan x"#, #"\frac{6x^2-2}{(1+x^2)^3}"#),
    (#"\frac{d^5}{dx^5}(x^3)"#, "0"), (#"\frac{d^3 y}{dx^3} = 24x"#, "24x"),
    (#"\frac{\partial^3}{\partial x^2 \partial y} (x^3 y^2)"#, "12xy"),
    (
      #"\frac{\partial^4}{\partial x^2 \partial y^2} \sin(xy)"#,
      #"x^2y^2\sin(xy) - 4xy\cos(xy) - 2\sin(xy)"#
    ),
    (#"\frac{dy}{dx} = 3\frac{dz}{dx}"#, #"\frac13 \frac{dy}{dx} = \frac{dz}{dx}"#),
  ])
  func derivativesHaveValues(answer: String, key: String) throws {
    #expect(try areEqual(answer, key))
    #expect(try areEqual(key, answer))
  }

  @Test(arguments: [
    (#"\frac{dy}{dx}"#, #"\frac{y}{x}"#), (#"\frac{\partial f}{\partial x}"#, #"\frac{f}{x}"#),
    (#"\frac{d}{dx} x^2"#, "x"), (#"\frac{d}{dx} x^2"#, #"\frac{d}{dx} x^3"#),
    (#"\frac{\partial z}{\partial x} = 2xy"#, "2x"), (#"\frac{dy}{dx}"#, #"\frac{dx}{dy}"#),
    (#"\frac{d}{dx} |x|"#, "0"), (#"\frac{d}{dx} \lfloor x \rfloor"#, "1"),
    (#"\frac{d^9}{dx^9} x^9"#, "362881"), (#"\frac{d^3}{dx^3} x^4"#, "24x^2"),
    (#"\frac{d^3}{dx^3} |x|^3"#, "6"), (#"\frac{d^3}{dx^3} \ln x"#, #"\frac{1}{x^3}"#),
    (#"\frac{d^3}{dx^3} \lfloor x \rfloor"#, "1"), (#"\frac{d^3y}{dx^3}"#, #"\frac{y}{x^3}"#),
    (#"\frac{\partial^3}{\partial x^2 \partial y} (x^3 y^2)"#, "6xy^2"),
    (#"\frac{\partial}{\partial y} (x^2)"#, "2x"),
    (#"\frac{\partial f}{\partial x} = 4"#, #"\frac{\partial f}{\partial y} = 4"#),
  ])
  func otherDerivativesAreNotTheSame(answer: String, key: String) throws {
    #expect(try !areEqual(answer, key))
  }

  @Test(arguments: [
    ("0.333...", #"\frac{1}{3}"#), (#"0.\overline3"#, "1/3"), (#"0.1666\ldots"#, #"\frac16"#),
    ("0.(27)", #"\frac{3}{11}"#), (#"0.\dot{1}4285\dot{7}"#, #"\frac17"#),
    ("0.33…", #"\frac13"#), (#"0.\bar{6}"#, "2/3"), ("0.142857142857...", "1/7"),
    (#"-1.8333\dots"#, #"-\frac{11}{6}"#), (#"\frac{1}{3} = 0.333\ldots"#, "1/3"),
    ("0.1212...", "4/33"),
    (#"0.\overline{3}\ldots"#, "1/3"), ("0.999...", "1"), (#"x = 0.333..."#, "1/3"),
    ("2.5000...", "2.5"),
  ])
  func decimalsThatRepeatAreFractions(answer: String, key: String) throws {
    #expect(try areEqual(answer, key))
    #expect(try areEqual(key, answer))
  }

  @Test(arguments: [
    ("0.333", #"\frac{1}{3}"#), ("3.14159...", #"\pi"#), ("0.333...", "0.333"), ("0.3...", "1/3"),
    ("0.5(3)", #"0.5\overline{3}"#), ("1.4142...", "1.4142"), ("0.123...", #"\frac{41}{333}"#),
    ("33...", "33.3"), ("1, 2, 3, ...", "123"), ("0.6...", "0.6666666666"),
  ])
  func otherDecimalsDoNotRepeat(answer: String, key: String) throws {
    #expect(try !areEqual(answer, key))
  }

  @Test func hugeAnswersAreRefusedQuickly() throws {
    let open = String(repeating: "(", count: 100_000)
    #expect(try !areEqual(open + "1" + String(repeating: ")", count: 100_000), "1"))
    #expect(try !areEqual(String(repeating: "x^", count: 900) + "2", "7"))
    #expect(try !areEqual(String(repeating: #"\frac{d}{dx}("#, count: 30) + "x", "7"))
    let nested =
      String(repeating: #"\frac{d}{dx}("#, count: 12) + "x^3" + String(repeating: ")", count: 12)
    #expect(try !areEqual(nested, "7"))
    #expect(try !areEqual(nested.replacing(#"\frac{d}{dx}"#, with: #"\frac{d^3}{dx^3}"#), "7"))
    #expect(try !areEqual(String(repeating: "\\frac", count: 300), "7"))
    #expect(try !areEqual(String(repeating: "1,", count: 50_000), "1,2"))
    #expect(try !areEqual("9!!!!!!!!", "7"))
    #expect(try !areEqual("2^{4096}", "2^{4095}"))
  }
}
