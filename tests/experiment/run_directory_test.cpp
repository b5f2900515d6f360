#include "experiment/run_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

namespace fs = std::filesystem;

/// The shared temporary folder, with whole files read and written by name.
class Folder : public test::TemporaryFolder {
 public:
  fs::path file(const std::string& name) const { return *this / name; }
  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

Config config_in(const fs::path& folder) {
  Config config;
  config.name = "r";
  config.runs_folder = folder.string();
  return config;
}

Stage search_stage(const Config& config) {
  const std::string_view patterns[] = {"seed", "search."};
  return {"search", settings_of(config, patterns), {{"pool", "aa"}}, {"labels.sqlite"}, true};
}

std::string refusal(const std::function<void()>& action, int exit_code = 2) {
  try {
    action();
    return "";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.exit_code(), exit_code);
    return error.what();
  }
}

class RunDirectoryTest : public testing::Test {
 protected:
  RunDirectory open(bool fresh = false) { return RunDirectory(config_, {{"commit", "abc"}, {"seed", "1"}}, fresh); }
  void finish_search() {
    RunDirectory run = open();
    run.begin(search_stage(config_));
    folder_.write("r/labels.sqlite", "x");
    run.finish(search_stage(config_));
  }
  std::string read(const std::string& name) { return folder_.read("r/" + name); }

  Folder folder_;
  Config config_ = config_in(folder_.path());
};

TEST_F(RunDirectoryTest, HoldsTheResolvedConfigurationAndTheEnvironment) {
  open();
  EXPECT_EQ(parse_config(read("config.yaml"), "config.yaml"), config_);
  EXPECT_EQ(read("environment.json"), "{\n  \"commit\": \"abc\",\n  \"seed\": \"1\"\n}\n");
  const auto line = nlohmann::json::parse(read("log.jsonl"));
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["event"], "run_opened");
  EXPECT_EQ(line["environment"]["commit"], "abc");
}

TEST_F(RunDirectoryTest, AStageIsUpToDateOnlyOnceItFinished) {
  RunDirectory run = open();
  const Stage stage = search_stage(config_);
  EXPECT_EQ(run.status(stage).reason, "never ran");
  run.begin(stage);
  EXPECT_EQ(run.status(stage).reason, "never finished");
  EXPECT_EQ(refusal([&] { run.finish(stage); }, 1),
            run.file("labels.sqlite").string() + ": expected to be written by stage search, found nothing");
  folder_.write("r/labels.sqlite", "x");
  run.finish(stage);
  EXPECT_TRUE(run.status(stage).up_to_date);
  EXPECT_EQ(run.status(stage).reason, "");
}

TEST_F(RunDirectoryTest, RemembersStagesWhenOpenedAgain) {
  finish_search();
  EXPECT_TRUE(open().status(search_stage(config_)).up_to_date);
}

TEST_F(RunDirectoryTest, AStageWhoseInputsChangedIsOutOfDate) {
  finish_search();
  RunDirectory run = open();
  Stage stage = search_stage(config_);
  stage.inputs["pool"] = "bb";
  EXPECT_EQ(run.status(stage).reason, "pool changed");
  stage.inputs = {};
  EXPECT_EQ(run.status(stage).reason, "pool is no longer read");
  stage = search_stage(config_);
  stage.inputs["examples"] = "cc";
  EXPECT_EQ(run.status(stage).reason, "examples changed");
}

TEST_F(RunDirectoryTest, AStageWhoseOutputIsGoneIsOutOfDate) {
  finish_search();
  fs::remove(folder_.file("r/labels.sqlite"));
  EXPECT_EQ(open().status(search_stage(config_)).reason, "labels.sqlite is missing");
}

TEST_F(RunDirectoryTest, AStageWhoseSettingsChangedIsOutOfDateAndSaysWhich) {
  const std::string_view patterns[] = {"predict."};
  {
    RunDirectory run = open();
    const Stage stage{"train", settings_of(config_, patterns), {}, {}};
    run.begin(stage);
    run.finish(stage);
  }
  config_.predict.epochs = 3;
  EXPECT_EQ(open().status({"train", settings_of(config_, patterns), {}, {}}).reason,
            "predict.epochs changed from 10 to 3");
}

TEST_F(RunDirectoryTest, RefusesChangedSearchSettingsBeforeItWritesAnything) {
  open().begin(search_stage(config_));  // killed before it finished
  const std::string saved = read("config.yaml"), log = read("log.jsonl");
  config_.search.rollouts = 200;
  config_.seed = 2;
  EXPECT_EQ(
      refusal([&] { open(); }),
      folder_.file("r").string() +
          ": expected search.rollouts = 100, seed = 1, as when stage search began in this run, found search.rollouts = "
          "200, "
          "seed = 2; use another run name (--set name=NAME), or --fresh to delete this run's results and start over");
  EXPECT_EQ(read("config.yaml"), saved);
  EXPECT_EQ(read("log.jsonl"), log);
}

TEST_F(RunDirectoryTest, AKeyThatTheRecordDoesNotKnowCountsAsAtItsDefault) {
  Stage older = search_stage(config_);
  older.settings.erase("search.max_edits");
  open().begin(older);
  RunDirectory run = open();
  EXPECT_EQ(run.status(search_stage(config_)).reason, "never finished");
  config_.search.max_edits = 5;
  EXPECT_NE(refusal([&] { run.begin(search_stage(config_)); }).find("expected search.max_edits = 3, as when"),
            std::string::npos);
}

TEST_F(RunDirectoryTest, OtherSettingsAndSpeedMayChangeUnderLabels) {
  finish_search();
  config_.eval.max_k = 3;
  config_.exec.workers = 2;
  config_.search.trees_in_step = 7;
  RunDirectory run = open();
  EXPECT_TRUE(run.status(search_stage(config_)).up_to_date);
  EXPECT_EQ(parse_config(read("config.yaml"), "config.yaml").eval.max_k, 5) << "what is there was made with 5";
  run.begin({"evaluate", {}, {}, {}});
  EXPECT_EQ(parse_config(read("config.yaml"), "config.yaml").eval.max_k, 3);
}

TEST_F(RunDirectoryTest, FreshDeletesTheRunAndAcceptsNewSettings) {
  finish_search();
  fs::create_directory(folder_.file("r/predictor"));
  config_.search.rollouts = 200;
  RunDirectory run = open(true);
  EXPECT_FALSE(fs::exists(run.file("labels.sqlite")));
  EXPECT_FALSE(fs::exists(run.file("predictor")));
  EXPECT_EQ(run.status(search_stage(config_)).reason, "never ran");
}

TEST_F(RunDirectoryTest, FreshRefusesToDeleteWhatIsNoRun) {
  fs::create_directory(folder_.file("r"));
  folder_.write("r/thesis.txt", "x");
  EXPECT_EQ(refusal([&] { open(true); }), folder_.file("r").string() +
                                              ": --fresh expected a run to delete, found files but no config.yaml; use "
                                              "another run name (--set name=NAME), or "
                                              "empty the folder by hand");
  EXPECT_EQ(read("thesis.txt"), "x");
}

TEST_F(RunDirectoryTest, RefusesASecondWriter) {
  RunDirectory run = open();
  EXPECT_NE(refusal([&] { open(); }, 1).find("another process is writing to this run"), std::string::npos);
}

TEST_F(RunDirectoryTest, NamesABrokenRecord) {
  open();
  folder_.write("r/stages.json", "{\"format\": 1");
  const std::string message = refusal([&] { open(); }, 1);
  EXPECT_TRUE(
      message.starts_with(folder_.file("r/stages.json").string() + ": expected the record of finished stages, found: "))
      << message;
  EXPECT_TRUE(message.ends_with("; start over with --fresh, which deletes this run's results")) << message;
  folder_.write("r/stages.json", "{\"format\": 9, \"stages\": {}}");
  EXPECT_EQ(refusal([&] { open(); }, 1),
            folder_.file("r/stages.json").string() +
                ": expected format 1, found 9; use the version of polar that made this run, or start over "
                "with --fresh");
}

TEST_F(RunDirectoryTest, RefusesARunsFolderThatIsAFile) {
  config_.runs_folder = folder_.write("file", "x").string();
  const std::string message = refusal([&] { open(); });
  EXPECT_TRUE(message.starts_with(folder_.file("file/r").string() + ": ")) << message;
  EXPECT_NE(message.find("Not a directory"), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with("; set another place: --set runs_folder=FOLDER")) << message;
  EXPECT_EQ(folder_.read("file"), "x");
}

/// Root may do anything, so that the test steps down to an ordinary user for its duration.
class AsOrdinaryUser {
 public:
  AsOrdinaryUser() {
    if (was_root_ && seteuid(65534) != 0) throw std::runtime_error("cannot step down from root");
  }
  ~AsOrdinaryUser() {
    if (was_root_ && seteuid(0) != 0) std::abort();
  }

 private:
  const bool was_root_ = geteuid() == 0;
};

TEST_F(RunDirectoryTest, RefusesAFolderThatCannotBeWrittenOrRead) {
  fs::create_directory(folder_.file("r"));
  for (int mode : {0555, 0000, 0333}) {
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::permissions(folder_.file("r"), fs::perms(mode));
    std::string message;
    {
      const AsOrdinaryUser user;
      message = refusal([&] { open(); });
    }
    EXPECT_TRUE(message.starts_with(folder_.file("r").string() + ": ")) << message;
    EXPECT_NE(message.find("Permission denied"), std::string::npos) << message;
    EXPECT_TRUE(message.ends_with("; set another place: --set runs_folder=FOLDER")) << message;
    fs::permissions(folder_.file("r"), fs::perms(0755));
    EXPECT_TRUE(fs::is_empty(folder_.file("r")));
  }
}

TEST(Log, EndsALineThatWasCutShort) {
  const Folder folder;
  const auto path = folder.write("log.jsonl", "{\"event\":\"cut");
  Log log(path);
  log.append(LogLevel::kWarning, "next", {{"bad", "\xff"}, {"number", 0.5}});
  const std::string text = folder.read("log.jsonl");
  const auto line = nlohmann::json::parse(text.substr(text.find('\n') + 1));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["bad"], "\uFFFD");
  EXPECT_EQ(line["number"], 0.5);
  EXPECT_EQ(line["time"].get<std::string>().size(), std::string("2025-01-31T12:00:00.123Z").size());
}

TEST(Log, NamesAPathThatCannotBeOpened) {
  EXPECT_EQ(refusal([] { Log log("/nowhere/log.jsonl"); }, 1),
            "/nowhere/log.jsonl: the log cannot be opened: No such file or directory");
}

TEST(Log, SaysThatTheDiskIsFull) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Log log("/dev/full");
  EXPECT_EQ(refusal([&] { log.append(LogLevel::kInfo, "x"); }, 1),
            "/dev/full: the log cannot be written: No space left on device");
}

}  // namespace
}  // namespace polar::experiment
