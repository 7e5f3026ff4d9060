import MemoryPlanner

/// The page of a report: drawings in place, no scripts, nothing from elsewhere.
struct StudyPage {
  private let results: StudyResults
  private let findings: [StudyFinding]
  private let figures: [StudyFigures.Figure]

  init(_ results: StudyResults, _ findings: [StudyFinding], _ figures: [StudyFigures.Figure]) {
    self.results = results
    self.findings = findings
    self.figures = figures
  }

  /// The whole page.
  var text: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <title>\(escaped(results.title))</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <header>
    <h1>\(escaped(results.title))</h1>
    <p>\(escaped(summary))</p>
    \(incomplete)
    </header>
    <main>
    <section>
    <h2>Findings</h2>
    <p>What "Not All Bits Are Equal" (arXiv:2510.10964) found on Qwen3, tested on this data.\(resampled)</p>
    <table>
    <thead><tr><th></th><th>The paper</th><th>Here</th><th>Numbers</th></tr></thead>
    <tbody>
    \(findings.map(row).joined(separator: "\n"))
    </tbody>
    </table>
    </section>
    <section>
    <h2>The frontier</h2>
    <p>Configurations that none beats in memory and accuracy, all of them together: \(TaskKind.allCases.map { "\(frontierPoints($0).count) in \($0 == .math ? "mathematics" : "knowledge")" }.joined(separator: ", ")).</p>
    \(TaskKind.allCases.map(frontier).joined(separator: "\n"))
    </section>
    \(formats)
    \(rules)
    \(figures.map(section).joined(separator: "\n"))
    </main>
    <footer>Figures are numbered as in the paper. Points name their configuration when pointed at; the same data lies beside this page as CSV and SVG files.</footer>
    </body>
    </html>

    """
  }

  private var summary: String {
    let models = Set(results.points.map(\.model)).count
    let benchmarks = Set(results.points.map(\.benchmark)).sorted().joined(separator: ", ")
    return
      "\(results.points.count) scenarios over \(models) models on \(benchmarks). Memory is that of the weights and of the KV "
      + "cache as measured, one cache charged for each sample; accuracy is the mean over problems, with its standard error."
  }

  private var incomplete: String {
    results.isComplete
      ? ""
      : "<p class=\"warning\">Incomplete: \(results.points.count) of \(results.scenarios) scenarios are measured. "
        + "What follows may change.</p>"
  }

  private var resampled: String {
    guard findings.contains(where: { $0.support != nil }) else { return "" }
    return
      " In brackets are 95 % intervals over \(StudyResampling.usualDraws) resamples of the problems. A finding that holds in "
      + "97.5 % of them holds, one that holds in 2.5 % at most does not, others are undecided."
  }

  private func row(_ finding: StudyFinding) -> String {
    let kind =
      switch finding.verdict {
      case .holds: "holds"
      case .fails: "fails"
      case .open, .unknown: "unknown"
      }
    return "<tr><td>\(finding.number)</td><td>\(escaped(finding.claim))</td>"
      + "<td class=\"\(kind)\">\(escaped(finding.verdict.rawValue))</td><td>\(escaped(finding.evidence))</td></tr>"
  }

  private func frontierPoints(_ task: TaskKind) -> [StudyPoint] {
    StudyView.frontier(results.points.filter { $0.task == task })
  }

  private func frontier(_ task: TaskKind) -> String {
    let points = frontierPoints(task)
    guard !points.isEmpty else { return "" }
    let rows = points.map { point in
      let error = point.standardError.map { " ± \(StudyPoint.percent($0))" } ?? ""
      let cells = [
        point.model, point.scheme ?? "\(point.bits)", point.kv, "\(point.thinkBudget)",
        "\(point.samples)",
        "\(ByteCount(point.totalBytes))", StudyPoint.percent(point.accuracy) + error,
      ]
      return "<tr>" + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }
    return """
      <details><summary>\(task == .math ? "Mathematics" : "Knowledge")</summary><div class="wide"><table>
      <thead><tr><th>model</th><th>bits</th><th>KV</th><th>thought</th><th>samples</th><th>memory</th><th>accuracy, %</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div></details>
      """
  }

  /// Schemes of weights and activations beside bits of weights alone; nothing where the study has
  /// none.
  private var formats: String {
    let table = StudyFormats(results)
    guard !table.rows.isEmpty else { return "" }
    let rows = table.rows.map { row in
      let error = row.standardError.map { " ± \(StudyPoint.percent($0))" } ?? ""
      let cells = [
        row.benchmark, row.model, row.form, StudyPoint.percent(row.accuracy) + error,
        "\(ByteCount(row.bytes))",
        "\((row.tokensPerSecond * 10).rounded() / 10)",
      ]
      return "<tr>" + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }
    return """
      <section>
      <h2>Formats of weights and activations</h2>
      <p>\(escaped(table.answer))</p>
      <div class="wide"><table>
      <thead><tr><th>benchmark</th><th>model</th><th>format</th><th>accuracy, %</th><th>memory</th><th>tokens a second and reply</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      </section>
      """
  }

  /// What rules that end votes and thoughts early save; nothing where the study has none.
  private var rules: String {
    let outcomes = results.rules ?? []
    guard !outcomes.isEmpty else { return "" }
    let rows = outcomes.map { outcome in
      let point = outcome.point
      let error = outcome.differenceError.map { " ± \(StudyPoint.percent($0))" } ?? ""
      let cells = [
        point.benchmark, point.model, point.form, point.kv, "\(point.thinkBudget)",
        "\(point.samples)", outcome.rule, StudyPoint.percent(point.accuracy),
        StudyPoint.percent(outcome.difference) + error, "\(Int(point.tokens.rounded()))",
        "\(Int((100 * outcome.saved).rounded()))",
      ]
      return "<tr>" + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
    }
    return """
      <section>
      <h2>Votes and thoughts that stop</h2>
      <p>Worked out from the replies of the study: what each rule would have scored, and the tokens of a question that it saves.</p>
      <div class="wide"><table>
      <thead><tr><th>benchmark</th><th>model</th><th>format</th><th>KV</th><th>thought</th><th>samples</th><th>rule</th><th>accuracy, %</th><th>difference</th><th>tokens</th><th>saved, %</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      </section>
      """
  }

  private func section(_ figure: StudyFigures.Figure) -> String {
    let panels = figure.panels.map { panel in
      "<figure>\(SVGChart(panel).text)</figure>"
    }
    return """
      <section>
      <h2>Figure \(figure.number)</h2>
      <p>\(escaped(figure.caption))</p>
      <div class="panels">
      \(panels.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  private func escaped(_ text: String) -> String { SVGChart.escaped(text) }

  private static let style = """
    :root{color-scheme:light dark;--paper:#fff;--ink:#222;--soft:#666;--rule:#ddd}\
    @media(prefers-color-scheme:dark){:root{--paper:#16181d;--ink:#e5e7eb;--soft:#9ca3af;--rule:#333a45}}\
    body{margin:0 auto;max-width:1180px;padding:16px;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
    h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}p{max-width:75ch}footer{color:var(--soft);margin:2rem 0}\
    .panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px}\
    .panels figure:only-child{max-width:820px}\
    figure{margin:0;border:1px solid var(--rule);border-radius:6px;overflow:hidden}figure svg{display:block;width:100%;height:auto}\
    table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{text-align:left;vertical-align:top;padding:6px 10px 6px 0;border-bottom:1px solid var(--rule)}\
    .wide{overflow-x:auto}summary{cursor:pointer;margin:.6rem 0;font-weight:600}.warning{border-left:4px solid #d97706;padding-left:12px}\
    .holds{color:#15803d;font-weight:600}.fails{color:#c2410c;font-weight:600}.unknown{color:var(--soft);font-weight:600}\
    @media(prefers-color-scheme:dark){.holds{color:#4ade80}.fails{color:#fb923c}}\
    @media(max-width:640px){thead{display:none}main>section:first-child tr{display:block;border-bottom:1px solid var(--rule);padding:8px 0}\
    main>section:first-child td{display:block;border:0;padding:2px 0}.wide thead{display:table-header-group}.wide table{font-size:.8rem;white-space:nowrap}}
    """
}
