"""What arithmetic and memory of this machine would allow."""

from settings import FIELD, PROMPT_FIELD


def limit(setting, field, shape, reading, ceilings):
    """Tokens a second if nothing took time but the products, or but reading weights and cache once a step."""
    # See docs/numerics.md for what multiplies which cache.
    rates = ceilings | {"exact": ceilings["f32"]}
    # The ceilings are those of vectors: products by tiles (AMX) may pass them.
    numerics = reading["numerics"].removesuffix("-tiles")
    # What a scheme rounds activations to, whatever the numerics; without VNNI 8-bit codes are multiplied in 16 bits.
    schemes = {"w8a8": "int8" if ceilings["vnni"] else "int16", "w8a8-fp": "bf16", "w4a4": "int8"}
    products = "exact" if setting.ours == "bf16" and numerics == "int16" else numerics
    products = "bf16" if setting.ours == "bf16" and numerics == "int8" else products
    products = "exact" if setting.ours != "bf16" and numerics == "bf16" else products
    products = schemes.get(setting.ours, products)
    attention = "bf16" if numerics in ("int8", "bf16") else "exact"
    attention = attention if reading["kv"] == "bf16" else "int8" if numerics == "int8" else "int16"
    is_prompt = field == PROMPT_FIELD
    # Of the last layer a prompt needs the keys and values of all tokens, the rest of one.
    weights = shape.layer_products * (1 - 1 / shape.layers) if is_prompt else shape.layer_products + shape.head_products
    depth = setting.depth + (setting.prompt if is_prompt else setting.tokens) / 2
    seconds = (weights / rates[products] + shape.attention_products * depth / rates[attention]
               + shape.state_products / rates["exact"])
    arithmetic = 1e9 / seconds
    return arithmetic if is_prompt else min(arithmetic, reading[FIELD] / reading["share_of_memory_limit"])
