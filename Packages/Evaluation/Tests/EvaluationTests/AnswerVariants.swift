extension AnswerFormTests {
  /// Other ways to write an answer, beside what is nearly one; a line each, as in `forms`.
  static let variants = #"""
    M | 1 | 5 | \boxed{\text{5 cm}}
    M | 1 | 5 | \boxed{5.0 \text{ cm}}
    M | 1 | 5 | \boxed{\approx 5}
    M | 0 | 5 | \boxed{> 5}
    M | 0 | 5 | \boxed{\ge 5}
    M | 0 | 5 | \boxed{5^2}
    M | 0 | 5 | \boxed{5^{-1}}
    M | 0 | 5 | \boxed{5i}
    M | 0 | 5 | \boxed{(5, 0)}
    M | 0 | 5 | \boxed{5 \times 10^3}
    M | 0 | 5 | \boxed{5k}
    M | 1 | 5 | \boxed{k=5}
    M | 0 | 5 | \boxed{-5}
    M | 0 | 5 | \boxed{\text{not } 5}
    M | 0 | 5 | \boxed{\frac{5}{1}x}
    M | 1 | 5 | \boxed{\frac{5}{1}}
    M | 1 | 5 | \boxed{\sqrt{25}}
    M | 1 | 5 | \boxed{|{-5}|}
    M | 1 | 5 | \boxed{5\text{ (since } x > 0)}
    M | 1 | 10 | \boxed{10\text{ seconds}}
    M | 0 | 10 \text{ seconds} | \boxed{10\text{ minutes}}
    M | 1 | 10 \text{ meters} | \boxed{10\text{ m}}
    M | 1 | 7.5 | \boxed{7\frac12}
    M | 1 | 7.5 | \boxed{7 \tfrac{1}{2}}
    M | 1 | 7.5 | \boxed{\frac{15}{2}}
    M | 1 | 0.1 | \boxed{10^{-1}}
    M | 1 | \frac{1}{10} | \boxed{10\%}
    M | 1 | 11\sqrt2 | \boxed{11\sqrt{2}\text{ units}}
    M | 1 | \frac{\pi}{4} | \boxed{\pi/4}
    M | 1 | \frac{\pi}{4} | \boxed{\frac{1}{4}\pi}
    M | 1 | \frac{\pi}{4} | \boxed{0.25\pi}
    M | 1 | \frac{\pi}{4} | \boxed{\frac\pi4}
    M | 1 | \frac{\pi}{4} | \boxed{45^\circ}
    M | 0 | \frac{\pi}{4} | \boxed{45}
    M | 0 | \frac{\pi}{4} | \boxed{\frac{4}{\pi}}
    M | 1 | 3\pi | \boxed{3\pi\text{ radians}}
    M | 1 | y = x + 1 | \boxed{y=x+1}
    M | 1 | y = x + 1 | \boxed{x - y + 1 = 0}
    M | 1 | y = x + 1 | \boxed{f(x) = x+1}
    M | 1 | x = 2 | \boxed{2}
    M | 1 | f(x) = 2x | \boxed{2x}
    M | 0 | f(x) = 2x | \boxed{g(x) = 3x}
    M | 1 | (x+2)^2 + (y-3)^2 = 4 | \boxed{x^2+4x+y^2-6y+9=0}
    M | 0 | (x+2)^2 + (y-3)^2 = 4 | \boxed{(x-2)^2+(y-3)^2=4}
    M | 1 | \frac{x^2}{9}+\frac{y^2}{4}=1 | \boxed{4x^2+9y^2=36}
    M | 1 | (4,5) | \boxed{\left(4,5\right)}
    M | 1 | (4,5) | \boxed{(4;5)}
    M | 0 | (4,5) | \boxed{4.5}
    M | 0 | (4,5) | \boxed{[4,5]}
    M | 0 | 4,5 | \boxed{45}
    M | 1 | 4,5 | \boxed{4;5}
    M | 1 | (1,2),(3,4) | \boxed{(3,4),(1,2)}
    M | 1 | (1,2),(3,4) | \boxed{(1,2) \text{ and } (3,4)}
    M | 1 | (1,2),(3,4) | \boxed{\{(1,2),(3,4)\}}
    M | 0 | (1,2),(3,4) | \boxed{(1,3),(2,4)}
    M | 1 | \left(\frac{1}{2},\infty\right) | \boxed{x > 0.5}
    M | 1 | [0, \infty) | \boxed{x \geq 0}
    M | 1 | [0, \infty) | \boxed{\{x \in \mathbb{R} : x \ge 0\}}
    M | 1 | [0, \infty) | \boxed{[0,+\infty)}
    M | 0 | [0, \infty) | \boxed{[0,\infty]}
    M | 1 | \mathbb{R} | \boxed{(-\infty, \infty)}
    M | 1 | \{1, 2\} \cup [3,4] | \boxed{[3,4] \cup \{1,2\}}
    M | 1 | 2+3i | \boxed{3i+2}
    M | 1 | 2+3i | \boxed{2+3\,i}
    M | 0 | 2+3i | \boxed{2-3i}
    M | 0 | 2+3i | \boxed{3+2i}
    M | 1 | -1 \pm i | \boxed{-1+i,-1-i}
    M | 1 | \frac{-1 \pm i\sqrt{3}}{2} | \boxed{\frac{-1+i\sqrt3}{2}, \frac{-1-i\sqrt3}{2}}
    M | 1 | \sqrt{3} - 1 | \boxed{-1+\sqrt{3}}
    M | 1 | \frac{1}{\sqrt{2}} | \boxed{\frac{\sqrt{2}}{2}}
    M | 1 | 2^{-3} | \boxed{\frac{1}{8}}
    M | 1 | 2^{-3} | \boxed{0.125}
    M | 1 | 3^{2/3} | \boxed{\sqrt[3]{9}}
    M | 1 | 5:3 | \boxed{5:3}
    M | 1 | 5:3 | \boxed{\frac{5}{3}}
    M | 1 | \frac{5}{3} | \boxed{5 \text{ to } 3}
    M | 0 | 5:3 | \boxed{3:5}
    M | 1 | 100 | \boxed{1 \times 10^2}
    M | 1 | 100 | \boxed{100\,000 / 1000}
    M | 1 | 0.001 | \boxed{10^{-3}}
    M | 1 | 3.0\times 10^8 | \boxed{3 \times 10^{8}\ \text{m/s}}
    M | 1 | 3.0\times 10^8 | \boxed{3e8}
    M | 1 | 120 | \boxed{5!}
    M | 1 | 8 | \boxed{2^3}
    M | 1 | 8 | \boxed{2^{3}=8}
    M | 0 | 8 | \boxed{2^{3}=9}
    M | 1 | \frac{7}{9} | \boxed{0.\overline{7}}
    M | 1 | \frac{7}{9} | \boxed{0.777\ldots}
    M | 0 | \frac{7}{9} | \boxed{0.777}
    M | 1 | \text{D} | \boxed{D}
    M | 1 | \text{odd} | \boxed{\text{Odd}}
    M | 1 | \text{Tuesday} | \boxed{Tuesday}
    M | 0 | \text{Tuesday} | \boxed{Thursday}
    M | 1 | \text{Navin} | \boxed{\text{navin}}
    M | 1 | \$32{,}348 | \boxed{32348}
    M | 1 | \$32{,}348 | \boxed{\$32,348}
    M | 1 | 5.4 \text{ cents} | \boxed{5.4}
    M | 1 | 5.4 \text{ cents} | \boxed{\$0.054}
    M | 1 | 18.90 | \boxed{\$18.90}
    M | 1 | 18.90 | \boxed{18.9}
    M | 1 | 1\frac{1}{5} | \boxed{1.2}
    M | 1 | 1\frac{1}{5} | \boxed{\frac{6}{5}}
    M | 1 | a^2 b | \boxed{ba^2}
    M | 1 | 2(x+1) | \boxed{2x+2}
    M | 1 | x(x-1) | \boxed{x^2-x}
    M | 1 | \sin\theta | \boxed{\sin(\theta)}
    M | 1 | \sec^2 x | \boxed{1+\tan^2 x}
    M | 1 | \log 100 | \boxed{2}
    M | 1 | \ln e^3 | \boxed{3}
    M | 1 | \log_3 5 | \boxed{\frac{\log 5}{\log 3}}
    M | 1 | e^2 | \boxed{\exp(2)}
    M | 1 | \begin{pmatrix}2\\3\end{pmatrix} | \boxed{\begin{bmatrix}2\\3\end{bmatrix}}
    M | 1 | \begin{pmatrix}2&3\end{pmatrix} | \boxed{(2,3)}
    M | 0 | \begin{pmatrix}2&3\\4&5\end{pmatrix} | \boxed{\begin{pmatrix}2&4\\3&5\end{pmatrix}}
    M | 1 | \frac{n!}{k!(n-k)!} | \boxed{\binom{n}{k}}
    M | 1 | n^2 | \boxed{n \cdot n}
    M | 1 | 6 | \boxed{3!}
    M | 1 | 2520 | \boxed{\frac{7!}{2!}}
    M | 1 | 0 | \boxed{-0}
    M | 1 | 0 | \boxed{0\%}
    M | 1 | 0 | \boxed{\text{zero}}
    M | 0 | 0 | \boxed{}
    M | 0 | 0 | no answer
    M | 1 | 12\text{ and }15 | \boxed{12, 15}
    M | 1 | 15 | **Answer:** $15$
    M | 1 | 15 | Answer: 15%
    M | 1 | 15 | I get 15 apples.
    M | 1 | 15 | Therefore the answer is $\boxed{15 \text{ miles}}$.
    M | 1 | 15 | <answer>15</answer>
    M | 0 | 15 | The result is 15/2
    M | 1 | 1.5 | #### 1.5
    M | 1 | 1500 | #### $1,500.00
    M | 1 | 1500 | #### 1500 dollars
    M | 1 | 45 | #### 45 mph
    M | 1 | 45 | #### 45%
    M | 1 | 45 | #### +45
    M | 1 | 45 | #### 45.
    M | 0 | 45 | #### 4.5
    M | 1 | 45 | #### The answer is 45
    M | 1 | 45 | #### x = 45
    M | 1 | 45 | #### **45** cookies
    M | 1 | 45 | #### \boxed{45}
    M | 1 | 45 | #### \$45
    M | 1 | 45 | #### 45 (forty-five)
    I | 1 | 7 | \boxed{007}
    I | 1 | 7 | \boxed{7_{10}}
    I | 0 | 7 | \boxed{7.5}
    I | 1 | 7 | \boxed{7,}
    I | 1 | 7 | \boxed{\,7\,}
    I | 1 | 7 | \boxed{\displaystyle 7}
    I | 1 | 7 | The answer is 7!
    I | 1 | 7 | the final answer is: 7.
    I | 1 | 7 | Thus, the answer is $\mathbf{7}$.
    I | 1 | 7 | The answer is 49/7 = 7.
    I | 0 | 7 | The answer is 7 or 8.
    I | 0 | 7 | The answer is 7x.
    I | 0 | 7 | The answer is at least 7.
    I | 1 | 540 | \boxed{\dfrac{1080}{2}}
    I | 1 | 540 | \boxed{540^{\circ}}
    I | 1 | 540 | \boxed{m + n = 540}
    L | 1 | C | The answer is C) because
    L | 1 | C | Answer: C (opt2)
    L | 1 | C | The answer is **C. opt2**.
    L | 1 | C | So the correct answer is: C
    L | 1 | C | Answer is C
    L | 1 | C | the correct choice is (C)
    L | 1 | C | Option (C) is correct.
    L | 1 | C | Correct answer: C
    L | 1 | C | The right answer is C
    L | 1 | C | Final answer: **C**.
    L | 1 | C | \boxed{C}.
    L | 1 | C | $\boxed{\text{C}}$
    L | 1 | C | \boxed{\textbf{(C)}}
    L | 1 | C | \boxed{(C)\ 42}
    L | 1 | C | \boxed{C\ (42)}
    L | 0 | C | Option A is correct, not C.
    L | 0 | C | The answer is not C.
    L | 0 | C | The answer isn't C.
    L | 0 | C | The answer is C or D.
    L | 0 | C | Answer: C, D
    L | 0 | C | \boxed{C, D}
    L | 0 | C | \boxed{CD}
    L | 0 | C | \boxed{X}
    L | 1 | C | Answer:@nC
    L | 1 | C | Answer:@n@n**C**
    L | 1 | C | The answer: (C)
    L | 1 | C | my answer is c)@nAnswer: C
    L | 1 | A | The answer is A since it is larger.
    L | 0 | A | The answer is A bit unclear.
    L | 1 | B | Answer: B@n@nExplanation: A is wrong.
    L | 1 | D | Hence (D) is the correct answer.
    L | 1 | D | Among A, B, C and D, the answer is D.
    L | 1 | D | I'd go with D. The answer is D.
    L | 1 | D | \boxed{D} is the answer
    L | 1 | D | Answer: \(D\)
    L | 1 | D | Answer: $D$
    L | 1 | D | Answer: `D`
    L | 1 | D | Answer: "D"
    L | 1 | D | Answer: {D}
    """#
}
