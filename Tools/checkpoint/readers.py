"""What the codes and scales of a quantized checkpoint stand for, by the words of the two formats' documents."""

import numpy


def unpack(words, bits, count):
    """The first `count` fields of `bits` bits along the last axis of int32 words, least significant first."""
    stream = numpy.unpackbits(words.astype("<u4").view(numpy.uint8), axis=-1, bitorder="little")
    fields = stream[..., : count * bits].reshape(*stream.shape[:-1], count, bits)
    return fields.astype(numpy.int32) @ (1 << numpy.arange(bits))


def gptq(parts, bits):
    """`[out, in]` of a GPTQ layer, version 1: codes packed along the inputs, zero points stored minus one."""
    index, scales = parts["g_idx"], parts["scales"].astype(numpy.float32)
    codes = unpack(numpy.ascontiguousarray(parts["qweight"].T), bits, len(index))
    zeros = unpack(parts["qzeros"], bits, scales.shape[1]) + 1
    return scales.T[:, index] * (codes - zeros.T[:, index]).astype(numpy.float32)


def pack_quantized(parts, bits):
    """`[out, in]` of a compressed-tensors layer, symmetric: codes packed along the inputs, the middle code is zero."""
    rows, columns = parts["weight_shape"]
    codes = unpack(parts["weight_packed"], bits, columns) - (1 << bits - 1)
    scales = parts["weight_scale"].astype(numpy.float32)
    group = -(-columns // scales.shape[1]) if scales.shape[1] > 1 else columns
    return numpy.repeat(scales, group, axis=1)[:, :columns] * codes.astype(numpy.float32)


def eight_bits(parts, bits):
    """`[out, in]` of a compressed-tensors layer of 8-bit integers or floats, which lie one a byte beside a scale a row."""
    return parts["weight"].astype(numpy.float32) * parts["weight_scale"].astype(numpy.float32)


# The tensor that every layer of a format has, and its reader; of several that are there the first counts.
FORMATS = {"qweight": gptq, "weight_packed": pack_quantized, "weight_scale": eight_bits}


def dense(tensors, bits):
    """A checkpoint's tensors with every quantized layer as the `weight` it stands for."""
    result, layers = {}, {}
    for name, values in tensors.items():
        prefix, part = name.rsplit(".", 1)
        if any(f"{prefix}.{marker}" in tensors for marker in FORMATS) and part != "bias":
            layers.setdefault(prefix, {})[part] = values
        else:
            result[name] = values
    for prefix, parts in layers.items():
        reader = next(FORMATS[marker] for marker in FORMATS if marker in parts)
        result[prefix + ".weight"] = reader(parts, bits)
    return result
