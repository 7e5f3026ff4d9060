import Foundation
import SystemCalls

/// Runs programs that nobody vouches for: a Python process in namespaces of its own, without
/// network, with a read-only root, a temporary folder that disappears, and limits on time, memory,
/// processes and output.
///
/// It takes the programs `unshare`, `mount`, `prlimit` and `setpriv` of util-linux, and a kernel
/// that lets this user make namespaces. Where they are not there nothing is run.
public struct Sandbox: Sendable, Hashable {
  /// What a program may take.
  public struct Limits: Sendable, Hashable {
    /// Seconds of the clock.
    public var seconds = 10.0
    /// Bytes of address space of each process.
    public var memoryBytes = 1 << 30
    /// Processes and threads together. They are counted for each program where the user `nobody`
    /// may make a user namespace (and from Linux 5.14 on), else for all programs of this user.
    public var processes = 64
    /// Bytes that are kept of what it prints; a program that prints more is ended.
    public var outputBytes = 1 << 20
    /// Bytes of its temporary folder.
    public var folderBytes = 64 << 20

    /// The usual limits.
    public init() {}
  }

  /// How a program ended.
  public enum End: Sendable, Hashable {
    /// By itself, with this status.
    case exited(Int32)
    /// By a signal.
    case killed(Int32)
    /// It took more than its time.
    case outOfTime
    /// It printed more than is kept.
    case tooMuchOutput
  }

  /// What became of a program.
  public struct Outcome: Sendable, Hashable {
    /// How it ended.
    public let end: End
    /// What it printed on standard output and standard error together.
    public let output: String
  }

  /// What a program may take.
  public var limits: Limits
  /// Whether programs are run on the bare host instead, with limits but without walls.
  public let isOpen: Bool
  private let python: String
  /// Whether a program that the superuser starts gets a user namespace of its own.
  private var isApart = true

  /// Finds what a sandbox takes and tries it.
  ///
  /// - Parameters:
  ///   - limits: What programs may take.
  ///   - isOpen: Whether programs are run on the bare host instead.
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` with the reason where there can be
  ///   none.
  public init(limits: Limits = Limits(), isOpen: Bool = false) throws(EvaluationError) {
    self.limits = limits
    self.isOpen = isOpen
    // A user without a home has to be able to read it.
    let places = ["/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3"]
    guard let python = places.first(where: FileManager.default.isExecutableFile) else {
      throw .setting(
        name: "sandbox", value: "no Python", expected: places.joined(separator: " or "))
    }
    self.python = python
    var (isRight, trial) = try tried()
    if !isRight, geteuid() == 0 {
      isApart = false
      (isRight, trial) = try tried()
    }
    guard isRight else { throw Self.refusal(trial.output, trial.end) }
  }

  private func tried() throws(EvaluationError) -> (isRight: Bool, Outcome) {
    let outcome = try run("print(6 * 7)")
    return (outcome.end == .exited(0) && outcome.output == "42\n", outcome)
  }

  private static func refusal(_ messages: String, _ end: End) -> EvaluationError {
    let reason = messages.split(separator: "\n").last.map(String.init) ?? "\(end)"
    return .setting(
      name: "sandbox", value: "refused: \(reason)",
      expected: "util-linux and a kernel that lets this user make namespaces; "
        + "--unsafe-code runs programs without a sandbox")
  }

  /// A sandbox for the replies of benchmarks that are programs; nil where none is.
  ///
  /// - Throws: As above, also where Python lacks a module that the tests import, without which every
  ///   program would fail.
  public static func made(
    for benchmarks: [Benchmark], isOpen: Bool = false
  ) throws(EvaluationError) -> Sandbox? {
    let programs = benchmarks.filter(\.definition.grading.runsPrograms)
    guard !programs.isEmpty else { return nil }
    let sandbox = try Sandbox(isOpen: isOpen)
    for benchmark in programs {
      let modules = benchmark.items.flatMap { ProgramTest(key: $0.answer)?.modules ?? [] }
      for module in Set(modules).sorted() {
        guard try sandbox.run("import \(module)").end != .exited(0) else { continue }
        throw .setting(
          name: "Python for \(benchmark.definition.name)",
          value: "\(sandbox.python) without '\(module)'",
          expected: "one that has it, since tests import it")
      }
    }
    return sandbox
  }

  /// How many programs may run at a time: as many as have a count of processes each.
  var runsTogether: Int {
    let first = OperatingSystemVersion(majorVersion: 5, minorVersion: 14, patchVersion: 0)
    let countsApart = isApart && ProcessInfo.processInfo.isOperatingSystemAtLeast(first)
    return isOpen || countsApart ? 2 : 1
  }

  /// Runs a program to its end, or until it is no longer wanted. Nothing of it stays, even if this
  /// process is killed meanwhile.
  ///
  /// - Parameters:
  ///   - program: Python source.
  ///   - isWanted: Asked all the time; a program that is not is ended, as if its time were over.
  /// - Returns: How it ended, and what it printed.
  /// - Throws: ``EvaluationError`` where it cannot be started: what fails before it begins says
  ///   nothing of it.
  public func run(
    _ program: String, isWanted: () -> Bool = { true }
  ) throws(EvaluationError) -> Outcome {
    let temporary = FileManager.default.temporaryDirectory
    do {
      let source = try NamelessFile(in: temporary.path, holding: Data(program.utf8))
      let output = try NamelessFile(in: temporary.path)
      // What is said before the program runs. It sees nothing of this file.
      let start = try NamelessFile(in: temporary.path)
      var words = ["/usr/bin/unshare"] + namespaces + ["sh", "-c", script]
      // Without walls its folder lies on the disk. The shell removes it, so that it goes as well where this process
      // is killed; where the shell is killed, it is removed here.
      let folder = temporary.appending(path: "program-\(UUID().uuidString)")
      if isOpen { words = ["/bin/sh", "-c", openScript, "sh", folder.path] }
      defer { if isOpen { try? FileManager.default.removeItem(at: folder) } }
      let process = try ChildProcess(
        words[0], Array(words.dropFirst()),
        environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"],
        input: source.descriptor, output: output.descriptor, errors: start.descriptor)
      let end = self.end(of: process, start, output, isWanted)
      let messages = String(decoding: try start.contents(atMost: 1 << 16), as: UTF8.self)
      guard messages.contains(Self.ready) || !isWanted() else { throw Self.refusal(messages, end) }
      let printed = try output.contents(atMost: limits.outputBytes)
      return Outcome(end: end, output: String(decoding: printed, as: UTF8.self))
    } catch let error as EvaluationError {
      throw error
    } catch {
      throw .file(path: temporary.path, reason: "no program can be run from it: \(error)")
    }
  }

  /// What is said last before the program runs.
  private static let ready = "ready\n"

  private func end(
    of process: ChildProcess, _ start: NamelessFile, _ output: NamelessFile,
    _ isWanted: () -> Bool
  ) -> End {
    // The time counts from the beginning of the program; the walls have as much.
    var clock = ContinuousClock.now
    var hasBegun = false
    let limit = Duration.seconds(limits.seconds + 2)
    var end: End?
    while process.ended == nil {
      if !hasBegun, start.count > 0 { (hasBegun, clock) = (true, .now) }
      if ContinuousClock.now - clock > limit || !isWanted() { end = .outOfTime }
      if output.count > limits.outputBytes { end = .tooMuchOutput }
      if end != nil {
        process.send(SIGKILL)
        break
      }
      usleep(2000)
    }
    let ended = process.wait()
    if let end { return end }
    // What the shell says of a program that a signal ended: 9 by `timeout`, 25 for its file's size.
    switch ended {
    case .killed(let signal): return .killed(signal)
    case .exited(124), .exited(137): return .outOfTime
    case .exited(153): return .tooMuchOutput
    case .exited(let status) where status > 128: return .killed(status - 128)
    case .exited(let status): return .exited(status)
    }
  }

  private var namespaces: [String] {
    // Without privileges a user namespace gives those that mounting takes. The superuser has them,
    // and becomes nobody before the program runs: limits on processes do not hold for the
    // superuser.
    (geteuid() == 0 ? [] : ["--user", "--map-root-user"])
      + ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=KILL"]
  }

  /// Builds the walls from inside; every step that fails ends it. The folder for temporary files becomes the program's
  /// own, of which nothing outside is left. One process makes most other mounts read-only, and what it leaves writable is
  /// gone through one by one.
  private var script: String {
    """
    set -e
    mount -t tmpfs -o size=\(limits.folderBytes),mode=1777,nosuid,nodev tmpfs /tmp
    cd /tmp
    own=$(pwd -P)
    cat >program.py
    exec </dev/null
    while read -r _ _ _ _ point _; do
      case $point/ in
      "$own"/*) ;;
      *) printf 'none %s none remount,bind,ro 0 0\\n' "$point" ;;
      esac
    done </proc/self/mountinfo >mounts
    mount --all --fstab "$own/mounts" >/dev/null 2>&1 || true
    rm mounts
    while read -r _ _ _ _ point options _; do
      case $point/ in "$own"/*) continue ;; esac
      case $options in
      ro | ro,*) ;;
      *) mount -o remount,bind,ro "$point" || { echo "$point stays writable" >&2; exit 1; } ;;
      esac
    done </proc/self/mountinfo
    mount -t proc -o nosuid,nodev,noexec proc /proc
    printf '\(Self.ready)' >&2
    exec setpriv \(geteuid() == 0 ? nobody : drops) \(command) 2>&1
    """
  }

  private var drops: String { "--no-new-privs --bounding-set=-all --inh-caps=-all" }

  /// What makes the superuser nobody, in a user namespace of its own where that is allowed.
  private var nobody: String {
    "--reuid=65534 --regid=65534 --clear-groups \(drops)"
      + (isApart ? " unshare --user --map-current-user" : "")
  }

  /// Runs the program in a folder of its own, whose path is given, and removes that.
  private var openScript: String {
    """
    set -e
    mkdir "$1"
    cd "$1"
    cat >program.py
    printf '\(Self.ready)' >&2
    status=0
    \(command) </dev/null 2>&1 || status=$?
    cd /
    rm -rf "$1"
    exit $status
    """
  }

  /// The program under its limits. They are set last: a user namespace that is made under a limit
  /// on processes counts for those outside, too.
  private var command: String {
    let seconds = Int(limits.seconds.rounded(.up))
    return
      "prlimit --as=\(limits.memoryBytes) --nproc=\(isOpen ? 4096 : limits.processes) --core=0 "
      + "--cpu=\(seconds + 1) --fsize=\(max(limits.outputBytes + 4096, limits.folderBytes)) "
      + "--nofile=256 timeout -s KILL \(limits.seconds) \(python) -I -B program.py"
  }
}
