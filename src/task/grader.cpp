#include "task/grader.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::task {

std::unique_ptr<TextGrader> make_grader(std::string_view name) {
  if (name == "exact") return make_exact_grader();
  if (name == "letter") return make_letter_grader();
  if (name == "numeric:first") return make_numeric_grader(NumberChoice::kFirst);
  if (name == "numeric:last") return make_numeric_grader(NumberChoice::kLast);
  if (name == "numeric:boxed-first") return make_numeric_grader(NumberChoice::kBoxedFirst);
  if (name == "numeric:boxed-last") return make_numeric_grader(NumberChoice::kBoxedLast);
  throw core::UsageError(
      fmt::format("grader: expected exact, letter, numeric:first, numeric:last, numeric:boxed-first or "
                  "numeric:boxed-last, found '{}'",
                  name));
}

}  // namespace polar::task
