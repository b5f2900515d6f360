#pragma once
// What turns a data set into a task: prompt, grader and the rules of generation.

#include <string>
#include <vector>

namespace polar::task {

/// Everything that, with the model and the examples, decides what an outcome means. A value; labels, policies and
/// caches are keyed by digest().
struct TaskSpec {
  std::string name;                            ///< for messages and reports
  std::string prompt_template = "{question}";  ///< `{question}` once or more (text/prompt.h)
  bool chat = false;                           ///< wrap the prompt in the model's chat turn
  std::string system;                          ///< system text of the chat turn; empty: the template's own
  std::string grader = "exact";                ///< a name make_grader knows
  std::string separator = " ";  ///< between prompt and reference: draft = encode(prompt + separator + answer)
  std::vector<std::string> stop = {"\n"};  ///< generation ends at the first of these
  int max_new_tokens = 16;                 ///< ≥ 1

  /// SHA-256 over every field, each with its length, so that no two specs share one text.
  std::string digest() const;

  friend bool operator==(const TaskSpec&, const TaskSpec&) = default;
};

/// Throws core::UsageError naming the field, what was expected and found: a template without `{question}`, an unknown
/// grader, an empty stop string, max_new_tokens below 1.
void check(const TaskSpec& spec);

}  // namespace polar::task
