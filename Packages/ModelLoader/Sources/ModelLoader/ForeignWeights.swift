import Foundation

/// Files in a model folder that hold weights, but not as `model.safetensors` or shards with their
/// index.
struct ForeignWeights {
  /// One way of keeping weights in files that is known by name alone.
  private struct Kind: Sendable {
    let name: String
    /// Whether a file of this name is of the kind.
    let holds: @Sendable (String) -> Bool
    /// What works instead, for a folder and its files of the kind.
    let advice: @Sendable (_ folder: String, _ files: [String]) -> String

    init(
      _ name: String, _ holds: @escaping @Sendable (String) -> Bool,
      _ advice: @escaping @Sendable (_ folder: String, _ files: [String]) -> String
    ) {
      self.name = name
      self.holds = holds
      self.advice = advice
    }
  }

  private static let original =
    "Fetch the safetensors files of the same model: `bitbudget pull ORG/NAME`, then "
    + "`--model ORG/NAME`"

  /// What serves best comes first.
  private static let kinds = [
    Kind("a GGUF model", { $0.hasSuffix(".gguf") }) { folder, files in
      "Give the file instead of the folder: `--model \(quoted(folder + "/" + (files.first ?? "")))`"
    },
    Kind("an adapter without its base model", isAdapter) { folder, _ in
      "Merge it first: `python3 -c \"from peft import AutoPeftModelForCausalLM as M; "
        + "M.from_pretrained('\(folder)').merge_and_unload().save_pretrained('\(folder)-merged')\"`, then "
        + "`--model \(quoted(folder + "-merged"))`"
    },
    Kind("safetensors without \(ShardIndex.fileName)", isSafetensors) { folder, files in
      files.count == 1 && !files[0].contains("-of-")
        ? "If \(files[0]) is the whole model, `mv \(quoted(folder + "/" + files[0])) "
          + "\(quoted(folder + "/" + WeightFiles.singleFile))`"
        : "Fetch the model with its index, which says what is in which file: `bitbudget pull "
          + "ORG/NAME`, then `--model ORG/NAME`"
    },
    Kind("PyTorch weights", isPyTorch) { folder, _ in
      original
        + "; or write them with `python3 -c \"from transformers import AutoModelForCausalLM as M; "
        + "M.from_pretrained('\(folder)').save_pretrained('\(folder)-safetensors')\"`, then "
        + "`--model \(quoted(folder + "-safetensors"))`"
    },
    Kind("ONNX weights", { hasSuffix($0, [".onnx", ".onnx_data", ".ort"]) }) { _, _ in original },
    Kind(
      "TensorFlow, Flax or Core ML weights",
      {
        hasSuffix($0, [".h5", ".msgpack", ".tflite", ".mlmodel", ".mlpackage", ".mlmodelc", ".ot"])
      }
    ) { _, _ in original },
    Kind("NumPy arrays", { hasSuffix($0, [".npz", ".npy"]) }) { _, _ in original },
  ]

  /// What is there and what works instead; nil for a folder without such files.
  static func explanation(in folder: String) -> String? {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    for kind in kinds {
      let files = names.filter(kind.holds)
      guard !files.isEmpty else { continue }
      let more = files.count > 3 ? " and \(files.count - 3) more" : ""
      return
        "holds \(kind.name) (\(files.prefix(3).joined(separator: ", "))\(more)), which cannot be read "
        + "as a model folder. \(kind.advice(folder, files))"
    }
    return nil
  }

  private static func hasSuffix(_ name: String, _ suffixes: [String]) -> Bool {
    suffixes.contains { name.hasSuffix($0) }
  }

  private static func isAdapter(_ name: String) -> Bool {
    [
      "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin",
      "adapters.safetensors",
    ]
    .contains(name)
  }

  private static func isSafetensors(_ name: String) -> Bool {
    hasSuffix(name, [".safetensors", ".safetensors" + ZstdShard.suffix]) && !isAdapter(name)
  }

  private static func isPyTorch(_ name: String) -> Bool {
    // What trainers leave beside a model.
    let others = [
      "training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scaler.pt",
    ]
    return hasSuffix(name, [".bin", ".pt", ".pth", ".ckpt"]) && !others.contains(name)
      && !name.hasPrefix("rng_state")
  }

  /// A path as a shell takes it.
  private static func quoted(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "/._-+=:,@~".utf8.contains(byte)
    }
    return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
  }
}
