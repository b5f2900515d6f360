#include "labels/interchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <initializer_list>
#include <istream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "labels/gzip.h"

namespace polar::labels {
namespace {

using nlohmann::json;

/// Nested names are separated by '.'.
using Names = std::initializer_list<const char*>;
constexpr Names kQuestion = {"question", "sample_info.question"};
constexpr Names kAnswer = {"gt_ans", "ground_truth", "answer", "sample_info.ground_truth", "sample_info.answer"};
constexpr Names kInitialScore = {"initial_score", "initial_transition_metric", "evaluation_result.initial_score"};
constexpr Names kValid = {"final_valid_transitions", "valid_transitions"};
constexpr Names kInvalid = {"final_invalid_transitions", "invalid_transitions"};

std::string whole(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string shown(const json& value) {
  const std::string text = whole(value);
  return text.size() > 60 ? shortened(text, 57) : text;
}

/// The first of the names that is there and not null, and its value.
std::pair<const char*, const json*> find_field(const json& sample, Names names) {
  for (const char* name : names) {
    const json* at = &sample;
    std::string_view rest = name;
    while (at != nullptr && !rest.empty()) {
      const std::size_t dot = rest.find('.');
      const std::string part(rest.substr(0, dot));
      const auto found = at->is_object() ? at->find(part) : at->end();
      at = at->is_object() && found != at->end() ? &*found : nullptr;
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    }
    if (at != nullptr && !at->is_null()) return {name, at};
  }
  return {nullptr, nullptr};
}

/// Samples first … last − 1 of a set, as a shard named `{first}_{last}.json` (or .json.gz) holds them.
struct Shard {
  std::int64_t first = 0, last = 0;
};

std::optional<Shard> shard_of(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (!name.ends_with(".json")) return std::nullopt;
  name.resize(name.size() - 5);
  const char* const end = name.data() + name.size();
  Shard shard;
  const auto [middle, error] = std::from_chars(name.data(), end, shard.first);
  if (error != std::errc() || middle == end || *middle != '_') return std::nullopt;
  const auto [rest, last_error] = std::from_chars(middle + 1, end, shard.last);
  return last_error == std::errc() && rest == end && shard.first >= 0 ? std::optional(shard) : std::nullopt;
}

/// Reads the fields of one sample.
class SampleReader {
 public:
  SampleReader(const std::filesystem::path& path, std::int64_t index, int depth, bool later_shard)
      : path_(path), depth_(depth), later_shard_(later_shard) {
    sample_.index = index;
  }

  InterchangeSample read(const json& value, const std::string& key) {
    if (!value.is_object()) {
      complain("sample", fmt::format("expected an object, found {}", shown(value)));
      return std::move(sample_);
    }
    sample_.question = text(value, kQuestion);
    sample_.answer = text(value, kAnswer);
    sample_.level = text(value, {"level"});
    sample_.initial_score = score(value);
    sample_.split = split(value);
    ids(value, key);
    const bool has_valid = programs(value, kValid, sample_.valid);
    const bool has_invalid = programs(value, kInvalid, sample_.invalid);
    if (!has_valid && !has_invalid) {
      complain("programs", "expected final_valid_transitions or final_invalid_transitions, found neither");
    }
    return std::move(sample_);
  }

 private:
  void ids(const json& value, const std::string& key) {
    for (const char* name : {"id", "query_id"}) {
      if (auto id = text(value, {name})) sample_.ids.push_back(std::move(*id));
    }
    if (const auto [name, row] = find_field(value, {"global_idx"}); name != nullptr) {
      if (row->is_number_integer()) {
        sample_.row = row->get<std::int64_t>();
        sample_.ids.push_back(std::to_string(*sample_.row));
      } else {
        complain(name, fmt::format("expected an integer, found {}", shown(*row)));
      }
    }
    places_in_file(text(value, {"sample_id"}).value_or(""), key);
    sample_.id = text(value, {"id"}).value_or("");
  }

  /// sample_id and key, less numbers where another id names the sample, and where a shard that begins behind 0 may have
  /// counted them anew.
  void places_in_file(const std::string& sample_id, const std::string& key) {
    const bool named = !sample_.ids.empty();
    std::string counted;
    for (const std::string& place : {sample_id, key}) {
      const bool number = std::ranges::all_of(place, [](unsigned char c) { return std::isdigit(c) != 0; });
      if (place.empty() || (number && named)) continue;
      if (number && later_shard_)
        counted = place;
      else
        sample_.ids.push_back(place);
    }
    if (counted.empty() || sample_.question || !sample_.ids.empty()) return;
    complain("sample_id", fmt::format("expected id, query_id or global_idx, found only {} in a shard that does not "
                                      "begin at 0, where it may count anew",
                                      counted));
  }

  /// No guess for another word: what is meant as test must never be trained on.
  std::optional<Split> split(const json& value) const {
    const auto [name, field] = find_field(value, {"split"});
    if (name == nullptr) return std::nullopt;
    for (const Split split : {Split::kTrain, Split::kValid, Split::kTest}) {
      if (field->is_string() && field->get_ref<const std::string&>() == to_string(split)) return split;
    }
    const ImportProblem problem{sample_.index, name,
                                fmt::format("expected train, valid or test, found {}", shown(*field))};
    throw core::Error(fmt::format(
        "{}: {}; write one of these words, or leave the field out of the samples whose split --split is to name",
        path_.string(), to_string(problem)));
  }

  void complain(std::string place, std::string reason) {
    sample_.problems.push_back({sample_.index, std::move(place), std::move(reason)});
  }

  std::optional<std::string> text(const json& value, Names names) {
    const auto [name, field] = find_field(value, names);
    if (name == nullptr) return std::nullopt;
    if (field->is_string()) return field->get<std::string>();
    if (field->is_number()) return field->dump();
    complain(name, fmt::format("expected a text, found {}", shown(*field)));
    return std::nullopt;
  }

  std::optional<double> score(const json& value) {
    const auto [name, field] = find_field(value, kInitialScore);
    if (name == nullptr) return std::nullopt;
    if (field->is_boolean()) return field->get<bool>() ? 1 : 0;
    if (field->is_number()) return field->get<double>();
    complain(name, fmt::format("expected a number or truth value, found {}", shown(*field)));
    return std::nullopt;
  }

  bool programs(const json& value, Names names, std::vector<core::Program>& to) {
    const json* first = nullptr;
    for (const char* name : names) {
      const json* list = find_field(value, {name}).second;
      if (list == nullptr || (first != nullptr && *list == *first)) continue;
      if (first != nullptr) {
        complain(name, fmt::format("expected the same programs as under {}, found others; those of both are taken",
                                   *names.begin()));
      }
      programs_of(name, *list, to);
      if (first == nullptr) first = list;
    }
    return first != nullptr;
  }

  void programs_of(const char* name, const json& list, std::vector<core::Program>& to) {
    if (!list.is_array()) return complain(name, fmt::format("expected a list of programs, found {}", whole(list)));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string reason = program(list[i], to);
      if (!reason.empty()) complain(fmt::format("{}[{}]", name, i), reason);
    }
  }

  /// Adds the program, or says why it is none, with all of it: nothing else keeps it.
  std::string program(const json& item, std::vector<core::Program>& to) const {
    const auto path = item.is_object() ? item.find("path") : item.end();
    const json& layers = item.is_object() && path != item.end() ? *path : item;
    if (!layers.is_array()) return fmt::format("expected a list of layers, found {}", whole(item));
    if (layers.empty()) return "expected at least one layer, found an empty program";
    if (layers.size() > core::Program::kMaxSteps) {
      return fmt::format("expected at most {} layers, found {} in {}", core::Program::kMaxSteps, layers.size(),
                         whole(layers));
    }
    std::vector<core::Program::Layer> read;
    for (const json& layer : layers) {
      const std::int64_t number = layer.is_number_integer() ? layer.get<std::int64_t>() : -1;
      if (number < 0 || number >= depth_) {
        return fmt::format("expected layers from 0 to {}, found {} in {}", depth_ - 1, shown(layer), whole(layers));
      }
      read.push_back(static_cast<core::Program::Layer>(number));
    }
    to.emplace_back(std::move(read));
    return {};
  }

  const std::filesystem::path& path_;
  int depth_;
  bool later_shard_;  ///< the file's samples begin behind 0
  InterchangeSample sample_;
};

/// Follows the parser through the file: takes each sample when it ends and lets the parser forget it.
class SampleStream {
 public:
  SampleStream(const std::filesystem::path& path, int depth, const std::function<void(InterchangeSample&&)>& take)
      : path_(path), depth_(depth), take_(take), shard_(shard_of(path)) {}

  /// json::parser_callback_t: whether the parser keeps the value. `level` counts from 0, the whole file.
  bool on_event(int level, json::parse_event_t event, json& value) {
    using Event = json::parse_event_t;
    const bool begins = event == Event::object_start || event == Event::array_start;
    if (level == 0 && event == Event::object_start) root_is_object_ = true;
    if (level == 0 && (begins || event == Event::value)) has_layout_ = begins;
    if (event == Event::key) {
      if (level == 1) root_key_ = value.get<std::string>();
      if (level == 2 && in_samples()) sample_key_ = value.get<std::string>();
      return true;
    }
    if (begins) {
      if (level == 1 && in_samples()) has_samples_ = true;
      return true;
    }
    if (level == 0) return true;
    const bool is_sample = in_samples() ? level == 2 : level == 1;
    if (in_samples() && level == 1) return reject_samples(event, value);
    if (!is_sample) return true;
    end_sample(value);
    return false;
  }

  InterchangeSummary finish() {
    if (!has_layout_ || (root_is_object_ && !has_samples_ && count_ == 0 && !others_.empty())) {
      throw core::Error(
          fmt::format("{}: expected samples: an object with \"samples\", a list of samples or an object of samples, "
                      "found none: name a file in the form of merged_mcts_samples.json",
                      path_.string()));
    }
    InterchangeSummary summary{count_, {}};
    if (!has_samples_) summary.problems = std::move(others_);
    if (shard_ && shard_->last - shard_->first != count_) {
      summary.problems.push_back(
          {-1, path_.filename().string(),
           fmt::format("expected {} samples, as its name says, found {}", shard_->last - shard_->first, count_)});
    }
    return summary;
  }

 private:
  bool in_samples() const { return root_is_object_ && root_key_ == "samples"; }

  /// The end of "samples" itself, or a value that is neither list nor object in its place.
  bool reject_samples(json::parse_event_t event, const json& value) {
    if (event != json::parse_event_t::value) return false;
    others_.push_back({-1, "samples", fmt::format("expected a list or an object, found {}", shown(value))});
    return false;
  }

  void end_sample(const json& value) {
    // Beside "samples" an object may hold anything; without it, whatever is no sample is a problem.
    if (root_is_object_ && !in_samples() && !is_sample(value)) {
      others_.push_back({-1, root_key_, fmt::format("expected a sample, found {}", shown(value))});
      return;
    }
    const std::string& key = in_samples() ? sample_key_ : root_key_;
    const bool later_shard = shard_ && shard_->first > 0;
    take_(SampleReader(path_, count_, depth_, later_shard).read(value, root_is_object_ ? key : std::string()));
    ++count_;
  }

  static bool is_sample(const json& value) {
    for (const Names& names : {kValid, kInvalid}) {
      if (value.is_object() && find_field(value, names).first != nullptr) return true;
    }
    return false;
  }

  const std::filesystem::path& path_;
  int depth_;
  const std::function<void(InterchangeSample&&)>& take_;
  std::optional<Shard> shard_;
  bool has_layout_ = false, root_is_object_ = false, has_samples_ = false;
  std::string root_key_, sample_key_;
  std::int64_t count_ = 0;
  std::vector<ImportProblem> others_;
};

}  // namespace

std::string to_string(const ImportProblem& problem) {
  if (problem.sample < 0) return fmt::format("{}: {}", problem.place, problem.reason);
  return fmt::format("sample {}: {}: {}", problem.sample, problem.place, problem.reason);
}

std::string shortened(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes) + "...";
}

InterchangeSummary read_interchange(const std::filesystem::path& path, int depth,
                                    const std::function<void(InterchangeSample&&)>& take) {
  GzipReader reader(path);
  std::istream input(&reader);
  SampleStream samples(path, depth, take);
  try {
    // Its value is what the callback kept: the file's outermost brackets.
    [[maybe_unused]] const json rest = json::parse(input, [&](int level, json::parse_event_t event, json& value) {
      return samples.on_event(level, event, value);
    });
  } catch (const json::exception& error) {
    throw core::Error(
        fmt::format("{}: expected JSON, found something else or a file cut short ({}): copy it again. NaN, "
                    "Infinity and halves of surrogate pairs, which Python writes, are no JSON: replace "
                    "them where the file is made",
                    path.string(), error.what()));
  }
  return samples.finish();
}

}  // namespace polar::labels
