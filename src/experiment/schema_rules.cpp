#include "experiment/schema_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <string_view>

#include "core/error.h"
#include "predict/menu_scorer.h"
#include "task/arithmetic.h"

namespace polar::experiment {
namespace {

/// Reports at the first key that was set, so that the message points at a line the user wrote.
class Rules {
 public:
  Rules(const Origins& origins, const std::string& source) : origins_(origins), source_(source) {}

  void require(bool holds, std::initializer_list<std::string_view> keys, const std::string& message) const {
    if (holds) return;
    for (std::string_view key : keys)
      if (auto origin = origins_.find(std::string(key)); origin != origins_.end())
        throw core::UsageError(fmt::format("{}: {}: {}", origin->second, key, message));
    throw core::UsageError(fmt::format("{}: {}: {}", source_, *keys.begin(), message));
  }

 private:
  const Origins& origins_;
  const std::string& source_;
};

void check_arithmetic(const TaskConfig& task, const Rules& rules) {
  rules.require(task.choices == "none", {"task.choices"},
                fmt::format("expected none with task.kind arithmetic, which has no choices, found {}", task.choices));
  const std::pair<std::string_view, const std::string&> files[] = {
      {"task.train_file", task.train_file}, {"task.valid_file", task.valid_file}, {"task.test_file", task.test_file}};
  for (const auto& [key, file] : files)
    rules.require(file.empty(), {key},
                  fmt::format("expected no file with task.kind arithmetic, found '{}'; set task.kind to jsonl", file));
  const std::pair<std::string_view, int> counts[] = {{"task.train_per_level", task.train_per_level},
                                                     {"task.valid_per_level", task.valid_per_level},
                                                     {"task.test_per_level", task.test_per_level},
                                                     {"task.ood_per_level", task.ood_per_level}};
  for (const auto& [key, count] : counts)
    rules.require(count >= 1, {key},
                  fmt::format("expected an integer >= 1 with task.kind arithmetic, found '{}'", count));
}

/// Sets out of distribution: files as name=path, and generated ones by name alone.
void check_ood(const TaskConfig& task, const Rules& rules) {
  const bool generates = task.kind == "arithmetic";
  const std::vector<std::string> variants = generates                   ? task::arithmetic_variants()
                                            : task.choices == "letters" ? std::vector<std::string>{"reordered"}
                                                                        : std::vector<std::string>{};
  std::set<std::string> names = {"test"};
  bool has_file = false;
  for (const std::string& set : task.ood) {
    const auto equals = set.find('=');
    const bool file = equals != std::string::npos && equals > 0 && equals + 1 < set.size();
    rules.require(file || std::ranges::find(variants, set) != variants.end(), {"task.ood"},
                  generates ? fmt::format("expected {} or name=path with task.kind arithmetic, found '{}'",
                                          fmt::join(variants, ", "), set)
                  : variants.empty()
                      ? fmt::format("expected name=path with task.kind jsonl, found '{}'", set)
                      : fmt::format("expected reordered or name=path with task.choices letters, found '{}'", set));
    rules.require(names.insert(set.substr(0, equals)).second, {"task.ood"},
                  fmt::format("expected names that differ from each other and from test, found '{}' again",
                              set.substr(0, equals)));
    has_file = has_file || file;
  }
  rules.require(task.ood_template.empty() || has_file, {"task.ood_template"},
                "expected no template unless task.ood names a file, found one");
}

void check_jsonl(const TaskConfig& task, const Rules& rules) {
  rules.require(task.choices != "letters" || task.grader == "letter", {"task.grader", "task.choices"},
                fmt::format("expected task.grader letter with task.choices letters, found {}", task.grader));
  rules.require(!task.train_file.empty(), {"task.train_file", "task.kind"},
                "expected task.train_file with task.kind jsonl, found nothing");
  rules.require(
      task.valid_file.empty() == task.test_file.empty(), {"task.valid_file", "task.test_file"},
      "expected task.valid_file and task.test_file both or neither (one file is split by hash), found only one");
}

void check_menu(const MenuConfig& menu, const Rules& rules) {
  const predict::ScorerKind scorer = predict::scorer_kind(menu.scorer);
  rules.require(
      menu.select != "leave-group-out" || !predict::is_iterative(scorer), {"menu.select", "menu.scorer"},
      "expected validation with menu.scorer logistic or network, which must be fitted anew for every example left out, "
      "found leave-group-out");
  rules.require(
      predict::has_kernel(scorer) || menu.bandwidth == std::vector<double>{1}, {"menu.bandwidth"},
      fmt::format("expected no bandwidths unless menu.scorer is kernel-ridge or laplace-ridge, found them with {}",
                  menu.scorer));
  const std::set<double> distinct(menu.operating_points.begin(), menu.operating_points.end());
  rules.require(distinct.size() == menu.operating_points.size(), {"menu.operating_points"},
                "expected limits that differ, found one twice");
  rules.require(menu.cascade_from == 0 || distinct.contains(menu.cascade_from),
                {"menu.cascade_from", "menu.operating_points"},
                fmt::format("expected 0 or one of menu.operating_points, found {}", menu.cascade_from));
  const int programs = std::min(menu.size, menu.candidates);
  rules.require(menu.cascade_tries <= programs, {"menu.cascade_tries", "menu.size", "menu.candidates"},
                fmt::format("expected menu.cascade_tries of at most the menu's {} programs, found {}", programs,
                            menu.cascade_tries));
}

}  // namespace

void check_rules(const Config& config, const Origins& origins, const std::string& source) {
  const Rules rules(origins, source);
  if (config.task.kind == "arithmetic")
    check_arithmetic(config.task, rules);
  else
    check_jsonl(config.task, rules);
  check_ood(config.task, rules);
  rules.require((config.predict.features == "encoder") == !config.predict.encoder.empty(),
                {"predict.encoder", "predict.features"},
                fmt::format("expected a folder with predict.features encoder and none otherwise, found '{}' with {}",
                            config.predict.encoder, config.predict.features));
  rules.require(
      config.predict.features != "states" || config.predict.prefix_layers <= config.search.first_layer,
      {"predict.prefix_layers", "search.first_layer"},
      fmt::format("expected predict.prefix_layers of at most search.first_layer, so that every program begins with the "
                  "layers that features are read from, found {} and {}; change one of them or take predict.features "
                  "embeddings",
                  config.predict.prefix_layers, config.search.first_layer));
  rules.require(
      config.task.train_share + config.task.valid_share < 1, {"task.train_share", "task.valid_share"},
      fmt::format("expected task.train_share + task.valid_share < 1, so that rows are left for test, found {} + {}",
                  config.task.train_share, config.task.valid_share));
  rules.require(config.task.system.empty() || config.task.chat, {"task.system"},
                "expected task.chat true when a system text is given, found false");
  rules.require(config.search.skip || config.search.loop, {"search.loop", "search.skip"},
                "expected search.skip or search.loop to be true, found both false");
  rules.require(
      config.search.end_layer == 0 || config.search.end_layer > config.search.first_layer,
      {"search.end_layer", "search.first_layer"},
      fmt::format("expected search.end_layer beyond search.first_layer (0: the model's depth), found {} and {}",
                  config.search.end_layer, config.search.first_layer));
  rules.require(config.search.transfer_programs.empty() || config.search.algorithm == "transfer",
                {"search.transfer_programs"},
                fmt::format("expected no file unless search.algorithm is transfer, found '{}' with {}",
                            config.search.transfer_programs, config.search.algorithm));
  for (const std::string& policy : config.eval.policies) {
    const bool random = policy == "random" || policy == "random_menu";
    rules.require(!random || (config.search.skip && config.search.loop),
                  {"search.loop", "search.skip", "eval.policies"},
                  fmt::format("expected search.skip and search.loop both true with the policy {0}, whose programs are "
                              "as long as the identity, found one false; leave {0} out of eval.policies or allow both",
                              policy));
  }
  check_menu(config.menu, rules);
  rules.require(!config.eval.uses("cascade") || config.menu.cascade_tries > 1, {"menu.cascade_tries", "eval.policies"},
                "expected menu.cascade_tries of at least 2 with the policy cascade, found 1");
  const BaselinesConfig& baselines = config.baselines;
  const auto all_or = [](int examples) { return examples == 0 ? std::numeric_limits<int>::max() : examples; };
  rules.require(
      baselines.finalists == 0 || all_or(baselines.finalists_per_level) >= all_or(baselines.examples_per_level),
      {"baselines.finalists_per_level", "baselines.examples_per_level"},
      fmt::format("expected finalists to be ranked on at least the {} examples a level of the first ranking, found {} "
                  "(0: all)",
                  baselines.examples_per_level, baselines.finalists_per_level));
  rules.require(!config.predict.per_level || config.eval.uses("predictor"), {"predict.per_level", "eval.policies"},
                "expected the policy predictor with predict.per_level true, beside which its predictors are evaluated, "
                "found none");
  rules.require(config.predict.width % config.predict.heads == 0, {"predict.heads", "predict.width"},
                fmt::format("expected predict.heads to divide predict.width, found {} and {}", config.predict.heads,
                            config.predict.width));
  rules.require(std::ranges::count(config.eval.policies, "base") == 1, {"eval.policies"},
                "expected base among the policies, since every figure is compared with it, found none");
}

}  // namespace polar::experiment
