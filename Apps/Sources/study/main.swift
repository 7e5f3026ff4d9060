import AppSupport

runCommand(Study.self)
