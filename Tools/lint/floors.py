"""The floors of ARCHITECTURE.md: a module may import only modules on lower floors."""

FLOORS = {
    "SystemCalls": 0,
    "StopSignals": 0,
    "Kernels": 0,
    "JSON": 0,
    "KVLayout": 0,
    "MemoryPlanner": 1,
    "ModelHub": 1,
    "NanoModels": 1,
    "Tensors": 1,
    "Tokenizer": 1,
    "Quantizers": 2,
    "ModelLoader": 3,
    "KVCaches": 3,
    "DecoderModels": 4,
    "TextGeneration": 5,
    "Compression": 6,
    "Evaluation": 6,
    "Serving": 7,
    "AppSupport": 7,
}

# Every other folder of Apps/Sources is a command.
COMMAND_FLOOR = 8
