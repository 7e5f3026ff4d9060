extension AnswerFormTests {
  /// What a hostile examiner would try: statements that deny an answer, percent within formulas,
  /// marks at the end, products whose order counts, tiny differences, determinants, struck factors
  /// and MathML; a line each, as in `forms`.
  static let examiner = #"""
    M | 0 | 42 | 42 is not the answer
    M | 0 | 42 | So 42 is not the right answer.
    M | 0 | 42 | The answer is not 42.
    M | 0 | 42 | The answer isn't 42.
    M | 0 | 42 | It can't be 42.
    M | 0 | 42 | x is not equal to 42
    M | 0 | 42 | 42 is wrong.
    M | 0 | 42 | 42 cannot be the answer.
    M | 0 | 42 | $42$ is incorrect.
    M | 0 | 42 | 42 apples is not the answer.
    M | 0 | 42 | The answer is not $\boxed{42}$.
    M | 0 | 42 | $\boxed{42}$ is not the answer.
    M | 0 | 42 | \boxed{42 \text{ is not the answer}}
    M | 0 | 42 | \boxed{\text{not } 42}
    M | 0 | 42 | \boxed{\neq 42}
    M | 0 | 42 | \boxed{\text{anything but } 42}
    M | 0 | 42 | \boxed{\lnot 42}
    M | 1 | 42 | It is not 41, it is 42.
    M | 1 | 42 | Not 41 but 42.
    M | 1 | 42 | The answer is 42, not 41.
    M | 1 | 42 | 41 is not the answer, so we get 42
    M | 1 | 42 | The answer is 42. That is not 41.
    M | 1 | 42 | It is not \boxed{41}. It is \boxed{42}.
    M | 1 | 42 | \boxed{42}, which is not a prime.
    M | 1 | 42 | The number 42 is not a prime.
    M | 1 | 42 | There are not more than 42.
    I | 0 | 42 | The answer is not 42.
    I | 0 | 42 | 42 is not the answer.
    I | 0 | 42 | I don't think that the answer is 42.
    I | 0 | 42 | It would be wrong to say the answer is 42.
    I | 0 | 42 | \boxed{42} is wrong.
    I | 1 | 42 | I think that the answer is 42.
    L | 0 | B | \boxed{B} is not the answer.
    L | 0 | B | The answer is not \boxed{B}.
    L | 0 | B | \boxed{\text{not } B}
    L | 0 | B | The answer is anything but B.
    L | 0 | B | The answer can't be B.
    L | 0 | B | Answer: not B
    M | 0 | 540x | \boxed{540\%x}
    M | 0 | 540 | \boxed{540\%x}
    M | 1 | 5.4x | \boxed{540\%x}
    M | 1 | 40 | \boxed{50\% \cdot 80}
    M | 1 | 40 | \boxed{80 \cdot 50\%}
    M | 0 | 4000 | \boxed{50\% \cdot 80}
    M | 1 | 70\% | \boxed{100\% - 30\%}
    M | 1 | (50\%, 30\%) | \boxed{(50\%, 30\%)}
    M | 0 | 1.5 | \boxed{1,5,}
    M | 1 | 1.5 | \boxed{1,5}
    M | 1 | 1,5 | \boxed{1,5,}
    M | 1 | 15 | \boxed{15,}
    M | 1 | 1000 | \boxed{1,000,}
    M | 0 | 1.5 | \boxed{,1,5}
    M | 0 | 1.5 | \boxed{1;5}
    M | 0 | AB | \boxed{BA}
    M | 0 | A^{-1}B^{-1} | \boxed{B^{-1}A^{-1}}
    M | 1 | B^{-1}A^{-1} | \boxed{B^{-1} A^{-1}}
    M | 0 | B^TA^T | \boxed{A^T B^T}
    M | 0 | 0 | \boxed{AB - BA}
    M | 0 | 2AB | \boxed{2BA}
    M | 0 | 2AB | \boxed{AB+BA}
    M | 1 | A^2B | \boxed{AAB}
    M | 1 | AB+CD | \boxed{CD+AB}
    M | 1 | \overline{AB} | \boxed{\overline{BA}}
    M | 1 | \frac{PV}{nR} | \boxed{\frac{VP}{nR}}
    M | 0 | \overrightarrow{AB} | \boxed{\overrightarrow{BA}}
    M | 0 | \vec{AB} | \boxed{\vec{BA}}
    M | 0 | \text{IV} | \boxed{VI}
    M | 1 | ab | \boxed{ba}
    M | 0 | x | \boxed{x+10^{-12}}
    M | 0 | x+1 | \boxed{x+1.000000000001}
    M | 0 | \frac{x}{3} | \boxed{0.333333333333x}
    M | 0 | y = 2x | \boxed{y = 2x+10^{-12}}
    M | 1 | \frac{x^2-1}{x-1} | \boxed{x+1}
    M | 0 | 1 | \boxed{|1+10^{-12}|}
    M | 0 | 1 | \boxed{\frac{10^{12}+1}{10^{12}}}
    M | 1 | (x+1)^{10} | \boxed{(x^2+2x+1)^5}
    M | 0 | (x+1)^{10} | \boxed{(x^2+2x+1)^5+10^{-13}}
    M | 1 | -2 | \boxed{\begin{vmatrix}1&2\\3&4\end{vmatrix}}
    M | 1 | \begin{vmatrix}1&2\\3&4\end{vmatrix} | \boxed{-2}
    M | 0 | 2 | \boxed{\begin{vmatrix}1&2\\3&4\end{vmatrix}}
    M | 1 | -2 | \boxed{\det\begin{pmatrix}1&2\\3&4\end{pmatrix}}
    M | 1 | -2 | \boxed{\det\left(\begin{bmatrix}1&2\\3&4\end{bmatrix}\right)}
    M | 1 | -2 | \boxed{\left|\begin{array}{cc}1&2\\3&4\end{array}\right|}
    M | 1 | ad-bc | \boxed{\begin{vmatrix}a&b\\c&d\end{vmatrix}}
    M | 0 | ad-bc | \boxed{\begin{vmatrix}a&c\\d&b\end{vmatrix}}
    M | 1 | 6 | \boxed{\begin{vmatrix}0&0&1\\0&6&2\\-1&3&4\end{vmatrix}}
    M | 1 | -2 | \boxed{\det A = -2}
    M | 1 | -2 | \boxed{\begin{vmatrix}1&2\\3&4\end{vmatrix} = 4 - 6 = -2}
    M | 0 | 3 | \boxed{\begin{vmatrix}1&2&3\end{vmatrix}}
    M | 1 | x | \boxed{\frac{\cancel{2}x}{\cancel{2}}}
    M | 1 | 1 | \boxed{\frac{\cancel{6}}{\cancel{6}}}
    M | 0 | 56 | \boxed{\cancel{5}6}
    M | 1 | 6 | \boxed{\cancel{5}6}
    M | 1 | 3 | \boxed{\cancelto{3}{6}}
    M | 1 | \frac{1}{2} | \boxed{<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>}
    M | 0 | 2 | The result is <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>
    M | 1 | \frac{1}{2} | The result is <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>.
    M | 1 | x^2+1 | \boxed{<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mn>1</mn></math>}
    M | 1 | \sqrt{2} | \boxed{<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow><msqrt><mn>2</mn></msqrt></mrow></math>}
    M | 1 | 2\pi | \boxed{<math><mn>2</mn><mo>&InvisibleTimes;</mo><mi>&pi;</mi></math>}
    M | 1 | \sqrt[3]{5} | \boxed{<math><mroot><mn>5</mn><mn>3</mn></mroot></math>}
    M | 0 | x^2 | \boxed{<math><msub><mi>x</mi><mn>2</mn></msub></math>}
    M | 0 | 12 | \boxed{<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>}
    M | 0 | 42 | \boxed{42 or 43}
    M | 0 | 42 | \boxed{\text{between } 41 \text{ and } 43}
    M | 0 | 42 | \boxed{> 42}
    M | 0 | 42 | \boxed{\geq 42}
    M | 0 | 42 | \boxed{\text{at least } 42}
    M | 0 | 42 | \boxed{\text{at most } 42}
    M | 0 | 42 | \boxed{\text{more than } 42}
    M | 0 | 42 | \boxed{\text{less than } 42}
    M | 0 | 42 | \boxed{42^\circ 30'}
    M | 0 | 42 | \boxed{42!}
    M | 0 | 42 | \boxed{42 \pm 1}
    M | 0 | 42 | \boxed{\sim 4.2}
    M | 0 | 42 | \boxed{\text{about } 43}
    M | 0 | 42 | \boxed{42 + C}
    M | 0 | x^2+C | \boxed{x^2}
    M | 0 | 42 | \boxed{?42}
    M | 0 | 42 | \boxed{42?}
    M | 0 | 42 | \boxed{42i}
    M | 0 | 42 | \boxed{-42}
    M | 0 | 42 | \boxed{42_5}
    M | 0 | 42 | \boxed{0x42}
    M | 0 | 42 | \boxed{4.2e2}
    M | 1 | 420 | \boxed{4.2e2}
    M | 0 | 42 | \boxed{4.2 \times 10^2}
    M | 0 | 42 | \boxed{42 \times 10^3}
    M | 0 | 42 | \boxed{42 dozen}
    M | 0 | 42 | \boxed{$42k}
    M | 0 | 42 | \boxed{\$42\text{M}}
    M | 0 | 42 | \boxed{42\text{ thousand}}
    M | 0 | 42 | \boxed{\text{half of } 42}
    M | 0 | 42 | \boxed{\text{twice } 42}
    M | 0 | 42 | \boxed{42 \text{ or less}}
    M | 0 | 42 | \boxed{42+}
    M | 0 | 42 | \boxed{42-}
    M | 0 | (1,2) | \boxed{(1,2]}
    M | 0 | [0,1) | \boxed{[0,1) \cup \{1\}}
    M | 1 | [0,1] | \boxed{0 \le x \le 1}
    M | 0 | (0,1) | \boxed{0 \le x < 1}
    M | 0 | \{1,2,3\} | \boxed{\{1,2,\ldots\}}
    M | 0 | \{1,2\} | \boxed{\{1\} \cap \{2\}}
    M | 0 | \{1,2\} | \boxed{1 < x < 2}
    M | 1 | \{1,2\} | \boxed{\{1\} \cup \{2\}}
    M | 0 | \{1\} | \boxed{\emptyset}
    M | 0 | \emptyset | \boxed{\{0\}}
    M | 0 | 0 | \boxed{\emptyset}
    M | 0 | \begin{cases} x & x > 0 \\ -x & x \le 0 \end{cases} | \boxed{\begin{cases} -x & x > 0 \\ x & x \le 0 \end{cases}}
    M | 1 | \begin{cases} x & x > 0 \\ -x & x \le 0 \end{cases} | \boxed{\begin{cases} x & x > 0 \\ -x & x \le 0 \end{cases}}
    M | 0 | \begin{cases} x & x > 0 \\ -x & x \le 0 \end{cases} | \boxed{\begin{cases} x & x > 1 \\ -x & x \le 1 \end{cases}}
    M | 0 | 3.14 | \boxed{\pi}
    M | 0 | \pi | \boxed{\approx 3.14}
    M | 1 | \frac{1}{3} | \boxed{\frac{1}{3} \approx 0.33}
    M | 0 | \frac{1}{3} | \boxed{\frac{2}{3} \approx 0.33}
    M | 0 | \frac{1}{4} | \boxed{\frac{1}{3} = 0.25}
    M | 0 | 45^\circ | \boxed{45'}
    M | 0 | 45^\circ | \boxed{\frac{\pi}{3}}
    M | 0 | \$42 | \boxed{€42}
    M | 0 | \$42.50 | \boxed{\$4250}
    M | 1 | \$42.50 | \boxed{42.5 \text{ dollars}}
    M | 0 | \$42.50 | \boxed{\$42.05}
    M | 0 | \text{May 4} | \boxed{\text{April 4}}
    M | 1 | \text{May 4} | \boxed{\text{May 4}}
    M | 0 | \text{May 4} | \boxed{\text{May 5}}
    M | 0 | \text{Monday} | \boxed{\text{Tuesday}}
    M | 0 | \text{May 4, 2020} | \boxed{\text{May 4, 2021}}
    M | 0 | 2020-05-04 | \boxed{2020-05-03}
    M | 0 | 2020-05-04 | \boxed{2011}
    M | 0 | 6/12 | \boxed{12/6}
    M | 0 | \text{not possible} | \boxed{\text{possible}}
    M | 0 | \text{increasing} | \boxed{\text{decreasing}}
    M | 0 | \text{increasing} | \boxed{\text{not increasing}}
    M | 0 | \text{True} | \boxed{\text{False}}
    M | 0 | \text{True} | \boxed{\text{not True}}
    M | 0 | \text{Alice} | \boxed{\text{Alice and Bob}}
    M | 0 | \text{Alice} | \boxed{\text{Alice or Bob}}
    M | 0 | \text{Alice} | \boxed{\text{not Alice}}
    L | 0 | A | \boxed{A \text{ or } B}
    L | 0 | A | \boxed{A, B}
    L | 0 | A | \boxed{AB}
    L | 0 | A | \boxed{A \text{ and } B}
    L | 1 | A | \boxed{A \text{: because it is larger than B}}
    L | 1 | A | \boxed{\text{A) Paris}}
    L | 0 | A | \boxed{\text{not A}}
    L | 0 | A | \boxed{\text{All of them}}
    L | 0 | A | \boxed{E}
    L | 1 | A | Answer: A, because B is wrong.
    L | 1 | C | The answer is C, not A.
    L | 0 | A | The answer is C, not A.
    L | 0 | A | The answer is neither A nor B.
    L | 0 | A | The answer is either A or B.
    M | 1 | \frac{3}{4} | \boxed{𝟑/𝟒}
    M | 1 | 42 | \boxed{𝟜𝟚}
    M | 1 | x^2 | \boxed{𝑥²}
    M | 1 | \frac{1}{2} | \boxed{1⁄2}
    M | 1 | 2\sqrt{3} | \boxed{2√3}
    M | 1 | x_1 | \boxed{x₁}
    M | 0 | x^{12} | \boxed{x¹}
    M | 1 | 10^{-3} | \boxed{10⁻³}
    M | 1 | \frac{1}{7} | \boxed{⅐}
    M | 1 | -\frac{1}{2} | \boxed{−½}
    M | 1 | x \le 3 | \boxed{x ≦ 3}
    M | 1 | \frac{\pi}{2} | \boxed{𝜋/2}
    I | 0 | 42 | \boxed{42.5}
    I | 0 | 42 | \boxed{42, 43}
    I | 0 | 42 | \boxed{\approx 42.3}
    I | 0 | 42 | \boxed{42 \text{ or } 43}
    I | 0 | 42 | \boxed{420\%}
    I | 0 | 42 | \boxed{42x}
    M | 1 | 42000000 | \boxed{\$42\text{M}}
    M | 0 | 05/04/2020 | \boxed{05/05/2020}
    M | 1 | 2020-05-04 | \boxed{2020-05-04}
    M | 0 | [0,1] | \boxed{[0,1] \cup [2,3]}
    M | 0 | \{1,2\} | \boxed{\{1\} \cup \{3\}}
    M | 1 | (x+y)^2 | \boxed{x^2+2xy+y^2}
    M | 1 | \frac{1}{x}+\frac{1}{y} | \boxed{\frac{x+y}{xy}}
    M | 0 | \frac{1}{x}+\frac{1}{y} | \boxed{\frac{x+y}{xy}+10^{-11}}
    M | 1 | x^{1/2} | \boxed{\sqrt{x}}
    M | 1 | \sqrt{2}\sqrt{x^2+1} | \boxed{\sqrt{2x^2+2}}
    M | 1 | n! | \boxed{n\cdot(n-1)!}
    M | 1 | \frac{x^{20}-1}{x-1} | \boxed{\sum_{k=0}^{19} x^k}
    M | 0 | \frac{x^{20}-1}{x-1} | \boxed{\sum_{k=0}^{20} x^k}
    M | 1 | \sin^2 x | \boxed{1-\cos^2 x}
    M | 0 | 42 | x \neq 42
    M | 0 | 42 | x ≠ 42
    M | 0 | 42 | 42 – not the right answer.
    M | 1 | 41 | We get 41. But 42 is not the answer.
    M | 1 | 41 | \boxed{41}, since $\boxed{42}$ is not a solution.
    L | 1 | A | \boxed{A}, because \boxed{B} is wrong.
    """#
}
