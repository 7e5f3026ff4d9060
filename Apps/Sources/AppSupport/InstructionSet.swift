import Kernels

/// The instruction set that kernels use: the best one of this machine, or the one that
/// `BITBUDGET_ISA` names.
public enum InstructionSet {
  private static let variable = "BITBUDGET_ISA"

  /// Does what the environment asks for; before anything is computed.
  ///
  /// - Throws: `UsageError` for a name that is unknown or that this machine does not have.
  public static func choose(_ environment: [String: String]) throws(UsageError) {
    guard let name = environment[variable], !name.isEmpty else { return }
    if let problem = bb_choose_isa(name) {
      throw UsageError("\(variable)=\(name): \(String(cString: problem))")
    }
  }
}
