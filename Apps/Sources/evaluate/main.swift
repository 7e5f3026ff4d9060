import AppSupport

runCommand(Evaluate.self)
