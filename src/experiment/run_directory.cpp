#include "experiment/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/file.h"

namespace polar::experiment {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
constexpr int kStagesFormat = 1;

/// Step 1, before anything else is touched.
fs::path make_folder(const Config& config) {
  const fs::path path = run_folder(config);
  constexpr std::string_view kRemedy = "set another place: --set runs_folder=FOLDER";
  try {
    core::ensure_folder(path);
  } catch (const core::Error& error) {
    throw core::UsageError(fmt::format("{}; {}", error.what(), kRemedy));
  }
  if (faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0)
    throw core::UsageError(fmt::format("{}: expected a folder that can be read and written, found: {}; {}",
                                       path.string(), std::strerror(errno), kRemedy));
  return path;
}

struct Change {
  std::string key, before, now;
};

/// A key that one side lacks (made by another version) counts as at its default.
std::vector<Change> changes_between(const Settings& before, const Settings& now) {
  auto value_in = [](const Settings& settings, const std::string& key) {
    auto found = settings.find(key);
    return found != settings.end() ? found->second : default_of(key);
  };
  Settings all = before;
  all.insert(now.begin(), now.end());
  std::vector<Change> changes;
  for (const auto& [key, unused] : all)
    if (value_in(before, key) != value_in(now, key))
      changes.push_back({key, value_in(before, key), value_in(now, key)});
  return changes;
}

Json facts_of(const Environment& environment) {
  Json facts = Json::object();
  for (const auto& [key, value] : environment) facts[key] = value;
  return facts;
}

}  // namespace

fs::path run_folder(const Config& config) {
  return fs::path(config.runs_folder) / config.name;
}

RunDirectory::RunDirectory(const Config& config, const Environment& environment, bool fresh)
    : path_(make_folder(config)), lock_(path_), config_text_(to_yaml(config)), environment_(environment) {  // 1, 2
  if (fresh) empty_folder();                                                                                // 3
  read_records();                                                                                           // 4
  for (const auto& [name, record] : records_) {                                                             // 5
    if (!record.locked) continue;
    std::vector<std::string_view> keys;
    for (const auto& [key, unused] : record.settings)
      if (!default_of(key).empty()) keys.push_back(key);
    refuse_changes(name, record.settings, settings_of(config, keys));
  }
  if (!fs::exists(file("config.yaml")) || !fs::exists(file("environment.json"))) describe_run();  // 6
  log_ = std::make_unique<Log>(file("log.jsonl"));
  log_->append(LogLevel::kInfo, "run_opened", {{"fresh", fresh}, {"environment", facts_of(environment_)}});
}

void RunDirectory::describe_run() const {
  core::write_file(file("config.yaml"), config_text_);
  core::write_file(file("environment.json"), facts_of(environment_).dump(2) + "\n");
}

void RunDirectory::empty_folder() const {
  const fs::path lock_file = path_ / "run.lock";
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(path_))
    if (entry.path() != lock_file) entries.push_back(entry.path());
  if (!entries.empty() && !fs::exists(path_ / "config.yaml"))
    throw core::UsageError(
        fmt::format("{}: --fresh expected a run to delete, found files but no config.yaml; use another run name "
                    "(--set name=NAME), or empty the folder by hand",
                    path_.string()));
  for (const fs::path& entry : entries) {
    std::error_code error;
    fs::remove_all(entry, error);
    if (error) throw core::Error(fmt::format("{}: cannot be deleted for --fresh: {}", entry.string(), error.message()));
  }
}

void RunDirectory::read_records() {
  const fs::path path = file("stages.json");
  if (!fs::exists(path)) return;
  const std::string text = core::read_file(path);
  try {
    const Json root = Json::parse(text);
    if (root.at("format") != kStagesFormat)
      throw core::Error(
          fmt::format("{}: expected format {}, found {}; use the version of polar that made this run, or start over "
                      "with --fresh",
                      path.string(), kStagesFormat, root.at("format").dump()));
    for (const auto& [name, entry] : root.at("stages").items()) {
      Environment environment;
      const Json facts = entry.value("environment", Json::object());
      for (const auto& [key, value] : facts.items()) environment.emplace_back(key, value.get<std::string>());
      records_[name] = {entry.at("finished").get<bool>(), entry.at("locked").get<bool>(),
                        entry.at("settings").get<Settings>(),
                        entry.at("inputs").get<std::map<std::string, std::string>>(), std::move(environment)};
    }
  } catch (const Json::exception& error) {
    throw core::Error(
        fmt::format("{}: expected the record of finished stages, found: {}; start over with --fresh, which deletes "
                    "this run's results",
                    path.string(), error.what()));
  }
}

void RunDirectory::refuse_changes(const std::string& stage, const Settings& before, const Settings& now) const {
  std::vector<std::string> expected, found;
  for (const Change& change : changes_between(before, now)) {
    expected.push_back(fmt::format("{} = {}", change.key, change.before));
    found.push_back(fmt::format("{} = {}", change.key, change.now));
  }
  if (expected.empty()) return;
  throw core::UsageError(
      fmt::format("{}: expected {}, as when stage {} began in this run, found {}; use another run name (--set "
                  "name=NAME), or --fresh to delete "
                  "this run's results and start over",
                  path_.string(), fmt::join(expected, ", "), stage, fmt::join(found, ", ")));
}

StageStatus RunDirectory::status(const Stage& stage) const {
  auto found = records_.find(stage.name);
  if (found == records_.end()) return {false, "never ran"};
  const Record& record = found->second;
  if (stage.locked) refuse_changes(stage.name, record.settings, stage.settings);
  if (!record.finished) return {false, "never finished"};
  if (auto changes = changes_between(record.settings, stage.settings); !changes.empty())
    return {false, fmt::format("{} changed from {} to {}", changes[0].key, changes[0].before, changes[0].now)};
  for (const auto& [name, digest] : stage.inputs) {
    auto before = record.inputs.find(name);
    if (before == record.inputs.end() || before->second != digest) return {false, name + " changed"};
  }
  for (const auto& [name, unused] : record.inputs)
    if (!stage.inputs.contains(name)) return {false, name + " is no longer read"};
  for (const std::string& output : stage.outputs)
    if (!fs::exists(file(output))) return {false, output + " is missing"};
  return {true, {}};
}

void RunDirectory::begin(const Stage& stage) {
  if (auto found = records_.find(stage.name); stage.locked && found != records_.end())
    refuse_changes(stage.name, found->second.settings, stage.settings);
  describe_run();
  write_record(stage, false);
  log_->append(LogLevel::kInfo, "stage_began", {{"stage", stage.name}});
}

void RunDirectory::finish(const Stage& stage) {
  for (const std::string& output : stage.outputs)
    if (!fs::exists(file(output)))
      throw core::Error(
          fmt::format("{}: expected to be written by stage {}, found nothing", file(output).string(), stage.name));
  write_record(stage, true);
  log_->append(LogLevel::kInfo, "stage_finished", {{"stage", stage.name}, {"inputs", stage.inputs}});
}

void RunDirectory::write_record(const Stage& stage, bool finished) {
  auto records = records_;
  records[stage.name] = {finished, stage.locked, stage.settings, stage.inputs, environment_};
  Json stages = Json::object();
  for (const auto& [name, record] : records)
    stages[name] = {{"finished", record.finished},
                    {"locked", record.locked},
                    {"settings", record.settings},
                    {"inputs", record.inputs},
                    {"environment", facts_of(record.environment)}};
  core::write_file(file("stages.json"), Json{{"format", kStagesFormat}, {"stages", stages}}.dump(2) + "\n");
  records_ = std::move(records);
}

}  // namespace polar::experiment
