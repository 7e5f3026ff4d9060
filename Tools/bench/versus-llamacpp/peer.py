"""Times llama.cpp on one GGUF file; one JSON object a case on standard output.

    python peer.py MODEL.gguf --threads 2 --kv f16 --depth 4096 --prompt 512 --tokens 16 --batch 1
"""

import argparse
import ctypes
import json
import statistics
import time

import llama_cpp as llama

CACHE_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}


@llama.llama_log_callback
def ignore_log(level, text, data):
    pass


class Context:
    def __init__(self, model, cases):
        options = llama.llama_context_default_params()
        options.n_ctx = cases.depth + cases.prompt + cases.batch * (cases.tokens + 8) + 64
        options.n_batch = options.n_ubatch = max(cases.prompt, 512)
        options.n_seq_max = cases.batch
        options.kv_unified = cases.batch > 1
        options.n_threads = options.n_threads_batch = cases.threads
        options.type_k = options.type_v = CACHE_TYPES[cases.kv]
        options.flash_attn_type = 1
        options.no_perf = True
        self.context = llama.llama_init_from_model(model, options)
        self.memory = llama.llama_get_memory(self.context)
        self.batch = llama.llama_batch_init(options.n_batch, 0, 1)

    def decode(self, tokens):
        """tokens: (position, sequence, whether its logits are wanted)"""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for index, (position, sequence, wanted) in enumerate(tokens):
            batch.token[index] = (position * 37 + sequence) % 1000
            batch.pos[index], batch.logits[index] = position, wanted
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, sequence
        if llama.llama_decode(self.context, batch):
            raise SystemExit("llama.cpp could not decode")
        llama.llama_synchronize(self.context)

    def feed(self, start, count):
        """Positions start..<start + count of sequence 0, logits for the last of them."""
        for first in range(start, start + count, 512):
            last = min(first + 512, start + count)
            self.decode([(position, 0, position == last - 1) for position in range(first, last)])

    def cut(self, depth, sequences):
        for sequence in range(sequences):
            llama.llama_memory_seq_rm(self.memory, sequence, depth, -1)


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kv", choices=CACHE_TYPES, default="f16")
    for name, value in [("depth", 0), ("prompt", 512), ("tokens", 16), ("batch", 1), ("repetitions", 3)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    cases = parser.parse_args()

    llama.llama_log_set(ignore_log, ctypes.c_void_p(0))
    llama.llama_backend_init()
    parameters = llama.llama_model_default_params()
    parameters.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(cases.model.encode(), parameters)
    if not model:
        raise SystemExit(f"{cases.model}: llama.cpp could not load it")
    context = Context(model, cases)
    context.feed(0, cases.depth)
    sequences = range(cases.batch)
    for sequence in sequences[1:]:
        llama.llama_memory_seq_cp(context.memory, 0, sequence, -1, -1)

    def prompt():
        context.feed(cases.depth, cases.prompt)

    def generate():
        for step in range(cases.tokens):
            context.decode([(cases.depth + step, sequence, True) for sequence in sequences])

    times = {"prompt": [], "generate": []}
    for name, work in [("prompt", prompt), ("generate", generate)]:
        for repetition in range(cases.repetitions + 1):  # the first one warms up
            context.cut(cases.depth, cases.batch)
            seconds = timed(work)
            if repetition:
                times[name].append(seconds)
    print(json.dumps({
        "prompt_tokens_per_second": cases.prompt / statistics.median(times["prompt"]),
        "tokens_per_second": cases.tokens * cases.batch / statistics.median(times["generate"]),
    }))


if __name__ == "__main__":
    main()
