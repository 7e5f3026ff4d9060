/// Determinants: `\begin{vmatrix}...`, `\det\begin{pmatrix}...`, and a matrix between bars.
extension LatexEvaluator {
  /// Larger ones have no value.
  private static let largestDeterminant = 8

  /// The elements of a determinant at the position, which moves behind it.
  mutating func takeDeterminant() -> [[ArraySlice<UInt8>]]? {
    let start = position
    let isNamed = take("\\det")
    let close: StaticString =
      if isNamed {
        take("(") ? ")" : take("[") ? "]" : ""
      } else {
        take("|") ? "|" : ""
      }
    let isMatrix = isNamed || close.utf8CodeUnitCount > 0
    let kinds = isMatrix ? ["pmatrix", "bmatrix", "matrix", "array"] : ["vmatrix"]
    for kind in kinds where text[position...].starts(with: "\\begin{\(kind)}".utf8) {
      let mark = "\\end{\(kind)}"
      guard let end = text[position...].firstRange(of: mark.utf8)?.upperBound,
        let rows = MathAnswer.rows(text[position..<end], of: [kind])
      else { break }
      position = end
      if close.utf8CodeUnitCount == 0 || take(close) { return rows }
    }
    position = start
    return nil
  }

  /// The value of a determinant, by elimination; nil where the matrix is not square.
  mutating func determinant(_ rows: [[ArraySlice<UInt8>]]) -> ComplexNumber? {
    guard (1...Self.largestDeterminant).contains(rows.count),
      rows.allSatisfy({ $0.count == rows.count })
    else { return nil }
    var matrix: [[ComplexNumber]] = []
    for row in rows {
      var values: [ComplexNumber] = []
      for element in row {
        guard let value = self.value(of: element) else { return nil }
        values.append(value)
      }
      matrix.append(values)
    }
    var result = ComplexNumber(Rational(1))
    for column in matrix.indices {
      let pivot =
        (column..<matrix.count).max {
          matrix[$0][column].magnitude < matrix[$1][column].magnitude
        } ?? column
      guard matrix[pivot][column].magnitude > 0 else { return ComplexNumber(Rational(0)) }
      if pivot != column {
        matrix.swapAt(pivot, column)
        result = -result
      }
      result = result * matrix[column][column]
      for row in (column + 1)..<matrix.count {
        let factor = matrix[row][column] / matrix[column][column]
        for place in column..<matrix.count {
          matrix[row][place] = matrix[row][place] - factor * matrix[column][place]
        }
      }
    }
    return result
  }
}
