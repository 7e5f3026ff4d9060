"""Times OpenVINO on one model: once for each line of input, one JSON object each on standard output.

    yes "" | head -3 | python openvino_peer.py MODEL.xml --threads 2 --depth 4096 --prompt 512 --tokens 16 --batch 1

The model's attention is made paged, as OpenVINO's own server has it: sequences share the blocks of what they have in common. Keys
and values are held as it does by itself, in 8 bits.
"""

import argparse
import itertools
import json
import sys
import time

import numpy as np
import openvino as ov
from openvino._offline_transformations import paged_attention_transformation

WHOLE = str(2**64 - 1)  # of a group as large as the weights allow
CHUNK = 512  # tokens of a prompt that are computed at once


def compiled(model, cases):
    options = {"INFERENCE_NUM_THREADS": cases.threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
    if cases.precision:
        options["INFERENCE_PRECISION_HINT"] = cases.precision
    if cases.group:
        options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = WHOLE if cases.group == "max" else cases.group
    found = ov.Core().compile_model(model, "CPU", options)
    if cases.precision and found.get_property("INFERENCE_PRECISION_HINT") != getattr(ov.Type, cases.precision):
        raise SystemExit(f"OpenVINO does not compute in {cases.precision} on this processor")
    return found


def tokens(sequence, start, count):
    return (np.arange(start, start + count, dtype=np.int64) * 37 + sequence) % 1000


class Paged:
    """Sequences over blocks of keys and values: those of what all of them begin with once."""

    def __init__(self, model, cases):
        paged_attention_transformation(model)
        compiled_model = compiled(model, cases)
        self.request = compiled_model.create_infer_request()
        caches = {name: port for port in compiled_model.inputs for name in port.get_names() if "_cache." in name}
        size = caches["value_cache.0"].partial_shape[2].get_length()  # of a block; keys may have their scales below its tokens
        self.common = cases.depth // size * size
        shared = self.common // size
        own = -(-(cases.depth - self.common + max(cases.prompt, cases.tokens)) // size)
        self.tables = [[*range(shared), *range(shared + own * index, shared + own * (index + 1))] for index in range(cases.batch)]
        self.size = size
        for name, port in caches.items():
            shape = [shared + own * cases.batch] + [length.get_length() for length in list(port.partial_shape)[1:]]
            self.request.set_tensor(name, ov.Tensor(port.element_type, ov.Shape(shape)))

    def fill(self, depth):
        """Lets all sequences hold their first tokens."""
        self.feed(0, 0, self.common)
        for sequence in range(len(self.tables)):
            self.feed(sequence, self.common, depth - self.common)

    def feed(self, sequence, start, count):
        for first in range(start, start + count, CHUNK):
            self.step([sequence], first, min(CHUNK, start + count - first))

    def step(self, sequences, start, count):
        """The next tokens of some sequences that are equally long; logits for the last of each."""
        lengths, blocks = [count] * len(sequences), -(-(start + count) // self.size)
        tables = [self.tables[sequence][:blocks] for sequence in sequences]
        begins = np.cumsum([0, *lengths]).astype(np.int32)
        self.request.infer({
            "input_ids": np.concatenate([tokens(sequence, start, count) for sequence in sequences]),
            "position_ids": np.concatenate([np.arange(start, start + count)] * len(sequences)),
            "wanted": begins[1:].astype(np.int64) - 1,
            "past_lens": np.int32([start] * len(sequences)), "subsequence_begins": begins,
            "block_indices": np.int32(list(itertools.chain(*tables))),
            "block_indices_begins": np.cumsum([0, *map(len, tables)]).astype(np.int32),
            "max_context_len": np.array(start + count, np.int32),
        }, share_inputs=True)
        return self.request.get_tensor("logits").data


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--precision", choices=["bf16", "f32"], help="of what is computed; OpenVINO's own choice unless given")
    parser.add_argument("--group", help="of activations that share a scale of 8 bits: their number, 0 (none are rounded) or max")
    parser.add_argument("--threads", type=int, default=2)
    for name, value in [("depth", 0), ("prompt", 512), ("tokens", 16), ("batch", 1)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    cases = parser.parse_args()

    texts = Paged(ov.Core().read_model(cases.model), cases)
    texts.fill(cases.depth)

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    def prompt(count):
        texts.feed(0, cases.depth, count)

    def generate(count):
        for step in range(count):
            texts.step(range(cases.batch), cases.depth + step, 1)

    prompt(cases.prompt)  # warms up: what is made for a shape is made when it is first met
    generate(2)
    for _ in sys.stdin:
        print(json.dumps({
            "prompt_tokens_per_second": cases.prompt / seconds(lambda: prompt(cases.prompt)),
            "tokens_per_second": cases.tokens * cases.batch / seconds(lambda: generate(cases.tokens)),
        }), flush=True)


if __name__ == "__main__":
    main()
