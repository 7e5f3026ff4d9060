import Foundation

/// One layout in which a benchmark's data exists: which files, and where in a row things stand.
public struct DataSource: Sendable, Hashable, Codable {
  /// Paths below a data folder; `*` stands for any characters within one component.
  ///
  /// Every path has to match at least one file. All matches are read, in alphabetical order.
  public var files: [String]
  /// The data set's identifier on the Hugging Face hub, to look in the hub's local cache.
  public var hub: String?
  /// Where the one file lies in the web, for data that the hub does not have in a form that is
  /// read.
  public var web: WebAddress?
  /// Names for the columns of CSV files that have no header line.
  public var columns: [String]?
  /// Where in a row things stand.
  public var fields: FieldMap
  /// What the group of a file's items is in its name without the ending, a pattern with one `*`;
  /// nil where files say nothing of groups.
  public var group: String?
  /// The member of a JSON file that holds the list of rows; nil where the file is the list.
  public var rows: String?
  /// Only rows whose fields have these values.
  public var only: [String: String]?
  /// Only rows whose fields are whole numbers within these bounds.
  public var between: [String: ClosedRange<Int>]?

  /// The group of a file's items.
  func group(of file: URL) -> String? {
    guard let group, let star = group.firstIndex(of: "*") else { return nil }
    let (before, behind) = (group[..<star], group[group.index(after: star)...])
    let name = file.deletingPathExtension().lastPathComponent
    guard name.hasPrefix(before), name.dropFirst(before.count).hasSuffix(behind) else { return nil }
    return String(name.dropFirst(before.count).dropLast(behind.count))
  }
}

/// A file in the web that stays what it is.
public struct WebAddress: Sendable, Hashable, Codable {
  /// Its address; the last part is the file's name.
  public var url: URL
  /// SHA-256 of its content, in hexadecimal digits.
  public var sha256: String
}

/// Where in a row the parts of an item stand.
///
/// A field is a CSV column or a JSON key; dots lead into nested objects (`question.stem`), and a
/// path through a list means that field of each element (`choices.text`).
public struct FieldMap: Sendable, Hashable, Codable {
  /// How the right answer is given.
  public enum AnswerForm: String, Sendable, Hashable, Codable, CaseIterable {
    /// The answer's text; for multiple choice, the text of one option.
    case value
    /// The number of the right option, from 0.
    case index
    /// The letter of the right option, from A.
    case letter
    /// One of the labels in the `labels` field.
    case label
    /// The number of the right option, from 1.
    case number
    /// A list, or an object's values, of 1 for each right option and 0 for each other one.
    case flags
    /// The options of the first field of a split list are right.
    case first
    /// What the last box of a worked answer holds.
    case boxed
    /// The names of instructions; `labels` holds their arguments, one object each.
    case instructions
    /// Tests of a program, made of fields; `before` is what stands before the reply.
    case program
  }

  /// The options of a multiple-choice item.
  public enum Choices: Sendable, Hashable, Codable {
    /// One field with a list.
    case list(String)
    /// One field for each option.
    case each([String])
    /// One field with a list of texts as Python writes it.
    case python(String)
    /// The keys of an object.
    case keys(String)
    /// Fields that each hold several options in one text.
    case split([String], by: String)
  }

  /// The identifier, or nil to number the rows of each file.
  public var id: String?
  /// The question.
  public var question: String
  /// Text in the question field at whose last occurrence the question ends, such as an instruction
  /// that some data sets append.
  public var questionBefore: String?
  /// The right answer.
  public var answer: String
  /// How the right answer is given.
  public var answerForm: AnswerForm
  /// Text in the answer field after whose last occurrence the answer stands, such as `####`.
  public var answerAfter: String?
  /// The options.
  public var choices: Choices?
  /// The labels of the options, for ``AnswerForm/label``.
  public var labels: String?
  /// Of ``AnswerForm/program``: what stands before the reply, made of fields.
  public var before: String?
  /// The group that an item belongs to, such as a subject.
  public var group: String?
  /// Whether texts keep the white space around them.
  public var verbatim: Bool?
  /// What is taken out of questions.
  public var clean: TextCleaning?
  /// What is taken out of options.
  public var cleanOptions: TextCleaning?
}
