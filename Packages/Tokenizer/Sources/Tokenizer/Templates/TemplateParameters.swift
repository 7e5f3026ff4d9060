/// The parameters of the filters, as Jinja 3.1 names them.
///
/// An argument that a filter does not have is an error, never ignored.
enum TemplateParameters {
  /// Filters whose further arguments belong to another filter or test.
  private static let open: Set<String> = ["map", "select", "reject", "selectattr", "rejectattr"]

  /// - Throws: where `call` gives more arguments than the filter has, or one by another name.
  static func check(_ call: TemplateCall) throws(TokenizerError) {
    if open.contains(call.name) || call.name == "format" { return }
    let names = byFilter[call.name] ?? []
    if call.positional.count > names.count {
      throw call.failed("takes \(names.count) arguments, not \(call.positional.count)")
    }
    for (index, argument) in call.named.enumerated() {
      guard let position = names.firstIndex(of: argument.name) else {
        throw call.failed("has no argument '\(argument.name)'")
      }
      let isTwice =
        position < call.positional.count
        || call.named[..<index].contains { $0.name == argument.name }
      if isTwice { throw call.failed("is given '\(argument.name)' twice") }
    }
  }

  private static let byFilter: [String: [String]] = [
    "attr": ["name"], "batch": ["linecount", "fill_with"], "center": ["width"],
    "d": ["default_value", "boolean"], "default": ["default_value", "boolean"],
    "dictsort": ["case_sensitive", "by", "reverse"], "filesizeformat": ["binary"],
    "float": ["default"], "groupby": ["attribute", "default", "case_sensitive"],
    "indent": ["width", "first", "blank"], "int": ["default", "base"], "join": ["d", "attribute"],
    "max": ["case_sensitive", "attribute"], "min": ["case_sensitive", "attribute"],
    "replace": ["old", "new", "count"], "round": ["precision", "method"],
    "slice": ["slices", "fill_with"], "sort": ["reverse", "case_sensitive", "attribute"],
    "sum": ["attribute", "start"], "trim": ["chars"],
    "tojson": ["ensure_ascii", "indent", "separators", "sort_keys"],
    "truncate": ["length", "killwords", "end", "leeway"],
    "unique": ["case_sensitive", "attribute"], "urlencode": [],
    "wordwrap": ["width", "break_long_words", "wrapstring", "break_on_hyphens"],
    "xmlattr": ["autospace"],
  ]
}
