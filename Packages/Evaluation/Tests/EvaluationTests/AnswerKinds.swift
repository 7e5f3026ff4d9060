extension AnswerFormTests {
  /// Kinds of answers of MATH-500, AIME, GPQA, MMLU-Pro and GSM8K; a line each, as in `forms`.
  static let kinds = #"""
    M | 1 | 18 | She makes \boxed{\$18} every day.
    M | 1 | 18 | #### $18
    M | 1 | 18 | #### 18.00
    M | 1 | 18 | \boxed{18\text{ dollars per day}}
    M | 1 | 18 | \boxed{\text{USD }18}
    M | 0 | 18 | \boxed{\$1.8}
    M | 1 | 1250 | \boxed{\$1,250.00}
    M | 1 | 1250 | #### 1,250
    M | 1 | 1250 | #### 1 250
    M | 0 | 1250 | #### 1,25
    M | 0 | 1250 | \boxed{12.50}
    M | 1 | 0.75 | \boxed{\$0.75}
    M | 1 | 75 | \boxed{75¢}
    M | 1 | 75 | \boxed{75 \text{¢}}
    M | 1 | 3.5 | \boxed{3.50}
    M | 1 | 3.5 | \boxed{3\,\frac{1}{2}}
    M | 1 | 20 | \boxed{20\%}
    M | 1 | 20\% | \boxed{20}
    M | 1 | 20\% | \boxed{\frac{1}{5}}
    M | 0 | 20\% | \boxed{0.02}
    M | 1 | 62.5 | \boxed{62.5\,\%}
    M | 1 | 62.5 | \boxed{62\frac{1}{2}\%}
    M | 1 | 150 | \boxed{150 percent}
    M | 0 | 150 | \boxed{15\%}
    M | 1 | 5 | \boxed{5\text{ hours}}
    M | 1 | 5 | \boxed{5\text{ hr}}
    M | 1 | 5 | \boxed{5 hrs.}
    M | 1 | 60 | \boxed{60\ \text{mph}}
    M | 1 | 60 | \boxed{60\,\text{km}/\text{h}}
    M | 1 | 60 | \boxed{60\ \mathrm{km\,h^{-1}}}
    M | 1 | 9.8 | \boxed{9.8\,\text{m s}^{-2}}
    M | 1 | 9.8 | \boxed{9.8\ \text{m}/\text{s}^2}
    M | 1 | 25 | \boxed{25\pi \text{ cm}^2} hence about \boxed{25}
    M | 0 | 25 | \boxed{25\pi \text{ cm}^2}
    M | 1 | 25\pi | \boxed{25\pi\ \text{cm}^2}
    M | 1 | 25\pi | \boxed{25\pi \text{ square inches}}
    M | 1 | 12 | \boxed{12~\text{cm}}
    M | 1 | 12 | \boxed{12\,\textrm{cm}}
    M | 1 | 12 | \boxed{12 \,\mathrm{cm}^{3}}
    M | 1 | 120 | \boxed{120^{\circ}}
    M | 1 | 120 | \boxed{120\degree}
    M | 1 | 120 | \boxed{m\angle A = 120^\circ}
    M | 1 | 120 | \boxed{\angle ABC = 120}
    M | 0 | 120 | \boxed{60^\circ}
    M | 1 | 10^\circ | \boxed{10}
    M | 1 | 3 | \boxed{3\text{ people}}
    M | 1 | 3 | \boxed{\text{3 people}}
    M | 1 | 3 | \boxed{\text{three}}
    M | 1 | 4210_{5} | \boxed{4210_5}
    M | 1 | 4210_{5} | \boxed{4210_{\text{five}}}
    M | 1 | 4210_{5} | \boxed{4210_{(5)}}
    M | 1 | 2516_8 | \boxed{2516_{8}}
    M | 0 | 2516_8 | \boxed{2516_{9}}
    M | 0 | 2516_8 | \boxed{2561_{8}}
    M | 1 | 11011_2 | \boxed{(11011)_2}
    M | 1 | 4343_6 | \boxed{(4343)_6}
    M | 1 | 2A_{16} | \boxed{2A_{16}}
    M | 0 | 2A_{16} | \boxed{2B_{16}}
    M | 1 | \frac{3}{56} | \boxed{\dfrac{3}{56}}
    M | 1 | \frac{3}{56} | \boxed{3/56}
    M | 1 | \frac{3}{56} | \boxed{\frac{6}{112}}
    M | 0 | \frac{3}{56} | \boxed{\frac{3}{65}}
    M | 0 | \frac{3}{56} | \boxed{0.0536}
    M | 1 | -\frac{2}{3} | \boxed{\frac{-2}{3}}
    M | 1 | -\frac{2}{3} | \boxed{-2/3}
    M | 1 | -\frac{2}{3} | \boxed{\frac{2}{-3}}
    M | 0 | -\frac{2}{3} | \boxed{\frac{2}{3}}
    M | 1 | \frac{1}{1+\frac{1}{2}} | \boxed{\frac{2}{3}}
    M | 1 | \frac{2}{3} | \boxed{\cfrac{1}{1+\cfrac{1}{2}}}
    M | 1 | \frac{a}{b+c} | \boxed{a/(b+c)}
    M | 0 | \frac{a}{b+c} | \boxed{a/b+c}
    M | 1 | \frac{\sqrt{21}}{5} | \boxed{\sqrt{\frac{21}{25}}}
    M | 1 | \frac{\sqrt{21}}{5} | \boxed{\tfrac{1}{5}\sqrt{21}}
    M | 1 | \frac{9\sqrt{15}}{4} | \boxed{\frac{9}{4}\sqrt{15}}
    M | 1 | \frac{9\sqrt{15}}{4} | \boxed{2.25\sqrt{15}}
    M | 0 | \frac{9\sqrt{15}}{4} | \boxed{\frac{9\sqrt{15}}{2}}
    M | 1 | 2\sqrt{5} | \boxed{\sqrt{20}}
    M | 1 | 2\sqrt{5} | \boxed{2 \cdot \sqrt 5}
    M | 1 | 2\sqrt{5} | \boxed{2*sqrt(5)}
    M | 0 | 2\sqrt{5} | \boxed{4.472}
    M | 1 | \sqrt[4]{8} | \boxed{8^{1/4}}
    M | 1 | \sqrt[4]{8} | \boxed{2^{3/4}}
    M | 1 | 1-\sqrt{2} | \boxed{-(\sqrt2-1)}
    M | 1 | \frac{1+\sqrt{5}}{2} | \boxed{\frac{1}{2}+\frac{\sqrt5}{2}}
    M | 0 | \frac{1+\sqrt{5}}{2} | \boxed{\frac{1-\sqrt{5}}{2}}
    M | 1 | \frac{1\pm\sqrt{5}}{2} | \boxed{\frac{1+\sqrt{5}}{2}, \frac{1-\sqrt{5}}{2}}
    M | 1 | \frac{1\pm\sqrt{5}}{2} | \boxed{x = \frac{1 \pm \sqrt{5}}{2}}
    M | 0 | \frac{1\pm\sqrt{5}}{2} | \boxed{\frac{1+\sqrt{5}}{2}}
    M | 1 | \pm 3 | \boxed{3, -3}
    M | 1 | 3, -3 | \boxed{\pm 3}
    M | 1 | -3, 3 | \boxed{x = \pm 3}
    M | 1 | -3, 3 | \boxed{x = 3 \text{ and } x = -3}
    M | 1 | -3, 3 | \boxed{x=-3,3}
    M | 1 | -3, 3 | \boxed{x=-3, x=3}
    M | 1 | -3, 3 | \boxed{\{-3, 3\}}
    M | 1 | -3, 3 | \boxed{x \in \{-3,3\}}
    M | 1 | -3, 3 | \boxed{-3 \text{ or } 3}
    M | 0 | -3, 3 | \boxed{3}
    M | 0 | 3 | \boxed{\pm 3}
    M | 1 | 1,2,3,4 | \boxed{\{4,3,2,1\}}
    M | 1 | 1,2,3,4 | \boxed{1, 2, 3, \text{ and } 4}
    M | 0 | 1,2,3,4 | \boxed{1,2,3}
    M | 0 | 1,2,3,4 | \boxed{1,2,3,4,5}
    M | 0 | 1,2,3,4 | \boxed{1,2,\ldots,4}
    M | 1 | (3, \frac{\pi}{2}) | \boxed{\left(3, \dfrac{\pi}{2}\right)}
    M | 1 | (3, \frac{\pi}{2}) | \boxed{(r,\theta) = \left(3,\frac{\pi}{2}\right)}
    M | 0 | (3, \frac{\pi}{2}) | \boxed{\left(\frac{\pi}{2}, 3\right)}
    M | 1 | (6,31,-1) | \boxed{(a,b,c) = (6, 31, -1)}
    M | 1 | (6,31,-1) | \boxed{6, 31, -1} wait, as a triple \boxed{(6,31,-1)}
    M | 1 | (-2,1) | \boxed{x=-2, y=1}
    M | 1 | (-2,1) | \boxed{x=-2 \text{ and } y=1}
    M | 0 | (-2,1) | \boxed{x=1, y=-2}
    M | 1 | (-\infty, 2] | \boxed{x \leq 2}
    M | 1 | (-\infty, 2] | \boxed{x \le 2}
    M | 1 | (-\infty, 2] | \boxed{\left(-\infty, 2\right]}
    M | 0 | (-\infty, 2] | \boxed{(-\infty, 2)}
    M | 0 | (-\infty, 2] | \boxed{x < 2}
    M | 1 | (-2, 1) \cup (3, \infty) | \boxed{(3,\infty)\cup(-2,1)}
    M | 1 | (-2, 1) \cup (3, \infty) | \boxed{-2 < x < 1 \text{ or } x > 3}
    M | 0 | (-2, 1) \cup (3, \infty) | \boxed{(-2,1]\cup(3,\infty)}
    M | 1 | [-1,1] | \boxed{-1 \le x \le 1}
    M | 1 | [-1,1] | \boxed{\{x : -1 \le x \le 1\}}
    M | 1 | [-1,1] | \boxed{|x| \le 1}
    M | 0 | [-1,1] | \boxed{|x| < 1}
    M | 1 | (0,9)\cup(9,36) | \boxed{(0, 9) \cup (9, 36)}
    M | 1 | (0,9)\cup(9,36) | \boxed{(0,36)\setminus\{9\}}
    M | 1 | \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} | \boxed{\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}}
    M | 1 | \begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix} | \boxed{\begin{pmatrix} -\frac13 \\ \frac23 \\ \frac53 \end{pmatrix}}
    M | 1 | \begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix} | \boxed{\frac13\begin{pmatrix} -1 \\ 2 \\ 5 \end{pmatrix}}
    M | 0 | \begin{pmatrix} 1 \\ 2 \end{pmatrix} | \boxed{\begin{pmatrix} 1 \\ 3 \end{pmatrix}}
    M | 1 | \begin{pmatrix} 0 & 1 \\ -1 & 0 \end{pmatrix} | \boxed{\begin{pmatrix} 0 & 1 \\[1ex] -1 & 0 \end{pmatrix}}
    M | 1 | \begin{pmatrix} 1 \\ 2 \end{pmatrix} | \boxed{\mathbf{v} = \begin{pmatrix} 1 \\ 2 \end{pmatrix}}
    M | 1 | 6 - 5i | \boxed{-5i + 6}
    M | 1 | 6 - 5i | \boxed{6-5\mathrm{i}}
    M | 1 | 6 - 5i | \boxed{z = 6 - 5i}
    M | 0 | 6 - 5i | \boxed{6+5i}
    M | 1 | 1-2i, -1+2i | \boxed{\pm(1-2i)}
    M | 1 | e^{i\pi/3} | \boxed{\frac12 + \frac{\sqrt3}{2}i}
    M | 1 | \frac{1+i\sqrt{3}}{2} | \boxed{\cos 60^\circ + i\sin 60^\circ}
    M | 1 | 2\operatorname{cis} 20^\circ | \boxed{2\operatorname{cis}20^\circ}
    M | 1 | \log_2 10 | \boxed{\frac{\log 10}{\log 2}}
    M | 1 | \log_2 10 | \boxed{\frac{\ln 10}{\ln 2}}
    M | 1 | \log_2 10 | \boxed{1 + \log_2 5}
    M | 0 | \log_2 10 | \boxed{\log_2 5}
    M | 1 | \ln 3 - \ln 2 | \boxed{\ln\frac{3}{2}}
    M | 1 | \frac{\ln 2}{2} | \boxed{\frac{1}{2}\ln 2}
    M | 1 | \frac{\ln 2}{2} | \boxed{\ln\sqrt{2}}
    M | 1 | 2\ln|x| | \boxed{\ln(x^2)}
    M | 1 | 70 | \boxed{\binom{8}{4}}
    M | 1 | 70 | \boxed{\dbinom{8}{4} = 70}
    M | 1 | 70 | \boxed{{}_8C_4}
    M | 1 | 70 | \boxed{C(8,4)}
    M | 0 | 70 | \boxed{\binom{8}{3}}
    M | 1 | 720 | \boxed{6!}
    M | 1 | 720 | \boxed{6! = 720}
    M | 0 | 720 | \boxed{5!}
    M | 1 | 2^{100} | \boxed{4^{50}}
    M | 1 | 2^{100} | \boxed{1024^{10}}
    M | 0 | 2^{100} | \boxed{2^{101}}
    M | 1 | 10^{10} | \boxed{10,000,000,000}
    M | 1 | 6.02 \times 10^{23} | \boxed{6.02\cdot 10^{23}}
    M | 1 | 6.02 \times 10^{23} | \boxed{6.02e23}
    M | 0 | 6.02 \times 10^{23} | \boxed{6.02 \times 10^{22}}
    M | 1 | x^2-7x+10 | \boxed{(x-2)(x-5)}
    M | 1 | (x-2)(x-5) | \boxed{(x-5)(x-2)}
    M | 1 | x^3+3x-6 | \boxed{p(x) = x^3+3x-6}
    M | 0 | x^3+3x-6 | \boxed{x^3+3x+6}
    M | 1 | y=2x+3 | \boxed{2x - y = -3}
    M | 1 | 2x+3 | \boxed{y = 2x + 3}
    M | 1 | y = -\frac{1}{2}x + 4 | \boxed{x + 2y = 8}
    M | 1 | x^2+y^2=25 | \boxed{y^2 + x^2 - 25 = 0}
    M | 0 | x^2+y^2=25 | \boxed{x^2+y^2=5}
    M | 1 | \frac{3}{2} | \boxed{1.5}
    M | 1 | \frac{3}{2} | \boxed{1\tfrac12}
    M | 1 | \frac{3}{2} | \boxed{x = \frac{3}{2} = 1.5}
    M | 1 | \frac{3}{2} | \boxed{\frac{3}{2} \text{ or } 1.5}
    M | 1 | \frac{3}{2} | \boxed{\frac{3}{2} \text{ (or } 1.5)}
    M | 1 | \text{Evelyn} | \boxed{\text{Evelyn}}
    M | 1 | \text{Evelyn} | \boxed{\mathrm{Evelyn}}
    M | 1 | \text{east} | \boxed{East}
    M | 1 | \text{No} | \boxed{\text{No}}
    M | 0 | \text{No} | \boxed{\text{Yes}}
    M | 1 | \text{parabola} | \boxed{\text{a parabola}}
    M | 1 | \text{June 20} | \boxed{June 20}
    M | 0 | \text{June 20} | \boxed{June 21}
    M | 1 | \text{(C)} | \boxed{C}
    M | 1 | \text{(C)} | \boxed{\text{(C)}}
    M | 1 | \text{(C)} | \boxed{\textbf{(C)}}
    M | 1 | C | \boxed{(C)}
    M | 0 | C | \boxed{(B)}
    M | 1 | A,C | \boxed{A \text{ and } C}
    M | 1 | A,C | \boxed{\text{A and C}}
    M | 1 | A, C | \boxed{\text{A, C}}
    M | 0 | A,C | \boxed{A}
    M | 0 | A,C | \boxed{A \text{ and } B}
    M | 1 | \emptyset | \boxed{\text{no solution}}
    M | 1 | \infty | \boxed{+\infty}
    M | 0 | \infty | \boxed{-\infty}
    M | 1 | 2:3 | \boxed{2 : 3}
    M | 1 | \frac{2}{3} | \boxed{2:3}
    M | 1 | 3:00 | \boxed{3:00 \text{ PM}}
    M | 1 | 1,\!000,\!000 | \boxed{10^6}
    M | 1 | 1{,}234{,}567 | \boxed{1234567}
    M | 1 | 1234567 | \boxed{1 234 567}
    M | 1 | 1234567 | \boxed{1\,234\,567}
    M | 1 | 0.5 | \boxed{.5}
    M | 1 | 0.5 | \boxed{0{.}5}
    M | 1 | 28 | The sum is $7+21=\boxed{28}$.
    M | 1 | 28 | \(\boxed{28}\)
    M | 1 | 28 | \[\boxed{28}\]
    M | 1 | 28 | \boxed{28.}
    M | 1 | 28 | $$\boxed{\,28\,}$$
    M | 1 | 28 | **Final Answer**@n\boxed{28}
    M | 1 | 28 | \boxed{\text{Answer: } 28}
    M | 1 | 28 | \boxed{n = 28}
    M | 1 | 28 | \boxed{n=28 \text{ (units)}}
    M | 1 | 28 | The final answer is $28$.@n#### 28
    M | 1 | 28 | \boxed{28 \text{ ways}}
    M | 1 | 28 | \boxed{28 \text{ minutes}}
    M | 0 | 28 | \boxed{28 \text{ or } 29}
    M | 0 | 28 | \boxed{27.9}
    M | 0 | 28 | \boxed{28 + C}
    M | 1 | x^2 + C | \boxed{x^2 + C}
    M | 1 | \frac{x^2}{2}+C | \boxed{\frac{1}{2}x^2 + C}
    M | 1 | \sin x\cos x | \boxed{\frac{1}{2}\sin 2x}
    M | 1 | \sin^2 x | \boxed{1-\cos^2 x}
    M | 1 | \tan x | \boxed{\frac{\sin x}{\cos x}}
    M | 0 | \sin 2x | \boxed{2\sin x}
    M | 1 | \arcsin\frac{1}{2} | \boxed{\frac{\pi}{6}}
    M | 1 | \frac{\pi}{6} | \boxed{\sin^{-1}(1/2)}
    M | 1 | 0.\overline{36} | \boxed{\frac{4}{11}}
    M | 1 | k \in (-1,1) | \boxed{-1 < k < 1}
    M | 1 | a = 2, b = 3 | \boxed{b=3, a=2}
    M | 1 | \lfloor x \rfloor | \boxed{\lfloor x\rfloor}
    M | 1 | |x-3| | \boxed{|3-x|}
    M | 0 | |x-3| | \boxed{|x+3|}
    M | 1 | n^2-n+1 | \boxed{n(n-1)+1}
    M | 1 | \frac{n(n+1)}{2} | \boxed{\tfrac{n^2+n}{2}}
    M | 1 | 2k\pi | \boxed{2\pi k}
    M | 1 | \frac{1}{n} | \boxed{n^{-1}}
    M | 1 | 30 | \boxed{30 \, \text{sq. units}}
    M | 1 | 30 | \boxed{30\text{ sq cm}}
    M | 1 | 30 | \boxed{30\text{ cubic feet}}
    M | 1 | 30 | \boxed{30 in.}
    M | 1 | 30 | \boxed{30\text{''}}
    M | 1 | 36 | \boxed{36\text{ pounds}}
    M | 1 | 36 | \boxed{36\text{ lb}}
    M | 1 | 4 | Thus, Janet has 4 apples left.@n@n#### 4 apples
    M | 1 | 4 | So the answer is 4.
    M | 1 | 4 | The answer is **4**
    M | 1 | 1000 | Total: $500 + $500 = $1,000.
    M | 1 | -7 | The minimum is -7.
    M | 0 | 7 | The minimum is -7.
    I | 1 | 204 | The answer is $\boxed{204}$ minutes.
    I | 1 | 204 | \boxed{204 \text{ minutes}}
    I | 1 | 25 | \boxed{025}
    I | 1 | 25 | \boxed{25.0}
    I | 0 | 25 | \boxed{25.5}
    I | 1 | 25 | m+n = \boxed{25}
    I | 1 | 25 | \boxed{m+n = 16+9 = 25}
    I | 1 | 809 | \boxed{809 \pmod{1000}}
    I | 1 | 809 | **809**@n@nThe answer is 809.
    I | 0 | 809 | The answer is 8090.
    I | 1 | 116 | \boxed{\text{116}}
    I | 1 | 116 | $\boxed{\mathbf{116}}$
    I | 0 | 116 | \boxed{116!}
    I | 0 | 116 | \boxed{-116}
    I | 1 | 73 | The answer is: $73$
    I | 1 | 73 | ANSWER: 73
    I | 1 | 73 | Final answer = 73
    L | 1 | B | The answer is (B).
    L | 1 | B | the answer is (b).
    L | 1 | B | **The answer is (B) 42 kJ/mol.**
    L | 1 | B | Answer: B. 42 kJ
    L | 1 | B | ANSWER: B
    L | 1 | B | Answer: **(B)**
    L | 1 | B | The best answer is B.
    L | 1 | B | The final answer is B
    L | 1 | B | \boxed{\text{(B)}}
    L | 1 | B | \boxed{B. \text{opt1}}
    L | 1 | B | $\boxed{\textbf{B}}$
    L | 1 | B | \boxed{\mathrm{B}}
    L | 0 | B | \boxed{A, B}
    L | 0 | B | \boxed{A \text{ or } B}
    L | 0 | B | The answer is A or B.
    L | 0 | B | The answer is A and B.
    L | 0 | B | The answer is neither A nor B.
    L | 0 | C | The answer cannot be C.
    L | 1 | D | Therefore, the correct option is **D**.
    L | 1 | D | Thus the answer is option D.
    L | 1 | D | Thus the answer is choice (D).
    L | 1 | D | So the answer would be D
    L | 1 | D | I believe the answer is D, because
    L | 1 | D | Final Answer: D)
    L | 1 | D | D@n
    L | 1 | D | **D**
    L | 1 | D | (D)
    L | 1 | D | D)
    L | 1 | D | ```json@n{"answer": "D"}@n```
    L | 1 | A | The answer is A.
    L | 1 | A | The correct answer is A: opt0
    L | 0 | A | A careful reading shows nothing.
    """#
}
