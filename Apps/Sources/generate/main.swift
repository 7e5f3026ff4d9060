import AppSupport

runCommand(Generate.self)
