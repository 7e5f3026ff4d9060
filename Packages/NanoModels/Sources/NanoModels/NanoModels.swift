import Foundation

/// The reasoning models that ship with the toolkit, and what they are measured and calibrated with.
///
/// Four models of the Qwen3 architecture, small enough to run everything for real in seconds. They
/// know two synthetic tasks, nano-math and nano-facts, and nothing else. `Tools/nano` trains them.
///
/// Every function looks for the files anew and returns nil where they are not installed;
/// ``searchedFolders`` then tells where they were expected.
public enum NanoModels {
  /// The models by growing size; the name tells the millions of parameters.
  public static let names = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]

  /// The model that `nano` alone stands for: the largest.
  public static let defaultName = "nano-4m"

  /// The benchmarks: 400 problems each that no model was trained on.
  public static let benchmarkNames = ["nano-math", "nano-facts"]

  /// The Hugging Face folder of a model: `config.json`, `generation_config.json`, tokenizer files and
  /// `model.safetensors` in BF16.
  ///
  /// - Parameter name: One of ``names``, or `nano` for ``defaultName``.
  /// - Returns: The folder, or nil where the name is unknown or the files are not installed.
  public static func directory(of name: String) -> URL? {
    let name = name == "nano" ? defaultName : name
    return names.contains(name) ? ResourceSearch.ofThisProcess.url(of: name) : nil
  }

  /// The problems of a benchmark, one JSON object a line.
  ///
  /// `question` is the user's message as it is, `answer` the text expected in `\boxed{}` (compare
  /// without blanks around it), `id` is unique; further fields describe the problem.
  ///
  /// - Parameter name: One of ``benchmarkNames``.
  /// - Returns: The file, or nil where the name is unknown or the file is not installed.
  public static func benchmark(named name: String) -> URL? {
    benchmarkNames.contains(name) ? ResourceSearch.ofThisProcess.url(of: "\(name).jsonl") : nil
  }

  /// Text to calibrate quantizers with: 256 lines `{"text": ...}` like the models' training text, in full
  /// chat form, drawn from a seed of their own; nil where the file is not installed.
  public static var calibration: URL? { ResourceSearch.ofThisProcess.url(of: "calibration.jsonl") }

  /// The folders in which the files are looked for, in this order.
  public static var searchedFolders: [URL] { ResourceSearch.ofThisProcess.folders }
}
