import AppSupport
import Foundation

// Batch systems announce the end of a job's time by USR1; it stops a run as TERM does.
signal(SIGUSR1) { _ in raise(SIGTERM) }
runCommand(Evaluate.self)
