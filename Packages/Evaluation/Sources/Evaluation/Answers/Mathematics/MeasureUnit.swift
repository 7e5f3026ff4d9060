import Foundation

/// What a quantity is measured in: `cm`, `km/h`, `\text{ square inches}`, `%`, `^\circ`.
///
/// Sizes are those of the SI and of US customary units (NIST SP 811, appendix B).
struct MeasureUnit: Equatable {
  /// A unit with its power, as in `cm^2`.
  struct Factor: Equatable {
    var name: String
    var power: Int

    /// Whether the unit can have this power: shares, angles, temperatures, money, and months, which
    /// are counted, have no squares.
    var isPossible: Bool {
      let unraised = [
        "", "celsius", "fahrenheit", "dollar", "euro", "gbp", "inr", "byte", "month", "gallon",
      ]
      return abs(power) == 1 || !unraised.contains(MeasureUnit.size(of: name)?.of ?? "")
    }
  }

  /// The units that are multiplied, in the order in which they were written.
  let factors: [Factor]

  /// A share of a hundred.
  static let percent = MeasureUnit(factors: [Factor(name: "percent", power: 1)])
  /// A degree of an angle.
  static let degree = MeasureUnit(factors: [Factor(name: "degree", power: 1)])

  private init(factors: [Factor]) { self.factors = factors }

  /// Reads a unit in words, signs or both; nil where a word is no unit of the table, or has a power
  /// that it cannot have.
  init?(words: String) {
    guard let factors = Self.factors(words), factors.allSatisfy(\.isPossible) else { return nil }
    self.factors = factors
  }

  /// Whether words are units with a power that they cannot have: `radians^2`, `square dollars`.
  static func isImpossible(_ words: String) -> Bool {
    factors(words)?.allSatisfy(\.isPossible) == false
  }

  private static func factors(_ words: String) -> [Factor]? {
    var factors: [Factor] = []
    let speeds = ["mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "kmph": "km/hour"]
    let plain = words.filter { $0 != " " }.lowercased()
    let sides = (speeds[plain] ?? words).replacing(" per ", with: "/").split(
      separator: "/", omittingEmptySubsequences: false)
    guard sides.count <= 3 else { return nil }
    for (index, side) in sides.enumerated() {
      guard let read = Self.product(side, sign: index == 0 ? 1 : -1) else { return nil }
      factors += read
    }
    return factors
  }

  /// Reads what ``text`` wrote.
  init?(text: String) {
    var factors: [Factor] = []
    for part in text.split(separator: "*") {
      let pieces = part.split(separator: "^")
      guard let name = pieces.first.map(String.init), Self.size(of: name) != nil else { return nil }
      let power = pieces.count == 2 ? Int(pieces[1]) : 1
      guard let power, (-9...9).contains(power) else { return nil }
      factors.append(Factor(name: name, power: power))
    }
    guard !factors.isEmpty else { return nil }
    self.factors = factors
  }

  /// The unit in one spelling: `km*hour^-1`.
  var text: String {
    factors.map { $0.power == 1 ? $0.name : "\($0.name)^\($0.power)" }.joined(separator: "*")
  }

  /// How many units of its dimension this one is.
  var size: Double {
    factors.reduce(1) { $0 * pow(Self.size(of: $1.name)?.size ?? 1, Double($1.power)) }
  }

  /// The powers of what is measured; empty for shares and angles.
  var dimension: [String: Int] {
    var powers: [String: Int] = [:]
    for factor in factors {
      guard let measured = Self.size(of: factor.name), !measured.of.isEmpty else { continue }
      powers[measured.of, default: 0] += factor.power * measured.power
    }
    return powers.filter { $0.value != 0 }
  }

  /// Whether a number without unit may mean the same: of shares and angles.
  var isPlainNumber: Bool { dimension.isEmpty }

  /// The unit's letter, where it is one letter, which may be read as a variable too.
  var letter: String? {
    guard factors.count == 1, factors[0].power == 1 else { return nil }
    return Self.letters.first { $0.value == factors[0].name }?.key
  }

  // MARK: Reading

  private static func product(_ text: Substring, sign: Int) -> [Factor]? {
    var factors: [Factor] = []
    var power = 1
    for word in text.split(whereSeparator: { " -.*~".contains($0) }) {
      switch word.lowercased() {
      case "square", "sq": power = 2
      case "cubic", "cu": power = 3
      case "squared", "cubed":
        guard let last = factors.indices.last else { return nil }
        factors[last].power *= word.lowercased() == "squared" ? 2 : 3
      default:
        let pieces = word.split(separator: "^")
        guard let name = pieces.first.flatMap({ named(String($0)) }), pieces.count <= 2
        else { return nil }
        let digits = pieces.dropFirst().first.map { $0.filter { !"{}".contains($0) } } ?? "1"
        guard let raised = Int(digits), (-3...3).contains(raised) else { return nil }
        factors.append(Factor(name: name, power: sign * raised * power))
        power = 1
      }
    }
    return factors.isEmpty || power != 1 ? nil : factors
  }

  private static func named(_ word: String) -> String? {
    if let name = letters[word] { return name }
    let lower = word.lowercased()
    if let name = names[lower] { return name }
    if sizes[lower] != nil { return lower }
    return prefixed(word) == nil ? nil : word
  }

  /// Of a unit by its name, or by its sign with a prefix.
  private static func size(of name: String) -> (size: Double, of: String, power: Int)? {
    sizes[name] ?? prefixed(name)
  }

  /// `mA`, `nm`, `MHz`: one of the SI's prefixes before one of its signs, both as they are spelled.
  private static func prefixed(_ word: String) -> (size: Double, of: String, power: Int)? {
    guard let first = word.first, let factor = prefixes[first], !["am", "pm"].contains(word),
      let base = signs[String(word.dropFirst())].flatMap({ sizes[$0] })
    else { return nil }
    return (factor * base.size, base.of, base.power)
  }

  private static let prefixes: [Character: Double] = [
    "p": 1e-12, "n": 1e-9, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "m": 1e-3, "c": 0.01, "d": 0.1,
    "h": 100, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
  ]

  private static let signs = [
    "m": "meter", "g": "gram", "s": "second", "A": "ampere", "V": "volt", "W": "watt",
    "J": "joule", "N": "newton", "L": "liter", "l": "liter", "Hz": "hertz", "Pa": "pascal",
    "mol": "mole", "eV": "electronvolt", "B": "byte", "cal": "calorie", "bar": "bar",
    "F": "farad", "T": "tesla", "C": "coulomb",
  ]

  private static let letters = [
    "m": "meter", "s": "second", "g": "gram", "h": "hour", "L": "liter", "l": "liter",
    "N": "newton",
    "J": "joule", "W": "watt", "V": "volt", "A": "ampere",
  ]

  private static let sizes: [String: (size: Double, of: String, power: Int)] = [
    "mm": (0.001, "length", 1), "cm": (0.01, "length", 1), "dm": (0.1, "length", 1),
    "meter": (1, "length", 1), "km": (1000, "length", 1), "inch": (0.0254, "length", 1),
    "foot": (0.3048, "length", 1), "yard": (0.9144, "length", 1), "mile": (1609.344, "length", 1),
    "liter": (0.001, "length", 3), "ml": (1e-6, "length", 3),
    "gallon": (1, "gallon", 1), "quart": (0.25, "gallon", 1), "pint": (0.125, "gallon", 1),
    "cup": (0.0625, "gallon", 1), "mg": (0.001, "mass", 1), "gram": (1, "mass", 1),
    "kg": (1000, "mass", 1), "pound": (453.59237, "mass", 1), "ounce": (28.349523125, "mass", 1),
    "ton": (1, "ton", 1), "ms": (0.001, "time", 1), "second": (1, "time", 1),
    "minute": (60, "time", 1), "hour": (3600, "time", 1), "day": (86400, "time", 1),
    "week": (604800, "time", 1), "month": (1, "month", 1), "year": (12, "month", 1),
    "dollar": (1, "dollar", 1), "cent": (0.01, "dollar", 1), "euro": (1, "euro", 1),
    "gbp": (1, "gbp", 1), "inr": (1, "inr", 1), "percent": (0.01, "", 1),
    "degree": (Double.pi / 180, "", 1), "radian": (1, "", 1), "celsius": (1, "celsius", 1),
    "fahrenheit": (1, "fahrenheit", 1), "hertz": (1, "time", -1), "newton": (1, "newton", 1),
    "joule": (1, "joule", 1), "kj": (1000, "joule", 1), "watt": (1, "watt", 1),
    "kw": (1000, "watt", 1), "volt": (1, "volt", 1), "ampere": (1, "ampere", 1),
    "mole": (1, "mole", 1), "pascal": (1, "pascal", 1), "bar": (1e5, "pascal", 1),
    "atm": (101_325, "pascal", 1), "electronvolt": (1.602_176_634e-19, "joule", 1),
    "calorie": (4.184, "joule", 1), "byte": (1, "byte", 1), "farad": (1, "farad", 1),
    "tesla": (1, "tesla", 1), "coulomb": (1, "coulomb", 1),
  ]

  private static let names = [
    "millimeter": "mm", "centimeter": "cm", "decimeter": "dm", "kilometer": "km", "metre": "meter",
    "millimetre": "mm", "centimetre": "cm", "kilometre": "km", "in": "inch", "inches": "inch",
    "feet": "foot", "ft": "foot", "yd": "yard", "mi": "mile", "litre": "liter",
    "milliliter": "ml", "millilitre": "ml", "milligram": "mg", "kilogram": "kg", "lb": "pound",
    "oz": "ounce", "sec": "second", "min": "minute", "hr": "hour", "yr": "year", "usd": "dollar",
    "eur": "euro", "rupee": "inr", "rs": "inr", "percentage": "percent", "pct": "percent",
    "deg": "degree", "rad": "radian", "hz": "hertz", "kilojoule": "kj", "kilowatt": "kw",
    "amp": "ampere", "mol": "mole", "pa": "pascal", "ev": "electronvolt", "cal": "calorie",
    "atmosphere": "atm",
  ].merging(plurals) { first, _ in first }

  private static let plurals: [String: String] = {
    var plurals = [
      "millimeters": "mm", "centimeters": "cm", "kilometers": "km", "metres": "meter",
      "centimetres": "cm", "kilometres": "km", "litres": "liter", "milliliters": "ml",
      "milligrams": "mg", "kilograms": "kg", "lbs": "pound", "secs": "second", "mins": "minute",
      "hrs": "hour", "yrs": "year", "rupees": "inr", "joules": "joule", "yds": "yard",
    ]
    for name in sizes.keys where name.count > 2 { plurals[name + "s"] = name }
    return plurals
  }()
}
