"""Forward passes of the model families in NumPy float64, written from their published definitions and from nothing of this project.

`logits(config, tensors, tokens)` gives [tokens, vocabulary]: `config` is what config.json holds, `tensors` are arrays by their names
in the checkpoint. Activations are [tokens, features] and matrices [out, in] throughout.
"""

import math

import numpy


def logits(config, tensors, tokens, gaps=None):
    """Logits of every position, float64; `gaps` gains how far a router's scores of the last expert chosen and the first that is not
    lie apart."""
    model = FAMILIES[config["model_type"]](config, {name: array.astype(numpy.float64) for name, array in tensors.items()})
    result = model.logits(numpy.asarray(tokens))
    if gaps is not None:
        gaps += model.gaps
    return result


def rms_norm(x, weight, epsilon):
    return weight * x / numpy.sqrt(numpy.mean(x * x, axis=-1, keepdims=True) + epsilon)


def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(axis=-1, keepdims=True)
    return weight * centred / numpy.sqrt(numpy.mean(centred * centred, axis=-1, keepdims=True) + epsilon) + bias


def silu(x):
    return x / (1 + numpy.exp(-x))


def gelu(x):
    """The exact form, with the error function."""
    return 0.5 * x * (1 + numpy.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def attention(q, k, v, window=None, bias=0):
    """Causal attention: q [tokens, heads, d], k and v [tokens, KV heads, d]; a token sees the last `window`, itself included; `bias`
    [heads, 1, tokens] is added to the scaled scores."""
    tokens, heads, d = q.shape
    k, v = (numpy.repeat(x, heads // x.shape[1], axis=1) for x in (k, v))
    scores = numpy.einsum("ihd,jhd->hij", q, k) / math.sqrt(d) + bias
    seen = numpy.tri(tokens, dtype=bool)
    if window:
        seen &= ~numpy.tri(tokens, k=-window, dtype=bool)
    scores = numpy.where(seen, scores, -numpy.inf)
    weights = numpy.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return numpy.einsum("hij,jhd->ihd", weights, v).reshape(tokens, heads * d)


def bfloat16(x):
    """The nearest numbers with eight bits."""
    exponents = numpy.floor(numpy.log2(numpy.maximum(numpy.abs(x), 1e-30)))
    step = 2.0 ** (exponents - 7)
    return numpy.round(x / step) * step


def alibi(heads, tokens):
    """What the position of a key adds to each head's scores, [heads, 1, tokens], in bfloat16 as Falcon has it; `heads` is a power of
    two."""
    slopes = 2.0 ** (-8.0 / heads * numpy.arange(1, heads + 1))
    return bfloat16(bfloat16(slopes)[:, None, None] * bfloat16(numpy.arange(tokens).astype(float)))


def rotary_frequencies(d, theta, scaling):
    """Frequencies of the pairs of a head [d / 2], and the factor of cosine and sine."""
    frequencies = theta ** (-numpy.arange(0, d, 2) / d)
    kind = (scaling or {}).get("rope_type", "default")
    if kind == "default":
        return frequencies, 1.0
    factor, original = scaling["factor"], scaling["original_max_position_embeddings"]
    if kind == "llama3":
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        share = numpy.clip((original * frequencies / (2 * math.pi) - low) / (high - low), 0, 1)
        return (1 - share) * frequencies / factor + share * frequencies, 1.0
    assert kind == "yarn", kind

    def dimension(rotations):
        return d * math.log(original / (2 * math.pi * rotations)) / (2 * math.log(theta))

    low, high = max(math.floor(dimension(32)), 0), min(math.ceil(dimension(1)), d - 1)
    ramp = numpy.clip((numpy.arange(d // 2) - low) / (high - low), 0, 1)
    return frequencies / factor * ramp + frequencies * (1 - ramp), 0.1 * math.log(factor) + 1


def rotate(x, theta, scaling=None):
    """Rotary positions, halves of a head paired: x [tokens, heads, d]."""
    tokens, _, d = x.shape
    frequencies, factor = rotary_frequencies(d, theta, scaling)
    angles = numpy.arange(tokens)[:, None] * frequencies
    cosine, sine = factor * numpy.cos(angles)[:, None], factor * numpy.sin(angles)[:, None]
    first, second = x[..., : d // 2], x[..., d // 2:]
    return numpy.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


class Model:
    """What all families share: tensors by name, linear layers with an optional bias."""

    def __init__(self, config, tensors):
        self.config, self.tensors, self.gaps = config, tensors, []

    def linear(self, name, x):
        y = x @ self.tensors[name + ".weight"].T
        return y + self.tensors[name + ".bias"] if name + ".bias" in self.tensors else y

    def norm(self, name, x, epsilon):
        return layer_norm(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"], epsilon)


class Llama(Model):
    """Llama, Mistral, Qwen2 and Qwen3: pre-norm blocks with RMS norms, rotary positions and a gated feed-forward, or experts. Biases are
    added where there are any, and queries and keys normalized where there are norms for them."""

    def logits(self, tokens):
        config, tensors = self.config, self.tensors
        epsilon, theta, scaling = config["rms_norm_eps"], config["rope_theta"], config.get("rope_scaling")
        heads = config["num_attention_heads"]
        d = config.get("head_dim") or config["hidden_size"] // heads
        x = tensors["model.embed_tokens.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            block = f"model.layers.{layer}."
            a = rms_norm(x, tensors[block + "input_layernorm.weight"], epsilon)
            q, k, v = (self.linear(block + f"self_attn.{name}_proj", a).reshape(len(tokens), -1, d) for name in "qkv")
            if block + "self_attn.q_norm.weight" in tensors:
                q = rms_norm(q, tensors[block + "self_attn.q_norm.weight"], epsilon)
                k = rms_norm(k, tensors[block + "self_attn.k_norm.weight"], epsilon)
            window = config.get("sliding_window") if config["model_type"] == "mistral" else None
            mixed = attention(rotate(q, theta, scaling), rotate(k, theta, scaling), v, window)
            x = x + self.linear(block + "self_attn.o_proj", mixed)
            a = rms_norm(x, tensors[block + "post_attention_layernorm.weight"], epsilon)
            x = x + self.feed(block + "mlp.", a)
        head = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
        return rms_norm(x, tensors["model.norm.weight"], epsilon) @ tensors[head].T

    def feed(self, part, a):
        if part + "gate.weight" not in self.tensors:
            gated = silu(self.linear(part + "gate_proj", a)) * self.linear(part + "up_proj", a)
            return self.linear(part + "down_proj", gated)
        # The likeliest experts of each token, weighed by their probabilities among all, or among themselves.
        count, scores = self.config["num_experts_per_tok"], self.linear(part + "gate", a)
        order = numpy.argsort(-scores, axis=-1)
        ranked = numpy.take_along_axis(scores, order, axis=-1)
        self.gaps += list(ranked[:, count - 1] - ranked[:, count])
        weights = numpy.exp(scores - ranked[:, :1])
        if self.config["norm_topk_prob"]:
            numpy.put_along_axis(weights, order[:, count:], 0, axis=-1)
        weights /= weights.sum(axis=-1, keepdims=True)
        y = numpy.zeros_like(a)
        for expert in range(scores.shape[-1]):
            rows = (order[:, :count] == expert).any(axis=-1)
            y[rows] += weights[rows, expert, None] * self.feed(f"{part}experts.{expert}.", a[rows])
        return y


class OPT(Model):
    """OPT: learned positions from row 2 on, layer norms before or after each half of a block, ReLU, a tied head."""

    EPSILON = 1e-5

    def logits(self, tokens):
        config, tensors, root = self.config, self.tensors, "model.decoder."
        heads, d = config["num_attention_heads"], config["hidden_size"] // config["num_attention_heads"]
        is_pre = config["do_layer_norm_before"]
        x = tensors[root + "embed_tokens.weight"][tokens]
        if root + "project_in.weight" in tensors:
            x = self.linear(root + "project_in", x)
        x = x + tensors[root + "embed_positions.weight"][numpy.arange(len(tokens)) + 2]
        for layer in range(config["num_hidden_layers"]):
            block = f"{root}layers.{layer}."

            def half(x, norm, body):
                if is_pre:
                    return x + body(self.norm(block + norm, x, self.EPSILON))
                return self.norm(block + norm, x + body(x), self.EPSILON)

            def attend(a):
                q, k, v = (self.linear(block + f"self_attn.{name}_proj", a).reshape(-1, heads, d) for name in "qkv")
                return self.linear(block + "self_attn.out_proj", attention(q, k, v))

            x = half(x, "self_attn_layer_norm", attend)
            x = half(x, "final_layer_norm", lambda a: self.linear(
                block + "fc2", numpy.maximum(self.linear(block + "fc1", a), 0)))
        if is_pre:
            x = self.norm(root + "final_layer_norm", x, self.EPSILON)
        if root + "project_out.weight" in tensors:
            x = self.linear(root + "project_out", x)
        return x @ tensors[root + "embed_tokens.weight"].T


class Falcon(Model):
    """Falcon: attention and feed-forward side by side (7B: one norm, one KV head; 40B: two norms, grouped KV heads) or one after the
    other with ALiBi (RW), exact GELU, a tied head. ALiBi is published as (q k + slope j) / sqrt(d); transformers adds it to the
    scaled scores, and so do we."""

    def logits(self, tokens):
        config, tensors = self.config, self.tensors
        epsilon = config["layer_norm_epsilon"]
        x = tensors["transformer.word_embeddings.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            block = f"transformer.h.{layer}."
            if config["new_decoder_architecture"]:
                x = (x + self.mix(block, self.norm(block + "ln_attn", x, epsilon))
                     + self.feed(block, self.norm(block + "ln_mlp", x, epsilon)))
            elif not config["parallel_attn"]:
                x = x + self.mix(block, self.norm(block + "input_layernorm", x, epsilon))
                x = x + self.feed(block, self.norm(block + "post_attention_layernorm", x, epsilon))
            else:
                a = self.norm(block + "input_layernorm", x, epsilon)
                x = x + self.mix(block, a) + self.feed(block, a)
        x = self.norm("transformer.ln_f", x, epsilon)
        return x @ tensors["transformer.word_embeddings.weight"].T

    def feed(self, block, a):
        return self.linear(block + "mlp.dense_4h_to_h", gelu(self.linear(block + "mlp.dense_h_to_4h", a)))

    def mix(self, block, a):
        config, heads = self.config, self.config["num_attention_heads"]
        d, tokens = config["hidden_size"] // heads, len(a)
        fused = self.linear(block + "self_attention.query_key_value", a).reshape(tokens, -1, d)
        if config["new_decoder_architecture"]:
            groups = config["num_kv_heads"]  # the rows of each: its queries, a key, a value
            fused = fused.reshape(tokens, groups, heads // groups + 2, d)
            q, k, v = fused[:, :, :-2].reshape(tokens, heads, d), fused[:, :, -2], fused[:, :, -1]
        elif config["multi_query"]:
            q, k, v = fused[:, :heads], fused[:, heads:heads + 1], fused[:, heads + 1:]
        else:
            q, k, v = fused[:, 0::3], fused[:, 1::3], fused[:, 2::3]
        if config["alibi"]:
            return self.linear(block + "self_attention.dense", attention(q, k, v, bias=alibi(heads, tokens)))
        return self.linear(block + "self_attention.dense", attention(rotate(q, 10000.0), rotate(k, 10000.0), v))


class Qwen35(Model):
    """Qwen3.5: layers of linear attention (Gated DeltaNet, token by token) among layers that attend, with a gate behind the
    attention, rotary positions in a part of each head, and norms whose weights are stored less 1. Of a model that sees images the
    text model alone."""

    def __init__(self, config, tensors):
        outer = config.get("tie_word_embeddings", False)
        text = config.get("text_config", config)
        self.root = "model.language_model." if "text_config" in config else "model."
        super().__init__(text | {"tie_word_embeddings": outer}, tensors)

    def unit_norm(self, name, x):
        return rms_norm(x, 1 + self.tensors[name + ".weight"], self.config["rms_norm_eps"])

    def logits(self, tokens):
        config, root = self.config, self.root
        x = self.tensors[root + "embed_tokens.weight"][tokens]
        for layer, kind in enumerate(config["layer_types"]):
            block = f"{root}layers.{layer}."
            a = self.unit_norm(block + "input_layernorm", x)
            x = x + (self.attend(block + "self_attn.", a) if kind == "full_attention" else self.recur(block + "linear_attn.", a))
            a = self.unit_norm(block + "post_attention_layernorm", x)
            gated = silu(self.linear(block + "mlp.gate_proj", a)) * self.linear(block + "mlp.up_proj", a)
            x = x + self.linear(block + "mlp.down_proj", gated)
        head = root + "embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
        return self.unit_norm(root + "norm", x) @ self.tensors[head].T

    def attend(self, block, a):
        d, tokens, rope = self.config["head_dim"], len(a), self.config["rope_parameters"]
        both = self.linear(block + "q_proj", a).reshape(tokens, -1, 2 * d)
        q, gate = self.unit_norm(block + "q_norm", both[..., :d]), both[..., d:]
        k = self.unit_norm(block + "k_norm", self.linear(block + "k_proj", a).reshape(tokens, -1, d))
        v = self.linear(block + "v_proj", a).reshape(tokens, -1, d)
        turned = int(d * rope["partial_rotary_factor"])
        q, k = (numpy.concatenate([rotate(x[..., :turned], rope["rope_theta"]), x[..., turned:]], axis=-1) for x in (q, k))
        return self.linear(block + "o_proj", attention(q, k, v) / (1 + numpy.exp(-gate.reshape(tokens, -1))))

    def recur(self, block, a):
        config, tokens = self.config, len(a)
        keys, values = config["linear_num_key_heads"], config["linear_num_value_heads"]
        dk, dv, taps = config["linear_key_head_dim"], config["linear_value_head_dim"], config["linear_conv_kernel_dim"]
        mixed, z, b, decay = (self.linear(block + f"in_proj_{name}", a) for name in ("qkv", "z", "b", "a"))
        padded = numpy.concatenate([numpy.zeros((taps - 1, mixed.shape[1])), mixed])
        kernel = self.tensors[block + "conv1d.weight"][:, 0]
        mixed = silu(sum(kernel[:, j] * padded[j:j + tokens] for j in range(taps)))
        q, k = (x.reshape(tokens, keys, dk) for x in (mixed[:, :keys * dk], mixed[:, keys * dk:2 * keys * dk]))
        q, k = (numpy.repeat(x / numpy.sqrt((x * x).sum(axis=-1, keepdims=True) + 1e-6), values // keys, axis=1) for x in (q, k))
        q, v = q / math.sqrt(dk), mixed[:, 2 * keys * dk:].reshape(tokens, values, dv)
        strength = 1 / (1 + numpy.exp(-b))
        kept = numpy.exp(-numpy.exp(self.tensors[block + "A_log"]) * numpy.log1p(numpy.exp(decay + self.tensors[block + "dt_bias"])))
        state, out = numpy.zeros((values, dk, dv)), []
        for t in range(tokens):
            state = kept[t][:, None, None] * state
            error = strength[t][:, None] * (v[t] - numpy.einsum("hkv,hk->hv", state, k[t]))
            state = state + numpy.einsum("hk,hv->hkv", k[t], error)
            out.append(numpy.einsum("hkv,hk->hv", state, q[t]))
        out = rms_norm(numpy.stack(out), self.tensors[block + "norm.weight"], config["rms_norm_eps"])
        return self.linear(block + "out_proj", (out * silu(z.reshape(tokens, values, dv))).reshape(tokens, -1))


FAMILIES = {"llama": Llama, "mistral": Llama, "qwen2": Llama, "qwen3": Llama, "qwen3_moe": Llama, "opt": OPT, "falcon": Falcon,
            "qwen3_5": Qwen35, "qwen3_5_text": Qwen35}
