import AppSupport

runCommand(Quantize.self)
