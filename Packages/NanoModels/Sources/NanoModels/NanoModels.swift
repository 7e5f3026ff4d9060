import Foundation
import SystemCalls

/// The reasoning models that ship with the toolkit, and what they are measured and calibrated with.
///
/// Four models of the Qwen3 architecture, small enough to run everything for real in seconds. They
/// know two synthetic tasks, nano-math and nano-facts, and nothing else. `Tools/nano` trains them.
///
/// Every function looks for the files anew, in the places of a `ResourceSearch`, and returns nil
/// where they are not installed; ``searchedFolders(in:)`` then tells where they were expected.
public enum NanoModels {
  /// The models by growing size; the name tells the millions of parameters.
  public static let names = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]

  /// The model that `nano` alone stands for: the largest.
  public static let defaultName = "nano-4m"

  /// The benchmarks: 400 problems each that no model was trained on.
  public static let benchmarkNames = ["nano-math", "nano-facts"]

  /// The Hugging Face folder of a model: `config.json`, `generation_config.json`, tokenizer files
  /// and `model.safetensors` in BF16.
  ///
  /// - Parameters:
  ///   - name: One of ``names``, or `nano` for ``defaultName``.
  ///   - search: Where to look.
  /// - Returns: The folder, or nil where the name is unknown or the files are not installed.
  public static func directory(
    of name: String, in search: ResourceSearch = ResourceSearch()
  ) -> URL? {
    let name = name == "nano" ? defaultName : name
    return names.contains(name) ? search.url(of: name, in: package) : nil
  }

  /// The problems of a benchmark, one JSON object a line.
  ///
  /// `question` is the user's message as it is, `answer` the text expected in `\boxed{}` (compare
  /// without blanks around it), `id` is unique; further fields describe the problem.
  ///
  /// - Parameters:
  ///   - name: One of ``benchmarkNames``.
  ///   - search: Where to look.
  /// - Returns: The file, or nil where the name is unknown or the file is not installed.
  public static func benchmark(
    named name: String, in search: ResourceSearch = ResourceSearch()
  ) -> URL? {
    benchmarkNames.contains(name) ? search.url(of: "\(name).jsonl", in: package) : nil
  }

  /// Text to calibrate quantizers with: 256 lines `{"text": ...}` like the models' training text,
  /// in full chat form, drawn from a seed of their own; nil where the file is not installed.
  public static func calibration(in search: ResourceSearch = ResourceSearch()) -> URL? {
    search.url(of: "calibration.jsonl", in: package)
  }

  /// The folders in which the files are looked for, in this order.
  public static func searchedFolders(in search: ResourceSearch = ResourceSearch()) -> [URL] {
    search.folders(of: package)
  }

  private static let package = "NanoModels"
}
