"""safetensors files with NumPy alone: a JSON header behind its length, then the tensors' bytes."""

import json
import struct

import numpy

TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "u1", "I8": "i1", "F8_E4M3": "u1"}


def read(path):
    """All tensors by name; BF16 and FP8 come as float32, which holds them exactly."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        values = numpy.frombuffer(data[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            values = (values.astype(numpy.uint32) << 16).view(numpy.float32)
        if entry["dtype"] == "F8_E4M3":
            values = e4m3()[values]
        tensors[name] = values
    return tensors


def e4m3():
    """The values of all codes: a sign, 4 bits of exponent (bias 7), 3 of mantissa; no infinities."""
    codes = numpy.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    normal = (8 + mantissa) * 2.0 ** (exponent - 10)
    values = numpy.where(exponent > 0, normal, mantissa * 2.0**-9) * numpy.where(codes < 128, 1, -1)
    values[codes & 127 == 127] = numpy.nan
    return values.astype(numpy.float32)


def write(path, shapes, values):
    """Writes tensors one at a time: `shapes` is {name: (dtype, shape)}, `values(name)` gives the elements."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape) in shapes.items():
        size = int(numpy.prod(shape)) * numpy.dtype(TYPES[dtype]).itemsize
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, (dtype, shape) in shapes.items():
            elements = numpy.ascontiguousarray(values(name), TYPES[dtype])
            assert elements.size == numpy.prod(shape), name
            file.write(elements.tobytes())


def bfloat16(values):
    """The bits of the nearest BF16 numbers, ties to even."""
    bits = numpy.ascontiguousarray(values, numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(numpy.uint16)
