import JSON

/// Filters that cut, group and order lists.
extension TemplateRenderer {
  static let groupingFilters: [String: Filter] = [
    "batch": { (renderer, value, call) throws(TokenizerError) in
      let size = try call.integer(0, "linecount", default: 1)
      guard size > 0 else { throw call.failed("needs a size above 0") }
      let elements = try renderer.elements(of: value, line: call.line)
      var batches: [RuntimeValue] = []
      for start in stride(from: 0, to: elements.count, by: size) {
        var batch = Array(elements[start..<min(start + size, elements.count)])
        if let fill = call.argument(1, "fill_with"), !fill.isNone {
          try renderer.meter.charge(size)
          batch += repeatElement(fill, count: size - batch.count)
        }
        batches.append(try renderer.list(batch, line: call.line))
      }
      return try renderer.list(batches, line: call.line)
    },
    "slice": { (renderer, value, call) throws(TokenizerError) in
      let count = try call.integer(0, "slices", default: 1)
      guard count > 0 else { throw call.failed("needs a number of slices above 0") }
      try renderer.meter.charge(count)
      let elements = try renderer.elements(of: value, line: call.line)
      let (size, longer) = (elements.count / count, elements.count % count)
      var slices: [RuntimeValue] = []
      var start = 0
      for index in 0..<count {
        let end = start + size + (index < longer ? 1 : 0)
        var slice = Array(elements[start..<end])
        if let fill = call.argument(1, "fill_with"), !fill.isNone, index >= longer {
          slice.append(fill)
        }
        slices.append(try renderer.list(slice, line: call.line))
        start = end
      }
      return try renderer.list(slices, line: call.line)
    },
    "groupby": { (renderer, value, call) throws(TokenizerError) in
      try renderer.groups(value, call)
    },
    "sort": { (renderer, value, call) throws(TokenizerError) in
      let elements = try renderer.elements(of: value, line: call.line)
      var keys = elements
      if let attribute = call.argument(2, "attribute"), !attribute.isNone {
        var parts: [[RuntimeValue]] = []
        for path in try renderer.path(attribute, call).split(separator: ",") {
          parts.append(try renderer.members(.string(String(path)), of: elements, call))
        }
        keys = elements.indices.map { index in
          parts.count == 1
            ? parts[0][index] : .list(RuntimeList(unchecked: parts.map { $0[index] }))
        }
      }
      let order = try renderer.order(
        keys, reversed: call.flag(0, "reverse", default: false),
        caseSensitive: call.flag(1, "case_sensitive", default: false), call)
      return try renderer.list(order.map { elements[$0] }, line: call.line)
    },
    "dictsort": { (renderer, value, call) throws(TokenizerError) in
      guard case .dictionary(let dictionary) = value else {
        throw call.failed("needs a dictionary, not \(value.typeName)")
      }
      let by = try call.optionalString(1, "by") ?? "key"
      guard by == "key" || by == "value" else {
        throw call.failed("sorts by 'key' or 'value', not by '\(by)'")
      }
      let (keys, values) = (dictionary.keys, dictionary.members.values)
      let order = try renderer.order(
        by == "key" ? keys : values, reversed: call.flag(2, "reverse", default: false),
        caseSensitive: call.flag(0, "case_sensitive", default: false), call)
      var pairs: [RuntimeValue] = []
      for index in order {
        pairs.append(try renderer.tuple([keys[index], values[index]], line: call.line))
      }
      return try renderer.list(pairs, line: call.line)
    },
    "unique": { (renderer, value, call) throws(TokenizerError) in
      let elements = try renderer.elements(of: value, line: call.line)
      let keys = try renderer.keys(
        of: elements, call.argument(1, "attribute"),
        caseSensitive: call.flag(0, "case_sensitive", default: false), call)
      var seen: [RuntimeValue] = []
      var unique: [RuntimeValue] = []
      for (element, key) in zip(elements, keys) {
        let known = RuntimeValue.list(RuntimeList(unchecked: seen))
        if try !renderer.contains(known, key, line: call.line) {
          seen.append(key)
          unique.append(element)
        }
      }
      return try renderer.list(unique, line: call.line)
    },
    "sum": { (renderer, value, call) throws(TokenizerError) in
      var elements = try renderer.elements(of: value, line: call.line)
      if let attribute = call.argument(0, "attribute"), !attribute.isNone {
        elements = try renderer.members(attribute, of: elements, call)
      }
      var sum = call.argument(1, "start") ?? .integer(0)
      for element in elements {
        sum = try renderer.binary(.add, sum, element, line: call.line)
      }
      return sum
    },
    "min": { (renderer, value, call) throws(TokenizerError) in
      try renderer.extreme(value, call) { (new, old) throws(TokenizerError) in
        try renderer.isLess(new, old, line: call.line)
      }
    },
    "max": { (renderer, value, call) throws(TokenizerError) in
      try renderer.extreme(value, call) { (new, old) throws(TokenizerError) in
        try renderer.isLess(old, new, line: call.line)
      }
    },
  ]

  /// Pairs of a value of the attribute and the elements that have it, in the order of the values.
  private func groups(_ value: RuntimeValue, _ call: TemplateCall) throws(TokenizerError)
    -> RuntimeValue
  {
    let elements = try elements(of: value, line: call.line)
    var found = try members(try call.required(0, "attribute"), of: elements, call)
    if let fallback = call.argument(1, "default"), !fallback.isNone {
      found = found.map { $0.isUndefined ? fallback : $0 }
    }
    let keys = folded(found, caseSensitive: call.flag(2, "case_sensitive", default: false))
    let order = try order(keys, reversed: false, caseSensitive: true, call)
    var groups: [(key: RuntimeValue, elements: [RuntimeValue])] = []
    var last: RuntimeValue?
    for index in order {
      if let last, try areEqual(last, keys[index]) {
        groups[groups.count - 1].elements.append(elements[index])
      } else {
        groups.append((found[index], [elements[index]]))
        last = keys[index]
      }
    }
    var result: [RuntimeValue] = []
    for group in groups {
      // A pair that can also be asked for its `grouper` and its `list`.
      var pair = OrderedObject<RuntimeValue>()
      pair["grouper"] = group.key
      pair["list"] = try list(group.elements, line: call.line)
      result.append(.list(RuntimeList(pair: pair)))
    }
    return try list(result, line: call.line)
  }

  /// The positions of `keys` in order; equal ones stay as they were, also when reversed.
  private func order(
    _ keys: [RuntimeValue], reversed: Bool, caseSensitive: Bool, _ call: TemplateCall
  ) throws(TokenizerError) -> [Int] {
    try PythonText.stableOrder(folded(keys, caseSensitive: caseSensitive)) {
      (first, second) throws(TokenizerError) in
      reversed
        ? try isLess(second, first, line: call.line) : try isLess(first, second, line: call.line)
    }
  }

  private func folded(_ keys: [RuntimeValue], caseSensitive: Bool) -> [RuntimeValue] {
    if caseSensitive { return keys }
    return keys.map { key in
      switch key {
      case .string(let text): .string(text.lowercased())
      case .list(let list):
        .list(RuntimeList(unchecked: folded(list.elements, caseSensitive: false)))
      default: key
      }
    }
  }

  private func keys(
    of elements: [RuntimeValue], _ attribute: RuntimeValue?, caseSensitive: Bool,
    _ call: TemplateCall
  ) throws(TokenizerError) -> [RuntimeValue] {
    var keys = elements
    if let attribute, !attribute.isNone { keys = try members(attribute, of: elements, call) }
    return folded(keys, caseSensitive: caseSensitive)
  }

  private func extreme(
    _ value: RuntimeValue, _ call: TemplateCall,
    _ isBetter: (RuntimeValue, RuntimeValue) throws(TokenizerError) -> Bool
  ) throws(TokenizerError) -> RuntimeValue {
    let elements = try elements(of: value, line: call.line)
    let keys = try keys(
      of: elements, call.argument(1, "attribute"),
      caseSensitive: call.flag(0, "case_sensitive", default: false), call)
    var best: Int?
    for index in keys.indices {
      if let current = best, try !isBetter(keys[index], keys[current]) { continue }
      best = index
    }
    return best.map { elements[$0] } ?? .undefined("the extreme of nothing")
  }

  /// The text of an attribute argument, which may be a position too.
  func path(_ attribute: RuntimeValue, _ call: TemplateCall) throws(TokenizerError) -> String {
    switch attribute {
    case .string(let text): return text
    case .integer(let position): return String(position)
    default: throw call.failed("needs a string or a position as 'attribute'")
    }
  }

  /// A dotted member (`function.name`, `0.name`) of each element.
  func members(_ attribute: RuntimeValue, of elements: [RuntimeValue], _ call: TemplateCall)
    throws(TokenizerError) -> [RuntimeValue]
  {
    let names = PythonText.split(try path(attribute, call), by: ".")
    var result: [RuntimeValue] = []
    for var element in elements {
      for name in names {
        try meter.charge(bytes: name.utf8.count)
        if let position = Int(name) {
          element = try item(.integer(position), of: element, line: call.line)
        } else {
          element = try member(name, of: element, line: call.line)
        }
      }
      result.append(element)
    }
    return result
  }
}
