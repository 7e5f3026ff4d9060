extension AnswerFormTests {
  /// Answers that are nearly right: percent within formulas, units to powers, numbers that differ by
  /// less than doubles tell, signs, orders, and words that take an answer back; a line each, as in
  /// `forms`.
  static let traps = #"""
    M | 0 | 4000 | \boxed{80 \cdot 50\%}
    M | 0 | 4000 | \boxed{80 \times 50\%}
    M | 0 | 4000 | \boxed{80(50\%)}
    M | 1 | 40 | \boxed{80(50\%)}
    M | 1 | 40 | \boxed{80 \left(50\%\right)}
    M | 1 | 160 | \boxed{80 \div 50\%}
    M | 0 | 130 | \boxed{80 + 50\%}
    M | 1 | 80.5 | \boxed{80 + 50\%}
    M | 0 | 130 | \boxed{50\% + 80}
    M | 0 | 95 | \boxed{100 - 5\%}
    M | 1 | 1.05 | \boxed{1 + 5\%}
    M | 0 | 6 | \boxed{1 + 5\%}
    M | 1 | 1.1025 | \boxed{(1 + 5\%)^2}
    M | 0 | 36 | \boxed{(1 + 5\%)^2}
    M | 0 | 25 | \boxed{\frac{50\%}{2}}
    M | 1 | 0.25 | \boxed{\frac{50\%}{2}}
    M | 0 | 2500 | \boxed{50\%^2}
    M | 1 | 50\% | \boxed{20\% + 30\%}
    M | 1 | 0.5 | \boxed{20\% + 30\%}
    M | 0 | 40 | \boxed{0.8 \cdot 50\%}
    M | 1 | 40\% | \boxed{0.8 \cdot 50\%}
    M | 1 | 40 | \boxed{80 \cdot 50\% = 40}
    M | 0 | 4000 | \boxed{80 \cdot 50\% = 4000}
    M | 0 | 15 | \boxed{0.5 \cdot 30\%}
    M | 1 | \frac{200}{3}\% | \boxed{66\frac{2}{3}\%}
    M | 1 | 50 | \boxed{x = 50\%}
    M | 1 | 20\%, 30\% | \boxed{30\%, 20\%}
    M | 0 | 45 | \boxed{45 radians^2}
    M | 0 | 45 | \boxed{45\text{ radians}^2}
    M | 0 | 45 | \boxed{45\text{ degrees}^2}
    M | 0 | 45 | \boxed{45 square degrees}
    M | 0 | 45 | \boxed{45 \text{ square dollars}}
    M | 0 | 45 | \boxed{45 \text{ dollars}^2}
    M | 0 | 45\% | \boxed{45 \text{ percent}^2}
    M | 1 | 45 | \boxed{45\text{ units}^2}
    M | 1 | 45 | \boxed{45\text{ rad/s}}
    M | 1 | 45 | \boxed{45\text{ ft}^2}
    M | 0 | \pi | \boxed{\pi+10^{-12}}
    M | 0 | \pi+10^{-12} | \boxed{\pi}
    M | 0 | \pi | \boxed{\pi - 10^{-20}}
    M | 0 | e | \boxed{e + 10^{-30}}
    M | 0 | \sqrt{2} | \boxed{\sqrt{2} + 10^{-13}}
    M | 0 | 2\pi | \boxed{2.000000000001\pi}
    M | 0 | 2\pi | \boxed{2\pi(1+10^{-15})}
    M | 0 | \ln 2 | \boxed{\ln 2 + 10^{-11}}
    M | 0 | \pi x | \boxed{\pi x + 10^{-12}}
    M | 0 | \sqrt{x} | \boxed{\sqrt{x} + 10^{-12}}
    M | 0 | \sin x | \boxed{\sin x - 10^{-14}}
    M | 0 | 3\sqrt{5}+1 | \boxed{3\sqrt{5}+1.0000000000001}
    M | 0 | \frac{\pi}{4} | \boxed{\frac{\pi}{4} - \frac{1}{10^{15}}}
    M | 0 | y = \pi x | \boxed{y = \pi x + 10^{-12}}
    M | 0 | (\pi, 1) | \boxed{(\pi + 10^{-12}, 1)}
    M | 0 | 2^{1/2} | \boxed{2^{1/2}+10^{-16}}
    M | 0 | 3\pi \text{ cm} | \boxed{3\pi + 10^{-13} \text{ cm}}
    M | 1 | \pi | \boxed{\frac{2\pi}{2}}
    M | 1 | 2\sqrt{2} | \boxed{\sqrt{8}}
    M | 1 | 2 | \boxed{\sqrt{2}\sqrt{2}}
    M | 1 | \pi - 3 | \boxed{|3 - \pi|}
    M | 1 | \sqrt{3}+\sqrt{2} | \boxed{\frac{1}{\sqrt{3}-\sqrt{2}}}
    M | 1 | 1 | \boxed{\sin^2(1) + \cos^2(1)}
    M | 1 | 3 | \boxed{\lfloor \pi \rfloor}
    M | 1 | e^{2} | \boxed{e \cdot e}
    M | 1 | y = 2x | \boxed{0 = 2x - y}
    M | 1 | 0 = x+1 | \boxed{0 = 2x+2}
    M | 0 | 12 | \boxed{12^\circ 30'}
    M | 0 | 30 | \boxed{30' 12''}
    M | 0 | 1.5 | \boxed{1:5}
    M | 0 | 100 | \boxed{1e-2}
    M | 0 | 0.5 | \boxed{.05}
    M | 0 | 1000 | \boxed{1,00}
    M | 0 | 1000 | \boxed{1.000}
    M | 0 | 12 | \boxed{1\,2}
    M | 0 | 5 | \boxed{5\text{ thousand}}
    M | 0 | 5 | \boxed{\frac{5}{}}
    M | 0 | 5 | \boxed{5_{10}^{2}}
    M | 0 | 5 | \boxed{5'}
    M | 0 | 5 | \boxed{\overline{5}}
    M | 0 | 5 | \boxed{\log 5}
    M | 0 | 5 | \boxed{\bar{5}}
    M | 0 | 5 | \boxed{5 \text{ out of } 6}
    M | 0 | 5 | \boxed{5 : 6}
    M | 0 | 5 | \boxed{5\text{th root of } 2}
    M | 0 | 5 | \boxed{5\text{ times } x}
    M | 0 | 5 | \boxed{\text{the square of } 5}
    M | 0 | 5 | \boxed{\text{five hundred}}
    M | 0 | 5 | \boxed{\text{minus five}}
    M | 0 | 5 | \boxed{\text{a multiple of } 5}
    M | 0 | 5 | \boxed{5 \text{ is too small}}
    M | 0 | 5 | \boxed{5 \text{ at most}}
    M | 0 | 5 | \boxed{5 \text{ at least}}
    M | 0 | 5 | \boxed{5 \text{ or } 5.5}
    M | 0 | 5 | \boxed{\lesssim 5}
    M | 0 | 5 | \boxed{5^{*}}
    M | 0 | 5 | \boxed{5\ldots}
    M | 0 | 5 | \boxed{x \to 5}
    M | 0 | 5 | \boxed{5 \cdot}
    M | 0 | 5 | \boxed{5 \text{ cm} + 2 \text{ cm}}
    M | 0 | \frac{1}{2} | \boxed{\frac{1}{2}!}
    M | 0 | \frac{3}{4} | \boxed{\frac{4}{3}}
    M | 0 | \frac{3}{4} | \boxed{3 \frac{}{4}}
    M | 0 | \sqrt{5} | \boxed{\sqrt[3]{5}}
    M | 0 | \sqrt{5} | \boxed{\sqrt{5}i}
    M | 0 | \sqrt{x+1} | \boxed{\sqrt{x}+1}
    M | 0 | \sin 2x | \boxed{\sin^2 x}
    M | 0 | \sin^{-1} x | \boxed{\frac{1}{\sin x}}
    M | 0 | \log_2 x | \boxed{\log_x 2}
    M | 0 | \ln x | \boxed{\log x}
    M | 0 | x^{2^3} | \boxed{(x^2)^3}
    M | 0 | -x^2 | \boxed{(-x)^2}
    M | 0 | \frac{a}{b}+c | \boxed{\frac{a+c}{b}}
    M | 0 | a - (b - c) | \boxed{a - b - c}
    M | 0 | \{(1,2)\} | \boxed{\{1,2\}}
    M | 0 | (1,2,3) | \boxed{(1,2),3}
    M | 0 | [1,2] | \boxed{\{1,2\}}
    M | 0 | (0,1)\cup(1,2) | \boxed{(0,2)}
    M | 0 | (-\infty,0) | \boxed{(0,-\infty)}
    M | 0 | x>3 | \boxed{x<3}
    M | 0 | x > 3 | \boxed{y \ge 3}
    M | 0 | x=3 | \boxed{x \ne 3}
    M | 0 | 10:30 | \boxed{10:03}
    M | 0 | 1:2:3 | \boxed{3:2:1}
    M | 0 | 3\text{ km} | \boxed{3\text{ m}}
    M | 0 | 3\text{ kg} | \boxed{3\text{ km}}
    M | 0 | 3\text{ m/s} | \boxed{3\text{ s/m}}
    M | 0 | 3\text{ J} | \boxed{3\text{ W}}
    M | 0 | \text{Monday} | \boxed{\text{not Monday}}
    M | 0 | \text{rational} | \boxed{\text{irrational}}
    M | 0 | \text{Yes} | \boxed{\text{Yes and no}}
    M | 0 | \text{A and B} | \boxed{\text{A or C}}
    M | 0 | 101_2 | \boxed{101}
    M | 0 | 101_2 | \boxed{101_3}
    M | 0 | 7 | \boxed{7 \pmod{2} = 1}
    I | 0 | 42 | \boxed{4 2}
    I | 0 | 42 | \boxed{42/2}
    I | 0 | 42 | \boxed{-(-42) - 1}
    I | 0 | 40 | \boxed{80 \cdot 50}
    I | 1 | 40 | \boxed{80 \cdot 50\%}
    I | 0 | 42 | \boxed{42 \text{ or more}}
    I | 0 | 42 | \boxed{42\text{ thousand}}
    L | 0 | B | \boxed{B'}
    L | 0 | B | \boxed{\text{B is wrong}}
    L | 0 | B | \boxed{\text{B is false}}
    L | 1 | B | \boxed{\text{B is correct}}
    L | 0 | B | The answer is B? No, it is C.
    L | 0 | B | The answer is not A or B.
    L | 0 | B | The answer used to be B.
    L | 0 | B | Everyone but B.
    """#
}
