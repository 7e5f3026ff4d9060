/// What a model is asked when it writes its own calibration text: questions of the kinds that
/// reasoning models are used for, written for this project. No benchmark's problem is among them.
public enum CalibrationPrompts {
  /// What a text is about, and so which of the model's paths it uses.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Problems whose answer is worked out in steps.
    case mathematics
    /// Questions that lean on facts and laws.
    case science
    /// Programs to write, read and mend.
    case code
    /// Everyday questions and letters.
    case chat
    /// Nothing but the token that begins a text: what the model writes unasked.
    case start
  }

  /// The prompts of a kind; none for `start`.
  public static func prompts(of kind: Kind) -> [String] {
    switch kind {
    case .mathematics: mathematics
    case .science: science
    case .code: code
    case .chat: chat
    case .start: []
    }
  }

  private static let mathematics = [
    "A tank holds 840 litres. One pipe fills it in 6 hours, another empties it in 10. How long does it take to fill when both are open?",
    "Find all integers n between 1 and 200 for which n squared leaves remainder 4 when divided by 17.",
    "The roots of x^2 - 7x + k = 0 differ by 3. What is k?",
    "Two fair dice are thrown until their sum is 7 or 11. What is the probability that 7 comes first?",
    "A triangle has sides 13, 14 and 15. Compute its area and the radius of the inscribed circle.",
    "How many paths lead from (0,0) to (6,5) in unit steps right or up without touching the point (3,2)?",
    "Solve 3^(2x) - 10 * 3^x + 9 = 0 for real x.",
    "A sequence begins 2, 5 and every further term is twice the last minus the one before plus 1. What is the 30th term?",
    "Evaluate the integral of x * exp(-x^2) from 0 to infinity, and explain each step.",
    "Prove that the sum of the first n odd numbers is a perfect square.",
    "A shop lowers a price by 20 percent and later raises it by 25 percent. Which price is higher, and by how much?",
    "In how many ways can eight people sit at a round table if two of them refuse to sit side by side?",
  ]

  private static let science = [
    "Why does the sky look blue at noon and red at sunset?",
    "A stone is dropped from 45 metres. Ignoring air, when does it land and how fast is it then?",
    "Explain what happens to the entropy of water when it freezes, and why freezing happens all the same.",
    "Which of these bonds is the most polar: C-H, N-H, O-H or F-H? Give the reason.",
    "How do vaccines prepare the immune system, and why do some need a second dose?",
    "A gas at 300 K is compressed to a third of its volume without heat exchange. What becomes of its temperature if it is monatomic?",
    "Describe how a star of eight solar masses ends.",
    "What does a catalyst change in a reaction, and what does it leave alone?",
    "Compare mitosis and meiosis: purpose, number of divisions, and number of chromosomes.",
    "A light ray enters glass of index 1.5 at 40 degrees. At what angle does it go on?",
    "Why do metals conduct electricity, and why does heating them make it harder?",
    "What limits the range of the weak nuclear force?",
  ]

  private static let code = [
    "Write a Python function that returns the longest palindrome in a string, and say how its time grows.",
    "This loop never ends: i = 10; while i != 0: i -= 3. Explain why and repair it.",
    "Implement a queue with two stacks in Swift, with a test.",
    "Write an SQL query that lists for each customer the date of the last order and the sum of all orders.",
    "Explain what a race condition is and show one in C with two threads.",
    "Write a shell script that renames every .jpeg file below a folder to .jpg and prints what it did.",
    "What is printed by: print([x*x for x in range(10) if x % 3 == 1])? Explain.",
    "Write a JSON document that describes a library with two books, each with title, authors and year.",
    "Sort a linked list in O(n log n) in Java and explain why merge sort fits.",
    "Give a regular expression for dates such as 2024-02-29 and say what it cannot check.",
    "Write a function in C++ that multiplies two sparse matrices.",
    "Turn this recursion into a loop: f(n) = f(n-1) + f(n-2), f(0) = 0, f(1) = 1.",
  ]

  private static let chat = [
    "Write a friendly letter to a neighbour whose music is too loud at night.",
    "I have eggs, spinach, rice and half a lemon. What can I cook in twenty minutes?",
    "Summarise the advantages and drawbacks of working from home in five points.",
    "Explain inflation to a child of ten.",
    "Plan a weekend in a town by the sea for a family with two small children.",
    "Translate into French and German: The train was late, so we missed the first act.",
    "Tell a short story about a lighthouse keeper who finds a bottle.",
    "How should I prepare for a job interview as a nurse?",
    "Correct this text and say what was wrong: Their going to there house because its to cold.",
    "Who was Ada Lovelace, and what is she remembered for?",
    "Give me arguments for and against a tax on sugar.",
    "My tomato plants have yellow leaves at the bottom. What may be the reason?",
  ]
}
