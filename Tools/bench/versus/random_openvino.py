"""Random-weight OpenVINO models with published dense shapes, weights as NNCF compresses them.

    python random_openvino.py FOLDER 0.6b u8 --layers 4       # prints the path, as JSON

The graph is written so that the processor's plugin finds what it fuses: norms, rotations, products with compressed weights, and
attention over a state. Logits are computed for the tokens that the input `wanted` counts.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from shapes import SHAPES

GROUP = 128  # inputs that share a scale of 4 bits
KINDS = ["bf16", "u8", "i8", "u4", "i4"]
"""Of weights: with a zero point for each scale (u), or codes around zero (i); rows share a scale in 8 bits."""


def constant(data, dimensions, kind):
    """A constant of a type that numpy lacks, from its bytes."""
    return op.constant(ov.Tensor(data.reshape(-1), ov.Shape(dimensions), getattr(ov.Type, kind)), shared_memory=False)


class Weights:
    """Constants at random, as float nodes that the plugin may keep compressed."""

    def __init__(self, kind):
        self.kind, self.random = kind, np.random.default_rng(1)

    def codes(self, kind, dimensions):
        """Codes of 4 or 8 bits."""
        count = math.prod(dimensions) * int(kind[1:]) // 8
        return constant(self.random.integers(0, 256, count, np.uint8), dimensions, kind)

    def matrix(self, dimensions, keeps_eight=False):
        """Rows of outputs. Embeddings and head keep 8 bits where the others have 4, as is NNCF's default."""
        kind = "u8" if keeps_eight and self.kind.endswith("4") else self.kind
        if kind == "bf16":  # sign and mantissa at random, magnitude 1/64 to 1/32
            bits = self.random.integers(0, 1 << 16, dimensions, np.uint16) & np.uint16(0x807F) | np.uint16(0x3C80)
            return op.convert(constant(bits.view(np.uint8), dimensions, "bf16"), "f32")
        rows, inputs = dimensions
        is_grouped = kind.endswith("4")
        shape, scales = ((rows, inputs // GROUP, GROUP), (rows, inputs // GROUP, 1)) if is_grouped else (dimensions, (rows, 1))
        values = op.convert(self.codes(kind, shape), "f16")
        if kind.startswith("u"):
            values = op.subtract(values, op.convert(self.codes(kind, scales), "f16"))
        scale = self.random.uniform(1, 2, scales) / (1 << (8 if is_grouped else 12))
        values = op.multiply(values, op.constant(scale.astype(np.float16)))
        if is_grouped:
            values = op.reshape(values, np.array(dimensions, np.int64), False)
        return op.convert(values, "f32")


def norm(values, width):
    mean = op.reduce_mean(op.power(values, np.float32(2)), np.int64([-1]), True)
    scaled = op.multiply(values, op.divide(np.float32(1), op.sqrt(op.add(mean, np.float32(1e-6)))))
    return op.multiply(scaled, np.ones(width, np.float32))


def cut(values, start, stop):
    return op.slice(values, np.int64([start]), np.int64([stop]), np.int64([1]), np.int64([3]))


def rotate(values, cosine, sine, width):
    half = width // 2
    turned = op.concat([op.multiply(cut(values, half, 2**62), np.float32(-1)), cut(values, 0, half)], -1)
    return op.add(op.multiply(values, cosine), op.multiply(turned, sine))


class Graph:
    """A decoder of dense layers with its state."""

    def __init__(self, shape, kind):
        self.shape, self.weights = shape, Weights(kind)
        self.ids = op.parameter([-1, -1], ov.Type.i64, name="input_ids")
        self.positions = op.parameter([-1, -1], ov.Type.i64, name="position_ids")
        self.beams = op.parameter([-1], ov.Type.i32, name="beam_idx")
        self.wanted = op.parameter([-1], ov.Type.i64, name="wanted")
        self.assigned = []

    def product(self, values, dimensions):
        return op.matmul(values, self.weights.matrix(dimensions), False, True)

    def heads(self, values, count):
        return op.reshape(values, np.int64([0, 0, count, self.shape.head_dimension]), True)

    def angles(self):
        """Cosine and sine of each position: [sequences, 1, tokens, width of a head]."""
        width = self.shape.head_dimension
        pace = (1e6 ** (-np.arange(0, width, 2) / width)).astype(np.float32).reshape(1, -1, 1)
        turns = op.matmul(op.constant(pace), op.convert(op.unsqueeze(self.positions, np.int64(1)), "f32"), False, False)
        turns = op.transpose(turns, np.int64([0, 2, 1]))
        turns = op.concat([turns, turns], -1)
        return [op.unsqueeze(part, np.int64(1)) for part in (op.cos(turns), op.sin(turns))]

    def kept(self, name, values):
        """What the state holds of all tokens, the new ones included."""
        kv, width = self.shape.kv_heads, self.shape.head_dimension
        sequences = op.gather(op.shape_of(self.ids), np.int64([0]), np.int64(0))
        empty = op.broadcast(np.float32(0), op.concat([sequences, np.int64([kv, 0, width])], 0))
        past = op.read_value(empty, name, ov.Type.f32, ov.PartialShape([-1, kv, -1, width]))
        full = op.concat([op.gather(past, self.beams, np.int64(0)), values], 2)
        self.assigned.append(op.assign(full, name))
        each = self.shape.heads // kv
        many = op.broadcast(op.unsqueeze(full, np.int64(2)), np.int64([1, 1, each, 1, 1]), broadcast_spec="BIDIRECTIONAL")
        return op.reshape(many, np.int64([0, self.shape.heads, -1, width]), True)

    def attention(self, values, layer, angles):
        shape = self.shape
        width, kv, order = shape.head_dimension, shape.kv_heads, np.int64([0, 2, 1, 3])
        parts = {}
        for name, count in [("q", shape.heads), ("k", kv), ("v", kv)]:
            part = self.heads(self.product(values, (count * width, shape.hidden)), count)
            part = part if name == "v" else norm(part, width)
            part = op.transpose(part, order)
            parts[name] = part if name == "v" else rotate(part, *angles, width)
        keys, held = [self.kept(f"past_key_values.{layer}.{name}", parts[part])
                      for name, part in (("key", "k"), ("value", "v"))]
        found = op.scaled_dot_product_attention(parts["q"], keys, held, np.float32(0), causal=True)
        found = op.reshape(op.transpose(found, order), np.int64([0, 0, shape.heads * width]), True)
        return self.product(found, (shape.hidden, shape.heads * width))

    def feed_forward(self, values):
        shape = self.shape
        gate = op.swish(self.product(values, (shape.intermediate, shape.hidden)))
        inner = op.multiply(gate, self.product(values, (shape.intermediate, shape.hidden)))
        return self.product(inner, (shape.hidden, shape.intermediate))

    def model(self):
        shape = self.shape
        head = self.weights.matrix((shape.vocabulary, shape.hidden), keeps_eight=True)
        values = op.gather(head, op.convert(self.ids, "i32"), np.int64(0))
        angles = self.angles()
        for layer in range(shape.layers):
            values = op.add(values, self.attention(norm(values, shape.hidden), layer, angles))
            values = op.add(values, self.feed_forward(norm(values, shape.hidden)))
        rows = op.reshape(norm(values, shape.hidden), np.int64([-1, shape.hidden]), False)
        rows = op.gather(rows, self.wanted, np.int64(0))
        logits = op.result(op.matmul(rows, head, False, True))
        logits.output(0).get_tensor().set_names({"logits"})
        parameters = [self.ids, self.positions, self.beams, self.wanted]
        for parameter in parameters:
            parameter.output(0).get_tensor().set_names({parameter.get_friendly_name()})
        return ov.Model([logits], self.assigned, parameters, "decoder")


def model_file(folder, name, kind, layers):
    """The file of one type, made when it is not there yet."""
    shape = SHAPES[name].cut(layers)
    path = folder / f"{name}-{shape.layers}-layers-{kind}.xml"
    if not path.exists():
        partial = path.with_suffix(".partial.xml")
        ov.save_model(Graph(shape, kind).model(), partial, compress_to_fp16=False)
        partial.with_suffix(".bin").rename(path.with_suffix(".bin"))
        partial.rename(path)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape", choices=[name for name, shape in SHAPES.items() if shape.is_dense])
    parser.add_argument("type", choices=KINDS)
    parser.add_argument("--layers", type=int, help="where fewer than the shape has")
    options = parser.parse_args()
    print(json.dumps(str(model_file(options.folder, options.shape, options.type, options.layers))))


if __name__ == "__main__":
    main()
