import Crypto
import DecoderModels
import Foundation
import JSON
import TextGeneration

/// Calibration text that a model writes itself: replies to prompts of several kinds in its own
/// template, thoughts included, and texts from the bare start token.
///
/// A quantizer wants activations as they are when the model is at work. A reasoning model is at
/// work in its own thoughts, which no corpus holds (compare LLM-QAT, arXiv:2305.17888, section
/// 3.1). Text `i` is a function of the model, `i` and the seed alone, so that a run that was killed
/// goes on with the same texts, and 8 and 4 bits are calibrated alike.
public struct SelfCalibration: Sendable {
  /// How much is written: at least `sequences` x `tokens` tokens, in texts of at most `tokens`.
  public struct Amount: Sendable, Hashable, CustomStringConvertible {
    /// Texts, where each is as long as it may be.
    public let sequences: Int
    /// Most tokens of a text, its prompt included.
    public let tokens: Int

    /// More than three times the inputs of the widest layer of a 4B model (9728).
    public static let usual = Amount(unchecked: 64, 512)
    /// Tokens in all.
    public var total: Int { sequences * tokens }
    /// The text form, such as `64x512`.
    public var description: String { "\(sequences)x\(tokens)" }

    private init(unchecked sequences: Int, _ tokens: Int) {
      self.sequences = sequences
      self.tokens = tokens
    }

    /// So many texts of so many tokens; nil unless both are 1 to 2^20.
    public init?(sequences: Int, tokens: Int) {
      guard (1...1 << 20).contains(sequences), (1...1 << 20).contains(tokens) else { return nil }
      self.init(unchecked: sequences, tokens)
    }

    /// Reads the text form; nil for anything else.
    public init?(parsing text: some StringProtocol) {
      let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let sequences = parts[0], let tokens = parts[1] else { return nil }
      self.init(sequences: sequences, tokens: tokens)
    }
  }

  /// The model as it is asked.
  public struct Writer {
    /// Generates on the model.
    public let generator: BatchGenerator
    /// Texts generated together.
    public let concurrency: Int

    /// A writer that generates so many texts at a time.
    public init(_ generator: BatchGenerator, concurrency: Int) {
      self.generator = generator
      self.concurrency = concurrency
    }
  }

  /// Told how many tokens of how many there are; says whether to go on.
  public typealias Progress = (_ done: Int, _ total: Int) -> Bool

  /// Texts beyond this many times the amount are not tried, however short the model's texts are.
  private static let mostTexts = 16

  private let amount: Amount
  private let prompts: [(kind: CalibrationPrompts.Kind, ids: [Int32])]
  private let sampling: SamplingOptions
  private let stopTokens: Set<Int32>
  private let seed: UInt64
  /// SHA-256 of everything that decides the texts.
  public let identity: String

  /// What is to be written.
  ///
  /// - Parameters:
  ///   - amount: how much.
  ///   - model: the digest of the model's weights.
  ///   - start: the token that begins a text; nil where the model has none.
  ///   - stopTokens: the tokens that end a text.
  ///   - sampling: how the model's replies are drawn; texts from the start token are drawn from its
  ///     whole distribution.
  ///   - seed: of the random numbers.
  ///   - encode: a prompt in the model's template as token ids.
  /// - Throws: what `encode` throws.
  public init<Failure>(
    _ amount: Amount, model: String, start: Int32?, stopTokens: Set<Int32>,
    sampling: SamplingOptions, seed: UInt64 = 0, encode: (String) throws(Failure) -> [Int32]
  ) throws(Failure) {
    self.amount = amount
    self.sampling = sampling
    self.stopTokens = stopTokens
    self.seed = seed
    var prompts: [(kind: CalibrationPrompts.Kind, ids: [Int32])] = []
    let kinds = CalibrationPrompts.Kind.allCases
    let most = kinds.map { CalibrationPrompts.prompts(of: $0).count }.max() ?? 0
    for index in 0..<most {
      for kind in kinds {
        let texts = CalibrationPrompts.prompts(of: kind)
        if !texts.isEmpty {
          prompts.append((kind, try encode(texts[index % texts.count])))
        } else if let start {
          prompts.append((kind, [start]))
        }
      }
    }
    self.prompts = prompts
    var hash = SHA256()
    let digest = CalibrationText.digest(of: prompts.map(\.ids))
    let stops = stopTokens.sorted().map(String.init).joined(separator: ",")
    for part in [model, digest, "\(amount.tokens)", "\(seed)", "\(sampling)", stops] {
      hash.update(data: Data(part.utf8 + [0]))
    }
    identity = hash.finalize().hexadecimal
  }

  /// The file's name for a model: texts of one length, as many as were asked for so far.
  public func fileName(of model: String) -> String {
    "\(model).self-\(amount.tokens)-\(identity.prefix(8)).jsonl"
  }

  /// The token sequences that the file holds; nil where texts are missing.
  ///
  /// - Throws: `CompressionError.calibration` for a file that cannot be used.
  public func sequences(keptIn file: URL) throws(CompressionError) -> [[Int32]]? {
    let kept = try SelfCalibrationFile(file, identity: identity)
    return missing(kept.texts) == nil ? sufficient(kept.texts) : nil
  }

  /// Has the texts written that the file lacks, which are added to it as they are finished.
  ///
  /// - Parameters:
  ///   - file: where the texts are kept.
  ///   - writer: writes them.
  ///   - text: the text of token ids, for readers of the file.
  ///   - progress: told how far the writing is, and says whether to go on.
  /// - Returns: the token sequences.
  /// - Throws: `CompressionError.calibration` for a file that cannot be used, `.generation`;
  ///   `.stopped` where `progress` said so.
  public func sequences(
    keptIn file: URL, writer: Writer, text: ([Int32]) -> String, progress: Progress
  ) throws(CompressionError) -> [[Int32]] {
    let kept = try SelfCalibrationFile(file, identity: identity)
    while let missing = missing(kept.texts) {
      try write(Array(missing.prefix(writer.concurrency)), writer, kept, text, progress)
    }
    return sufficient(kept.texts)
  }

  /// The first texts that hold the amount together.
  private func sufficient(_ texts: [Int: [Int32]]) -> [[Int32]] {
    var (chosen, total): ([[Int32]], Int) = ([], 0)
    for index in 0..<amount.sequences * Self.mostTexts {
      guard total < amount.total, let ids = texts[index] else { break }
      chosen.append(ids)
      total += ids.count
    }
    return chosen
  }

  /// Texts to write next, by their indices; nil when there is enough.
  private func missing(_ texts: [Int: [Int32]]) -> [Int]? {
    var total = 0
    var wanted: [Int] = []
    for index in 0..<amount.sequences * Self.mostTexts {
      if total >= amount.total { break }
      if texts[index] == nil { wanted.append(index) }
      total += texts[index]?.count ?? amount.tokens
    }
    return wanted.isEmpty ? nil : wanted
  }

  private func write(
    _ indices: [Int], _ writer: Writer, _ file: SelfCalibrationFile, _ text: ([Int32]) -> String,
    _ progress: Progress
  ) throws(CompressionError) {
    let finished = sufficient(file.texts).reduce(0) { $0 + $1.count }
    var requests: [(index: Int, request: GenerationRequest)] = []
    for index in indices {
      let prompt = prompts[index % prompts.count]
      guard prompt.ids.count < amount.tokens else {
        try file.append(index, prompt.kind, Array(prompt.ids.prefix(amount.tokens)), text)
        continue
      }
      requests.append((index, request(index, prompt.kind, prompt.ids)))
    }
    var done = finished
    var run = try wrapping { () throws(GenerationError) in
      try writer.generator.start(requests.map(\.request), concurrency: writer.concurrency)
    }
    while let event = try wrapping({ () throws(GenerationError) in try run.next() }) {
      switch event {
      case .token: done += 1
      case .branched: break
      case .finished(let place, let result):
        let (index, request) = requests[place]
        var ids = request.prompt + result.tokens
        // The end that the model drew is part of what it writes.
        if result.finishReason == .stop, ids.count < amount.tokens, let end = stopTokens.min() {
          ids.append(end)
        }
        try file.append(index, prompts[index % prompts.count].kind, ids, text)
      }
      guard progress(min(done, amount.total), amount.total) else { throw .stopped }
    }
  }

  private func wrapping<Result>(
    _ body: () throws(GenerationError) -> Result
  ) throws(CompressionError) -> Result {
    do { return try body() } catch { throw .generation(error) }
  }

  private func request(
    _ index: Int, _ kind: CalibrationPrompts.Kind, _ prompt: [Int32]
  ) -> GenerationRequest {
    let whole = try? SamplingOptions(temperature: 1)
    return GenerationRequest(
      prompt: prompt, sampling: kind == .start ? whole ?? sampling : sampling,
      random: RandomStream(seed: seed, sample: UInt64(index)),
      maxTokens: amount.tokens - prompt.count, stopTokens: stopTokens)
  }
}
