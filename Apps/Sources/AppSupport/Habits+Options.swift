extension Habits {
  /// llama.cpp, Ollama, mlx-lm, vLLM, transformers, lm-eval and the hub's own command: what they call
  /// options, and the names here, of which the first that a command has counts; what has no
  /// counterpart says why.
  private static let table: [(words: String, here: [String])] = [
    ("--temp", ["--temperature"]),
    (
      "--n-predict --predict --num-predict --max-new-tokens --max-gen-toks --max-length",
      ["--max-tokens"]
    ),
    ("--num-ctx --n-ctx --max-model-len --context-length -c --ctx-size", ["--ctx-size", context]),
    ("--max-kv-size", ["--kv-evict"]),
    ("-f --file", ["--prompt-file", "--yes"]),
    ("-sys --system-prompt", ["--system"]),
    ("--cache-type-k -ctk", ["--kv-k"]),
    ("--cache-type-v -ctv", ["--kv-v"]),
    ("--kv-bits --kv-cache-dtype", ["--kv"]),
    ("--kv-group-size", ["--kv-group"]),
    ("--quantized-kv-start", ["--kv-residual"]),
    ("--repetition-penalty", ["--repeat-penalty"]),
    (
      "--reverse-prompt -r --extra-eos-token --stop-token --stop-sequence --stop-sequences "
        + "--stop-strings --eos-token --eos",
      ["--stop"]
    ),
    ("--draft-model -md --model-draft --speculative-config --speculative-model", ["--draft"]),
    (
      "--draft-max --draft-min --draft-n --draft-p-min --num-draft-tokens --num-speculative-tokens",
      [proposals]
    ),
    (
      "--hf-repo -hf --hf-path --model-path --pretrained --model-args --model-url -mu",
      ["--model"]
    ),
    ("--hf-file -hff", ["--model org/name:VARIANT"]),
    ("--tasks --task --benchmark --benchmarks --eval-name", ["--bench"]),
    ("--num-fewshot --n-shots --n-shot --few-shot --fewshot", ["--shots"]),
    ("--batch-size", ["--batch", pieces]),
    ("-b", ["--prompt-tokens", "--bits", pieces]),
    ("-ub --ubatch-size --max-num-batched-tokens", ["--prompt-tokens", pieces]),
    ("--output-path --log-path", ["--journal"]),
    ("--apply-chat-template --fewshot-as-multiturn", ["--form chat"]),
    ("--reasoning-budget --think-budget", ["--think-budget", requests]),
    ("--think --thinking --enable-thinking", [thinking]),
    ("--no-think --nothink --disable-thinking", ["--no-thinking", noThought]),
    ("--stream --no-stream", [streaming]),
    ("--deterministic", ["--greedy"]),
    ("--num-beams --beam-size --beams", [beams]),
    ("--image --images --mmproj --audio --video", [textAlone]),
    ("--tools --tool-choice", [tools]),
    ("--q-bits --wbits --w-bit --w-bits --nbits --outtype --quantize", ["--bits"]),
    ("--quantization --load-in-4bit --load-in-8bit", ["--bits", stored]),
    ("--q-group-size --groupsize", ["--group-size"]),
    (
      "-o --out --outfile --outdir --out-dir --output-dir --save-dir --mlx-path",
      ["--output", "--journal", output]
    ),
    ("-q", ["--type"]),
    ("--quant-method", ["--method"]),
    ("--quant-predicate", ["--scheme"]),
    (
      "--num-samples --n-samples --best-of --num-return-sequences --n --k --pass-at --maj --repeats",
      ["--samples", requested]
    ),
    ("--threads-batch -tb --threads-draft -td", ["--threads"]),
    ("--cpu-mask --cpu-range --cpu-strict --prio --poll --threads-http", [placing]),
    (
      "--n-gpu-layers -ngl --gpu-layers -ngld --device -dev --list-devices --main-gpu -mg "
        + "--split-mode -sm --tensor-split -ts --no-kv-offload -nkvo --tensor-parallel-size "
        + "--pipeline-parallel-size --gpu-memory-utilization --swap-space --enforce-eager "
        + "--numa --gpu --gpus --cuda --use-gpu --accelerator --tp",
      [gpu]
    ),
    ("--dtype --torch-dtype", ["--numerics", stored]),
    ("-fa --flash-attn --attn-implementation --attention-backend", [attention]),
    ("--swa-full --keep --context-shift --no-context-shift", [kept]),
    (
      "-cnv --conversation -no-cnv --no-conversation -st --single-turn -i --interactive "
        + "--keepalive",
      [chatting]
    ),
    (
      "--jinja --chat-template --chat-template-file --in-prefix --in-suffix --use-default-chat-template",
      [template]
    ),
    ("--ignore-chat-template", ["--raw"]),
    ("--chat-template-kwargs", [variables]),
    (
      "--reasoning-format --reasoning-parser --enable-reasoning --tool-call-parser "
        + "--enable-auto-tool-choice",
      [parts]
    ),
    (
      "--color --simple-io --log-disable --log-file --log-verbosity -lv --no-perf --no-display-prompt --nowordwrap -v --verbose --no-warmup --quiet --silent --verbosity --debug --disable-log-requests "
        + "--disable-log-stats --uvicorn-log-level",
      [messages]
    ),
    ("--verbose-prompt", ["--show-prompt"]),
    ("--grammar --grammar-file --json-schema -j", [grammar]),
    (
      "--mirostat --samplers --sampling-seq --dry-multiplier --xtc-probability --xtc-threshold --typical --repeat-last-n --dynatemp-range --top-nsigma --top-n-sigma "
        + "--logit-bias",
      [drawing]
    ),
    ("--lora --adapter-path --enable-lora", [adapters]),
    ("--trust-remote-code", [code]),
    (
      "--override-kv --rope-freq-base --rope-freq-scale --rope-scaling --rope-scale --rope-theta --yarn-ext-factor --yarn-orig-ctx --hf-overrides",
      [configured]
    ),
    ("--prompt-cache", [cache]),
    ("--output", ["--journal", output]),
    ("--format", ["--json", output]),
    ("--nsamples --num-calibration-samples --max-samples", ["--limit", "--samples"]),
    ("--seqlen --max-seq-length --sequence-length", ["--length", "--ctx-size", context]),
    ("--context --ctx", ["--ctx-size", context]),
    (
      "--imatrix --dataset --calib --calib-data --calibration-dataset --calibration-file",
      ["--calibration", "--bench"]
    ),
    ("-np --parallel --n-parallel --max-num-seqs", ["--concurrency"]),
    ("-cb --cont-batching --enable-prefix-caching --cache-reuse --cache-prompt", [sharing]),
    ("--served-model-name --alias -a", ["--served-name"]),
    ("--allowed-origins --cors --cors-origins --allow-origin", ["--origin"]),
    ("--listen --bind --address", ["--host"]),
    ("--workers --num-workers", [oneProcess]),
    ("--daemon -d --detach --background", [foreground]),
    ("-p --prompt", ["--port", "--prompt", prompts]),
    ("--rate --qps --request-rate", [rates]),
    ("--num-prompts --num-requests", ["--requests"]),
    (
      "--input-len --output-len --random-input-len --random-output-len -n", [lengths]
    ),
    ("--base-url --url --api-base", ["--endpoint"]),
    ("--model -m --name", ["--model", named]),
    ("--list-tasks --list-benchmarks", ["--list"]),
    ("--list --ls -l", ["--list", listed]),
    ("--api-key-file", [key]),
    ("--metrics --slots --props", [paths]),
    ("--no-webui", [page]),
    ("--embedding --embeddings --rerank --reranking --pooling", [embeddings]),
    ("--ssl-key-file --ssl-cert-file --ssl-keyfile --ssl-certfile", [tls]),
    ("--timeout", ["--idle-seconds"]),
    ("--max-logprobs", [logprobs]),
    ("--log-probs --n-probs", ["--logprobs", logprobs]),
    ("--vram --ram", ["--memory"]),
    ("--log-samples", [journal]),
    ("--gen-kwargs", [generation]),
    ("--generation-config", [file]),
    ("--system-instruction", [definitions]),
    ("--use-cache --resume --continue", [goesOn]),
    ("--include-path", ["--bench FILE.yaml"]),
    ("--write-out --show-config", [shown]),
    ("--predict-only", [regrading]),
    ("--wandb-args --hf-hub-log-args --upload-repo", [nothingSent]),
    ("--upload --push-to-hub", [nothingUploaded]),
    ("--bits", ["--bits", stored]),
    ("--confirm-run-unsafe-code", ["--unsafe-code"]),
    ("--no-mmap --mmap --mlock --load-format", [mapping]),
    ("--check-tensors", [checked]),
    ("--tokenizer --tokenizer-mode", [tokenizer]),
    ("-e --escape", [escapes]),
    ("--revision", [revision]),
    ("--cache-dir --download-dir --local-dir", [places]),
    ("--include --exclude --quant --variant", [files]),
    ("--force-download", [digests]),
    ("--token --hf-token -hft", [token]),
  ]
  static let options = Dictionary(
    table.flatMap { row in row.words.split(separator: " ").map { (String($0), row.here) } },
    uniquingKeysWith: { first, _ in first })

  private static let gpu = "everything is computed by the processor; --threads sets how many"
  private static let context =
    "the context is the model's own; --memory and --max-tokens bound what is used of it"
  private static let pieces = "prompts are run in pieces of a size that is chosen here"
  private static let proposals = "how many tokens are proposed follows from how many are accepted"
  private static let requests = "each request says its own, as thinking_token_budget"
  private static let thinking = "--think-budget bounds the thought, --no-thinking leaves it out"
  private static let noThought = "--think-budget 0, where a thought can be left out, asks for none"
  private static let streaming =
    "'generate' and 'chat' show the text as it comes; a request to 'serve' says stream"
  private static let beams =
    "texts are drawn, without beams; --samples draws several, of which --vote takes the commonest answer"
  private static let textAlone = "texts alone are read"
  private static let tools = "tools stand in a file of --messages, or in a request to 'serve'"
  private static let requested = "a request says n, how many texts it wants"
  private static let oneProcess =
    "one process serves all; --concurrency says how many texts it decodes together"
  private static let foreground =
    "the command stays in the foreground; & or a service manager puts it behind"
  private static let prompts =
    "a prompt stands behind 'generate --prompt'; 'chat' reads what is typed"
  private static let rates = "--mode async finds the highest rate that holds the limits"
  private static let lengths =
    "use cases have their lengths; --scale multiplies them, --use-cases names a file of others"
  private static let named = "names stand by themselves here, without an option"
  private static let stored =
    "weights keep the type in which they are stored; 'quantize' writes others"
  private static let placing =
    "--threads sets how many threads compute; taskset and nice place them"
  private static let kept = "a text keeps its whole context, or what --kv-evict says"
  private static let chatting = "'chat' converses and keeps the model; 'generate' answers once"
  private static let template = "the model's own template is used; --raw goes without"
  private static let variables =
    "--no-thinking, or chat_template_kwargs in a file of --messages or a request"
  private static let parts = "thoughts and calls are told apart by the model's own template"
  private static let messages = "messages go to standard error, so 2>/dev/null hides them"
  private static let grammar = "'serve' keeps texts to a schema, by response_format"
  private static let drawing = "tokens are drawn by temperature, top-k, top-p, min-p and penalties"
  private static let adapters = "adapters are not read; merge them into the weights first"
  private static let code = "no code that comes with a model is ever run"
  private static let configured =
    "that is as the model's config.json has it; a copy of the folder may have another"
  private static let cache =
    "a run keeps nothing for the next; 'chat' and 'serve' keep what they read"
  private static let output = "the text goes to standard output, so > FILE keeps it"
  private static let sharing = "texts share steps, and what their prompts begin with, by themselves"
  private static let key = "BITBUDGET_API_KEY holds the key"
  private static let paths = "/metrics, /health and /memory are always answered"
  private static let page = "the page at / is part of the server"
  private static let embeddings =
    "texts are generated and scored; there are no embeddings and no rankings"
  private static let tls = "there is no TLS; a proxy before the server has it"
  private static let logprobs = "a request may ask for up to 20"
  private static let journal = "every reply is in the journal; 'evaluate show' prints them"
  private static let generation =
    "what it holds are options of their own, such as --temperature and --max-tokens"
  private static let file = "the model's generation_config.json is obeyed, and flags win over it"
  private static let definitions =
    "benchmarks ask as their definitions say; --bench takes one of your own (.yaml)"
  private static let goesOn = "the journal is what a run goes on with; the same command does"
  private static let shown = "'evaluate show' prints questions and replies"
  private static let regrading = "'evaluate regrade' grades stored replies"
  private static let nothingSent = "nothing is sent anywhere; --format json prints every field"
  private static let nothingUploaded =
    "nothing is sent anywhere; a model is a folder that other tools can upload"
  private static let listed = "'models' lists the models, 'evaluate list' the benchmarks"
  private static let attention = "attention never holds the scores of a whole prompt"
  private static let mapping = "how weights are read is chosen by their format"
  private static let checked = "what is read is always checked"
  private static let tokenizer = "the tokenizer is the one in the model's folder"
  private static let escapes = "texts are taken as they are; the shell's $'...' writes line breaks"
  private static let revision = "a revision stands behind the name: org/name@REVISION"
  private static let places =
    "files go into the hub's cache; HF_HOME or HF_HUB_CACHE say where that is"
  private static let files =
    "what a model needs is fetched; org/name:VARIANT chooses among GGUF files"
  private static let digests = "files are compared with the hub's digests; 'rm' removes them"
  private static let token =
    "HF_TOKEN, or the file HF_HOME/token, opens private and gated repositories"
}
