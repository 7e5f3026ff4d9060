extension AnswerFormTests {
  /// Exact values of any size, words that change a number, and answers in several languages; a line
  /// each, as in `forms`.
  static let trials = #"""
    M | 0 | 2^{64} | \boxed{2^{64}-1}
    M | 1 | 2^{64}-1 | \boxed{18446744073709551615}
    M | 0 | 2^{64}-1 | \boxed{18446744073709551616}
    M | 0 | 2^{100} | \boxed{2^{100}+1}
    M | 1 | 2^{100} | \boxed{4^{50}}
    M | 0 | 3^{50}-1 | \boxed{3^{50}}
    M | 0 | 2^{2010}-1 | \boxed{2^{2010}}
    M | 1 | 2^{2010}-1 | \boxed{2 \cdot 2^{2009} - 1}
    M | 0 | 1-\frac{1}{2^{40}} | \boxed{1}
    M | 0 | 1-2^{-50} | \boxed{1}
    M | 1 | 1-2^{-50} | \boxed{\frac{2^{50}-1}{2^{50}}}
    M | 0 | \frac{1}{2^{60}} | \boxed{0}
    M | 0 | 0 | \boxed{10^{-20}}
    M | 0 | 1 | \boxed{1+10^{-12}}
    M | 0 | \frac{2^{50}-1}{2^{50}} | \boxed{1}
    M | 0 | 20! | \boxed{20!+1}
    M | 1 | 20! | \boxed{2432902008176640000}
    M | 0 | 99! | \boxed{99!+1}
    M | 1 | \frac{2023!}{2022!} | \boxed{2023}
    M | 0 | \frac{2023!}{2022!} | \boxed{2022}
    M | 0 | \binom{100}{50} | \boxed{\binom{100}{50}+1}
    M | 1 | \binom{100}{50} | \boxed{\frac{100!}{50!50!}}
    M | 1 | \binom{5}{7} | \boxed{0}
    M | 1 | 10^{400} | \boxed{10^{200}\cdot 10^{200}}
    M | 0 | 10^{400} | \boxed{10^{401}}
    M | 0 | 7^{7^7} | \boxed{7^{49}}
    M | 1 | 7^{7^2} | \boxed{7^{49}}
    M | 0 | \infty | \boxed{10^{400}}
    M | 1 | -\frac{1}{3^{40}} | \boxed{-3^{-40}}
    M | 0 | -\frac{1}{3^{40}} | \boxed{3^{-40}}
    M | 1 | 1 | \boxed{0.\overline{9}}
    M | 1 | \frac{1}{6} | \boxed{0.1\overline{6}}
    M | 1 | 2 | \boxed{\sum_{n=0}^{\infty} 2^{-n}}
    M | 1 | \frac{1023}{1024} | \boxed{\sum_{n=1}^{10} \frac{1}{2^n}}
    M | 0 | 1 | \boxed{\sum_{n=1}^{60} \frac{1}{2^n}}
    M | 1 | \sqrt{2^{100}} | \boxed{2^{50}}
    M | 1 | |-3^{2}| | \boxed{9}
    M | 0 | 5 | \boxed{5\text{ or more}}
    M | 0 | 75 | \boxed{75\text{ per mille}}
    M | 0 | 5 | \boxed{5\text{k}}
    M | 1 | 300 | \boxed{300\text{ K}}
    M | 0 | 5 | \boxed{5\text{ thousandths}}
    M | 0 | 5 | \boxed{5 \text{ squared}}
    M | 1 | 5 \text{ cm}^2 | \boxed{5 \text{ cm squared}}
    M | 0 | 5 | \boxed{5 \text{ halves}}
    M | 0 | 5 | \boxed{5\text{ factorial}}
    M | 0 | 5 | \boxed{5 \text{ below zero}}
    M | 0 | 5 | \boxed{5 Millionen}
    M | 0 | 5 | \boxed{5 millions}
    M | 0 | 5 | \boxed{5 тысяч}
    M | 0 | 5 | \boxed{5万}
    M | 0 | 5 | \boxed{5个半}
    M | 0 | 5 | \boxed{5 oder mehr}
    M | 0 | 5 | \boxed{5ε}
    M | 1 | 5 | \boxed{5个}
    M | 1 | 5 | \boxed{5 个苹果}
    M | 1 | 5 | \boxed{5千克}
    M | 1 | 5 | \boxed{5 Äpfel}
    M | 1 | 5 | \boxed{5 яблок}
    M | 1 | 5 | \boxed{5 pairs}
    M | 0 | 5 | \boxed{5 \text{ (wrong)}}
    M | 1 | 5 | \boxed{5 \text{ (not } 6)}
    M | 1 | 7 | \boxed{7 \tag{1}}
    M | 1 | 7 | \boxed{７}
    M | 1 | 7 | \boxed{7。}
    M | 0 | 56 | \boxed{\phantom{5}6}
    L | 0 | B | Is the answer B? No.
    L | 0 | A | The answer is A-okay.
    L | 1 | B | answer: b
    L | 0 | A | The answer: a matter of taste.
    L | 1 | C | I would choose option C.
    L | 0 | C | I would not choose option C.
    L | 0 | C | If we choose option C.
    L | 1 | C | So C is correct.
    L | 0 | C | Statement C is correct.
    L | 1 | C | A is wrong. B is wrong.@nC is correct.
    L | 1 | C | Die richtige Antwort ist C.
    L | 1 | C | La réponse est C.
    L | 1 | C | La respuesta correcta es C.
    L | 1 | C | A resposta correta é C.
    L | 1 | C | La risposta è C.
    L | 1 | C | Ответ: C
    L | 1 | C | 정답: C
    L | 1 | C | 정답은 C입니다.
    L | 1 | C | 答えはCです。
    I | 1 | 540 | La respuesta es 540.
    I | 1 | 540 | Die Antwort ist 540.
    I | 1 | 540 | Ответ: 540
    I | 0 | 540 | Is the answer 541? It is 540.
    M | 0 | 6.63\times 10^{-34} | \boxed{6.62\times 10^{-34}}
    M | 0 | 10^{-20}\pi | \boxed{2\pi\cdot 10^{-20}}
    M | 0 | 10^{-20}x | \boxed{2\cdot 10^{-20}x}
    M | 1 | 10^{-20}x | \boxed{\frac{x}{10^{20}}}
    M | 0 | \sqrt{2}\cdot 10^{-20} | \boxed{0}
    M | 1 | 0 | \boxed{\sin \pi}
    M | 0 | ABC | \boxed{ACB}
    M | 1 | abc | \boxed{cab}
    M | 0 | 5\text{ A} | \boxed{5\text{ mA}}
    M | 1 | 5\text{ mA} | \boxed{0.005\text{ A}}
    M | 0 | 5\text{ MHz} | \boxed{5\text{ kHz}}
    M | 1 | 5\text{ MHz} | \boxed{5000 kHz}
    M | 0 | 5\text{ nm} | \boxed{5\text{ mm}}
    M | 0 | 5 \text{ eV} | \boxed{5\text{ MeV}}
    M | 0 | 5\text{ GB} | \boxed{5\text{ MB}}
    M | 1 | 5\text{ GB} | \boxed{5}
    M | 0 | 5\text{ atm} | \boxed{5\text{ Pa}}
    M | 1 | 5\text{ kPa} | \boxed{5000 \text{ Pa}}
    M | 1 | 5\text{ mol} | \boxed{5\text{ moles}}
    I | 1 | 128 | \boxed{2^7}
    I | 1 | 7 | \boxed{49/7}
    I | 1 | 120 | \boxed{5!}
    I | 1 | 500 | \boxed{5\times 10^2}
    I | 0 | 12 | \boxed{12_8}
    I | 0 | 540 | \boxed{5 40}
    L | 0 | B | I don't think the answer is B.
    L | 0 | B | It would be wrong to say the answer is B.
    L | 1 | B | It is not A, so the answer is B.
    L | 1 | B | I think the answer is B.
    L | 0 | A | Answer: A+C
    L | 0 | A | Answer: A-C
    L | 0 | A | Answer: A–C
    L | 1 | A | Answer: A - 5 m
    L | 1 | A | Answer: A - Because of this
    L | 1 | B | \(B\)
    L | 1 | B | \textbf{B}
    L | 1 | B | Option B
    L | 1 | B | B: the second
    L | 0 | B | A: one@nB: two
    L | 1 | B | <answer>@nB@n</answer>
    """#
}
