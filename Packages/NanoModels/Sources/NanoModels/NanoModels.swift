import Foundation
import SystemCalls

/// The reasoning models that ship with the toolkit, and what they are measured and calibrated with.
///
/// Two families of models of the Qwen3 architecture, small enough to run everything for real in
/// seconds. Each knows two synthetic tasks and nothing else. `Tools/nano` trains them.
///
/// Every function looks for the files anew, in the places of a `ResourceSearch`, and returns nil
/// where they are not installed; ``searchedFolders(in:)`` then tells where they were expected.
public enum NanoModels {
  /// Models that were trained alike, on the same tasks.
  public struct Family: Sendable {
    /// The models by growing size; the name tells the millions of parameters.
    public let names: [String]
    /// The benchmarks: 400 problems each that no model was trained on.
    public let benchmarkNames: [String]
    fileprivate let calibration: String
    fileprivate let study: String?
  }

  /// The first family, on whose tasks all but the smallest are nearly as good as each other.
  public static let first = Family(
    names: ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"],
    benchmarkNames: ["nano-math", "nano-facts"], calibration: "calibration.jsonl", study: nil)

  /// The second family, whose tasks ask for more than its smaller models hold.
  public static let second = Family(
    names: ["nano2-0.2m", "nano2-0.5m", "nano2-1m", "nano2-2.2m"],
    benchmarkNames: ["nano-reckoning", "nano-hops"], calibration: "calibration-nano2.jsonl",
    study: "study-nano2.json")

  /// All that ship.
  public static let families = [first, second]

  /// The models of the first family.
  public static let names = first.names

  /// The model that `nano` alone stands for: the largest.
  public static let defaultName = "nano-4m"

  /// The benchmarks of the first family.
  public static let benchmarkNames = first.benchmarkNames

  /// The family of a model, `nano` for ``defaultName``; nil where the name is unknown.
  public static func family(of name: String) -> Family? {
    families.first { $0.names.contains(name == "nano" ? defaultName : name) }
  }

  /// The Hugging Face folder of a model: `config.json`, `generation_config.json`, tokenizer files
  /// and `model.safetensors` in BF16.
  ///
  /// - Parameters:
  ///   - name: A name of one of the ``families``, or `nano` for ``defaultName``.
  ///   - search: Where to look.
  /// - Returns: The folder, or nil where the name is unknown or the files are not installed.
  public static func directory(
    of name: String, in search: ResourceSearch = ResourceSearch()
  ) -> URL? {
    guard family(of: name) != nil else { return nil }
    return search.url(of: name == "nano" ? defaultName : name, in: package)
  }

  /// The problems of a benchmark, one JSON object a line.
  ///
  /// `question` is the user's message as it is, `answer` the text expected in `\boxed{}` (compare
  /// without blanks around it), `id` is unique; further fields describe the problem.
  ///
  /// - Parameters:
  ///   - name: Of a benchmark of one of the ``families``.
  ///   - search: Where to look.
  /// - Returns: The file, or nil where the name is unknown or the file is not installed.
  public static func benchmark(
    named name: String, in search: ResourceSearch = ResourceSearch()
  ) -> URL? {
    guard families.contains(where: { $0.benchmarkNames.contains(name) }) else { return nil }
    return search.url(of: "\(name).jsonl", in: package)
  }

  /// Text to calibrate quantizers with: 256 lines `{"text": ...}` like a family's training text, in
  /// full chat form, drawn from a seed of their own; nil where the file is not installed.
  public static func calibration(
    for family: Family = first, in search: ResourceSearch = ResourceSearch()
  ) -> URL? {
    search.url(of: family.calibration, in: package)
  }

  /// What a study measured of a family's models, as `study run` wrote it; nil where none ships or the file is not
  /// installed.
  public static func study(of family: Family, in search: ResourceSearch = ResourceSearch()) -> URL?
  {
    family.study.flatMap { search.url(of: $0, in: package) }
  }

  /// The folders in which the files are looked for, in this order.
  public static func searchedFolders(in search: ResourceSearch = ResourceSearch()) -> [URL] {
    search.folders(of: package)
  }

  private static let package = "NanoModels"
}
