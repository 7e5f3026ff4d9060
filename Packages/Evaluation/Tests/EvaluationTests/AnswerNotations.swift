extension AnswerFormTests {
  /// Nouns behind numbers, and other notations; a line each, as in `forms`.
  static let notations = #"""
    M | 1 | 12 | \boxed{12 apples}
    M | 1 | 12 | \boxed{12\text{ red apples}}
    M | 1 | 12 | \boxed{12 \text{ apples per day}}
    M | 1 | 12 | \boxed{12 more apples}
    M | 1 | 3 | \boxed{3 times}
    M | 1 | 12 | \boxed{12 people left}
    M | 0 | 12 | \boxed{12 more than x}
    M | 0 | 12 | \boxed{12 apples and 3 pears}
    M | 0 | 3 | \boxed{3 times x}
    M | 0 | 12 | \boxed{12 dozen apples}
    M | 1 | 144 | \boxed{12 dozen apples}
    M | 0 | 12 | \boxed{12 - x apples}
    M | 1 | \frac{1}{3} | \boxed{0.333\ldots}
    M | 1 | \frac{1}{3} | \boxed{\int_0^1 x^2\,dx}
    M | 1 | \frac{1}{2} | \boxed{{1 \over 2}}
    M | 1 | 2+\frac{1}{2x} | \boxed{2 + {1 \over 2x}}
    M | 1 | 10 | \boxed{{5 \choose 2}}
    M | 1 | \sqrt[3]{2} | \boxed{∛2}
    M | 1 | \log_2 3 | \boxed{log₂ 3}
    M | 1 | 7 | \boxed{x \equiv 7 \pmod{11}}
    M | 1 | 7 | \boxed{\therefore 7}
    M | 1 | 0.5 | \boxed{P = \frac{1}{2} = 0.5 = 50\%}
    M | 0 | 0.5 | \boxed{P = \frac{1}{3} = 0.5 = 50\%}
    M | 1 | \begin{pmatrix}1\\2\end{pmatrix} | \boxed{\langle 1, 2\rangle}
    M | 1 | 1,2,3 | \boxed{1, 2, & 3}
    M | 1 | x\ne5 | \boxed{x != 5}
    M | 0 | x\ne5 | \boxed{5!}
    I | 1 | 42 | \boxed{\frac{84}{2}}
    I | 0 | 42 | \boxed{\frac{85}{2}}
    I | 1 | 42 | \boxed{\left(42\right)}
    I | 1 | 42 | 答案是42。
    L | 0 | A | I choose A number of things.
    L | 0 | B | We choose B to be the centre.
    L | 1 | B | $B$
    L | 1 | B | The answer is 'B'.
    L | 0 | B | The answer is B's square.
    L | 1 | B | 答案：B
    L | 1 | B | 因此选择B。
    """#
}
