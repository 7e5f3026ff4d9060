import Foundation

/// Mathematical signs beyond ASCII, in LaTeX.
enum UnicodeMarks {
  /// The text with its signs in LaTeX; `√2` is `\sqrt{2}`, `x²` is `x^{2}`.
  static func inLatex(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var result = ""
    var raised = ""
    var lowered = ""
    var scalars = text.unicodeScalars.flatMap(plain)[...]
    while let scalar = scalars.popFirst() {
      if let digit = superscripts[scalar] {
        raised.append(digit)
        continue
      }
      if !raised.isEmpty {
        result += "^{\(raised)}"
        raised = ""
      }
      if let digit = subscripts[scalar] {
        lowered.append(digit)
        continue
      }
      if !lowered.isEmpty {
        result += "_{\(lowered)}"
        lowered = ""
      }
      if let degree = degrees[scalar] {
        result += root(&scalars, degree: degree)
      } else if let form = forms[scalar] {
        result += form
      } else if (0xFF01...0xFF5E).contains(scalar.value),
        let narrow = Unicode.Scalar(scalar.value - 0xFEE0)
      {
        // Letters, digits and marks of ASCII as wide as Chinese ones.
        result.unicodeScalars.append(narrow)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    if !lowered.isEmpty { result += "_{\(lowered)}" }
    return raised.isEmpty ? result : result + "^{\(raised)}"
  }

  /// A letter or digit of mathematics in bold print, italics and the like without its style.
  private static func plain(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    guard (0x1D400...0x1D7FF).contains(scalar.value) else { return [scalar] }
    return Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
  }

  /// The radicand: a number, a group, or one letter.
  private static func root(
    _ scalars: inout ArraySlice<Unicode.Scalar>, degree: String
  ) -> String {
    let root = "\\sqrt" + degree
    var radicand = ""
    while let digit = scalars.first, "0"..."9" ~= digit || digit == "." {
      radicand.unicodeScalars.append(digit)
      scalars.removeFirst()
    }
    if !radicand.isEmpty { return "\(root){\(radicand)}" }
    guard let first = scalars.first else { return root }
    if first == "(", let close = scalars.firstIndex(of: ")") {
      let inner = scalars[(scalars.startIndex + 1)..<close].map { String(Character($0)) }.joined()
      scalars = scalars[(close + 1)...]
      return "\(root){\(inner)}"
    }
    if first.properties.isAlphabetic {
      scalars.removeFirst()
      return "\(root){\(first)}"
    }
    return root
  }

  private static let degrees: [Unicode.Scalar: String] = ["√": "", "∛": "[3]", "∜": "[4]"]

  private static let subscripts: [Unicode.Scalar: Character] = [
    "₀": "0", "₁": "1", "₂": "2", "₃": "3", "₄": "4", "₅": "5", "₆": "6", "₇": "7", "₈": "8",
    "₉": "9",
  ]

  private static let superscripts: [Unicode.Scalar: Character] = [
    "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8",
    "⁹": "9", "⁻": "-", "⁺": "+", "ⁿ": "n", "ˣ": "x",
  ]

  private static let forms: [Unicode.Scalar: String] = [
    "−": "-", "–": "-", "—": "-", "×": "\\times ", "÷": "\\div ", "·": "\\cdot ", "⋅": "\\cdot ",
    "∙": "\\cdot ", "•": "\\cdot ", "≤": "\\le ", "≥": "\\ge ", "⩽": "\\le ", "⩾": "\\ge ",
    "≦": "\\le ", "≧": "\\ge ",
    "≠": "\\ne ", "≈": "\\approx ", "≃": "\\approx ", "±": "\\pm ", "∓": "\\mp ", "∞": "\\infty ",
    "π": "\\pi ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "∅": "\\emptyset ", "°": "^{\\circ}",
    "∘": "^{\\circ}", "º": "^{\\circ}", "ℝ": "\\mathbb{R}", "θ": "\\theta ", "α": "\\alpha ",
    "β": "\\beta ", "γ": "\\gamma ",
    "λ": "\\lambda ", "μ": "\\mu ", "σ": "\\sigma ", "φ": "\\phi ", "ω": "\\omega ",
    "⟨": "\\langle ",
    "⟩": "\\rangle ", "⁄": "/", "∕": "/", "½": "\\frac{1}{2}", "⅓": "\\frac{1}{3}",
    "⅔": "\\frac{2}{3}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}", "⅕": "\\frac{1}{5}",
    "⅖": "\\frac{2}{5}", "⅗": "\\frac{3}{5}", "⅘": "\\frac{4}{5}", "⅙": "\\frac{1}{6}",
    "⅚": "\\frac{5}{6}", "⅛": "\\frac{1}{8}", "⅜": "\\frac{3}{8}", "⅝": "\\frac{5}{8}",
    "⅞": "\\frac{7}{8}", "⅐": "\\frac{1}{7}", "⅑": "\\frac{1}{9}", "⅒": "\\frac{1}{10}",
    "€": "EUR ", "£": "GBP ", "¥": "", "¢": " cents",
    "₹": "INR ", "。": ".", "、": ",", "′": "'", "∖": "\\setminus ",
    "…": "...", "∫": "\\int ", "∑": "\\sum ", "∏": "\\prod ", "→": "\\to ",
  ]
}
