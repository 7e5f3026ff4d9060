/// An engine's status as Prometheus reads it (text exposition format 0.0.4).
struct Metrics {
  private(set) var text = ""

  init(_ status: EngineStatus) {
    counter("texts_submitted_total", "Texts that were taken.", status.submitted)
    counter("texts_finished_total", "Texts that ended by themselves.", status.finished)
    counter("texts_cancelled_total", "Texts that were ended by their clients.", status.cancelled)
    counter("texts_refused_total", "Texts that were refused since too many wait.", status.refused)
    counter("failures_total", "Steps of the engine that failed.", status.failures)
    counter("prompt_tokens_total", "Tokens of prompts that were run.", status.promptTokens)
    counter(
      "generated_tokens_total", "Tokens that were generated after the first of each text.",
      status.generatedTokens)
    counter("prompt_seconds_total", "Seconds that running prompts took.", status.promptSeconds)
    counter(
      "generation_seconds_total", "Seconds that generating took.", status.generationSeconds)
    counter(
      "prefix_queries_total", "Tokens of the prompts of texts that ended.",
      status.finishedPromptTokens)
    counter(
      "prefix_hits_total", "Those of them that were not run, since others had run them.",
      status.cachedPromptTokens)
    gauge("texts_running", "Texts that are decoded.", status.running)
    gauge("texts_waiting", "Texts that wait for a place or for memory.", status.waiting)
    gauge("kv_reserved_bytes", "Bytes of KV cache that are promised.", status.reservedBytes)
    gauge("kv_held_bytes", "Bytes of KV cache that are held.", status.heldBytes)
    histogram(
      "time_to_first_token_seconds", "Seconds from a text's submission to its first token.",
      status.timeToFirstToken)
  }

  private mutating func head(_ name: String, _ help: String, _ type: String) {
    text += "# HELP bitbudget_\(name) \(help)\n# TYPE bitbudget_\(name) \(type)\n"
  }

  private mutating func counter(_ name: String, _ help: String, _ value: some Numeric) {
    head(name, help, "counter")
    text += "bitbudget_\(name) \(value)\n"
  }

  private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
    head(name, help, "gauge")
    text += "bitbudget_\(name) \(value)\n"
  }

  private mutating func histogram(_ name: String, _ help: String, _ values: Histogram) {
    head(name, help, "histogram")
    var sum = 0
    for (bound, count) in zip(Histogram.bounds, values.counts) {
      sum += count
      text += "bitbudget_\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
    }
    text += "bitbudget_\(name)_bucket{le=\"+Inf\"} \(values.count)\n"
    text += "bitbudget_\(name)_sum \(values.sum)\nbitbudget_\(name)_count \(values.count)\n"
  }
}
