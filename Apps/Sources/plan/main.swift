import AppSupport

runCommand(Plan.self)
