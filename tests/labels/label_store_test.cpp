#include "labels/label_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/seed.h"
#include "labels/sqlite.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using core::Program;
using search::Outcome;
using search::Trial;
using namespace polar::test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class LabelStoreTest : public ::testing::Test {
 protected:
  LabelStore open(const StoreIdentity& identity = some_identity(), const SearchSettings& settings = some_settings(),
                  const StoreOptions& options = {}) {
    return LabelStore::open(lock_, "labels.sqlite", identity, settings, options);
  }
  std::string refusal(const StoreIdentity& identity, const SearchSettings& settings) {
    return message_of<core::UsageError>([&] { open(identity, settings); });
  }
  Outcome outcome(bool correct, int layers, double margin, double log_prob = -1) {
    return {correct, log_prob, 2, margin, layers, "5", true};
  }
  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(LabelStoreTest, GivesBackEveryFieldAndEveryBitOfADouble) {
  const std::vector<double> numbers = {
      0.1,       -1.0 / 3, -5e-324, 2.2250738585072014e-308, -1.7976931348623157e308, -kInfinity,
      kInfinity, 0.0,      -42,     9007199254740993.0};
  std::vector<Trial> trials;
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    trials.push_back({"a", Program{0, static_cast<int>(i), 9, 9}, {0.1 * static_cast<double>(i), static_cast<int>(i)}});
    outcomes.push_back(
        {i % 2 == 0, numbers[i], 3, numbers[numbers.size() - 1 - i], 4, std::string("x\ty\0z\n€", 8), i % 3 == 0});
  }
  {
    LabelStore store = open();
    store.add_examples(some_examples());
    store.record("a", 0, trials, outcomes);
  }
  const std::vector<StoredTrial> read = LabelStore::read(folder_ / "labels.sqlite").trials("a");
  ASSERT_EQ(read.size(), trials.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    EXPECT_EQ(read[i].trial, trials[i]);
    EXPECT_EQ(read[i].outcome, outcomes[i]);
    EXPECT_EQ(read[i].round, 0);
  }
}

TEST_F(LabelStoreTest, StoresMinusZeroAsZeroAndStillKnowsTheRoundAgain) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}};
  const std::vector<Outcome> outcomes = {outcome(true, 2, -0.0, -0.0)};
  store.record("a", 0, trials, outcomes);
  EXPECT_FALSE(std::signbit(store.trials("a")[0].outcome.margin));
  EXPECT_NO_THROW(store.record("a", 0, trials, outcomes));
}

TEST_F(LabelStoreTest, RefusesWhatIsNotANumberAndRecordsNothingOfTheRound) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}, {"a", Program{0, 2}, {}}};
  for (int field = 0; field < 2; ++field) {
    std::vector<Outcome> outcomes = {outcome(true, 2, 1), outcome(true, 2, 1)};
    (field == 0 ? outcomes[1].margin : outcomes[1].answer_log_prob) = std::nan("");
    expect_parts(message_of<core::Error>([&] { store.record("a", 0, trials, outcomes); }),
                 {"labels.sqlite", "round 0 of example 'a'", field == 0 ? "margin" : "answer_log_prob", "0,2"});
  }
  EXPECT_EQ(store.state("a"), SearchState{});
}

TEST_F(LabelStoreTest, RefusesMalformedRounds) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}};
  const std::vector<Outcome> outcomes = {outcome(true, 2, 1)};
  const auto refused = [&](const std::string& example, int round, std::span<const Trial> t,
                           std::span<const Outcome> o) {
    return message_of<core::Error>([&] { store.record(example, round, t, o); });
  };
  expect_parts(refused("a", 0, trials, {}), {"found 0 and 1"});
  expect_parts(refused("a", 0, {}, {}), {"at least one"});
  expect_parts(refused("c", 0, trials, outcomes), {"trial 0 belongs to example 'a'"});
  expect_parts(refused("a", 1, trials, outcomes), {"expected round 0"});
  expect_parts(refused("a", -1, trials, outcomes), {"expected round 0"});
  const std::vector<Trial> stranger = {{"z", Program{0, 1}, {}}}, empty = {{"a", Program{}, {}}};
  expect_parts(refused("z", 0, stranger, outcomes), {"'z'", "not registered"});
  expect_parts(refused("a", 0, empty, outcomes), {"empty program"});
  EXPECT_EQ(store.digests().trials, 0);
}

TEST_F(LabelStoreTest, AcceptsAReplayedRoundAndRefusesOneThatDiffers) {
  LabelStore store = open();
  const std::vector<Round> rounds = some_rounds();
  record_all(store, rounds);
  const LabelDigests before = store.digests();
  record_all(store, rounds);
  EXPECT_EQ(store.digests().exact, before.exact);

  Round other = rounds[1];
  other.outcomes[2].margin = std::nextafter(other.outcomes[2].margin, kInfinity);
  expect_parts(
      message_of<core::Error>([&] { store.record(other.example, other.number, other.trials, other.outcomes); }),
      {"round 0 of example 'a b'", "trial 2", "--new-search"});
  other = rounds[1];
  other.trials.pop_back();
  other.outcomes.pop_back();
  expect_parts(
      message_of<core::Error>([&] { store.record(other.example, other.number, other.trials, other.outcomes); }),
      {"recorded 4 trials, now found 3"});
}

TEST_F(LabelStoreTest, KeepsAStepWholeOrNotAtAll) {
  const std::vector<Round> rounds = some_rounds(1);
  LabelStore store = open();
  store.add_examples(some_examples());
  std::vector<search::FinishedRound> step;
  for (const Round& round : rounds) step.push_back({round.example, round.number, round.trials, round.outcomes});
  step.push_back({rounds[0].example, 7, rounds[0].trials, rounds[0].outcomes});
  expect_parts(message_of<core::Error>([&] { store.record_step(step); }), {"expected round 1"});
  EXPECT_EQ(store.trial_count(), 0);
  step.pop_back();
  store.record_step(step);
  EXPECT_EQ(store.digests().exact, undisturbed_digests(rounds).exact);
  store.record_step(step);  // compared
  EXPECT_EQ(store.digests().exact, undisturbed_digests(rounds).exact);
}

TEST_F(LabelStoreTest, KeepsStateAcrossOpenings) {
  {
    LabelStore store = open();
    record_all(store, some_rounds());
    store.mark_done("a");
    store.mark_done("a");
  }
  LabelStore store = open();
  EXPECT_EQ(store.state("a"), (SearchState{3, true}));
  EXPECT_EQ(store.state("c"), (SearchState{3, false}));
  EXPECT_EQ(store.state("unknown"), SearchState{});
  EXPECT_EQ(store.identity(), some_identity());
  EXPECT_EQ(store.settings(), some_settings());
  EXPECT_THROW(store.mark_done("unknown"), core::Error);
}

TEST_F(LabelStoreTest, DigestsAreThoseOfTheDocumentedLines) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> second = {{"a b", Program{0, 1, 3}, {0.7, 2}}},
                           first = {{"a", Program{0, 2}, {}}, {"a", Program{0, 1}, {}}};
  store.record("a b", 0, second, std::vector<Outcome>{outcome(false, 3, -0.5, -kInfinity)});
  store.record("a", 0, first, std::vector<Outcome>{outcome(true, 2, 1.5, -0.25), outcome(false, 2, -3, -1)});
  const auto header = [](const std::string& name) {
    return "polar labels " + name +
           " 1\nweights\tw1\ntask\tt1\ngrader\tnumeric:first\nstop_rule\tverdict\nroot_seed\t7\nsettings\t" +
           some_settings().digest() + "\nfingerprint\tcpu bf16\n";
  };
  EXPECT_EQ(store.digests().verdicts,
            core::sha256(header("verdicts") + "a\t0,2\t0#0\t1\na\t0-1\t0#0\t0\na b\t0-1,3\t0.7#2\t0\n"));
  EXPECT_EQ(store.digests().exact, core::sha256(header("exact") + "a\t0,2\t0#0\t1\t-1p-2\t1.8p+0\n"
                                                                  "a\t0-1\t0#0\t0\t-1p+0\t-1.8p+1\n"
                                                                  "a b\t0-1,3\t0.7#2\t0\t-inf\t-1p-1\n"));
  EXPECT_EQ(store.digests().trials, 3);
}

TEST_F(LabelStoreTest, DigestsDoNotDependOnTheOrderOfRecording) {
  const LabelDigests expected = undisturbed_digests(some_rounds(4, 3));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const TemporaryFolder folder;
    const RunLock lock(folder.path());
    LabelStore store = LabelStore::open(lock, "labels.sqlite", some_identity(), some_settings());
    std::vector<StoredExample> examples = some_examples();
    core::Random random(seed);
    random.shuffle(examples);
    store.add_examples(examples);
    std::vector<Round> rounds = some_rounds(4, 3);
    random.shuffle(rounds);  // examples interleave anyhow; rounds of one example stay in order
    std::stable_sort(rounds.begin(), rounds.end(), [](const Round& a, const Round& b) { return a.number < b.number; });
    for (const Round& round : rounds) store.record(round.example, round.number, round.trials, round.outcomes);
    EXPECT_EQ(store.digests().verdicts, expected.verdicts);
    EXPECT_EQ(store.digests().exact, expected.exact);
  }
}

TEST_F(LabelStoreTest, DigestsTellVerdictsFromBits) {
  std::vector<Round> rounds = some_rounds();
  const LabelDigests expected = undisturbed_digests(rounds);
  rounds[0].outcomes[0].margin = std::nextafter(rounds[0].outcomes[0].margin, kInfinity);
  const LabelDigests bits = undisturbed_digests(rounds);
  EXPECT_EQ(bits.verdicts, expected.verdicts);
  EXPECT_NE(bits.exact, expected.exact);
  rounds[0].outcomes[0].correct = !rounds[0].outcomes[0].correct;
  EXPECT_NE(undisturbed_digests(rounds).verdicts, expected.verdicts);
}

TEST_F(LabelStoreTest, SortsValidProgramsByOptimality) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> trials = {{"a", Program{0, 1, 2}, {}}, {"a", Program{0, 1, 3}, {}},
                                     {"a", Program{0, 4}, {}},    {"a", Program{0, 5}, {}},
                                     {"a", Program{5}, {0.7, 0}}, {"a", Program{0, 1, 2}, {0, 1}}};
  const std::vector<Outcome> outcomes = {outcome(true, 3, 1),  outcome(true, 3, 2), outcome(true, 2, 0.5),
                                         outcome(false, 2, 9), outcome(true, 1, 9), outcome(true, 3, 1)};
  store.record("a", 0, trials, outcomes);
  std::vector<Program> programs;
  for (const search::RecordedTrial& trial : store.valid_programs("a")) programs.push_back(trial.program);
  EXPECT_EQ(programs, (std::vector<Program>{Program{0, 4}, Program{0, 1, 3}, Program{0, 1, 2}}));
  EXPECT_TRUE(store.valid_programs("c").empty());
}

TEST_F(LabelStoreTest, CountsByLevelAndListsExamplesBySplit) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}, {"a", Program{0, 2}, {}}};
  store.record("a", 0, trials, std::vector<Outcome>{outcome(true, 2, 1), outcome(false, 2, -1)});
  const std::vector<Trial> sampled = {{"c", Program{0, 1}, {0.7, 0}}};
  store.record("c", 0, sampled, std::vector<Outcome>{outcome(true, 2, 1)});
  store.mark_done("c");
  EXPECT_EQ(store.level_counts(), (std::vector<LevelCount>{{Split::kTrain, "products", 1, 0, 0, 0, 0},
                                                           {Split::kTrain, "sums", 1, 0, 1, 2, 1, 1, 0, 0, 0, 2},
                                                           {Split::kValid, "sums", 1, 1, 0, 1, 1}}));
  EXPECT_EQ(store.examples(), some_examples());
  EXPECT_EQ(store.examples(Split::kValid), (std::vector<StoredExample>{{"c", Split::kValid, "sums"}}));
}

TEST_F(LabelStoreTest, CountsExamplesByWhatTheIdentityAnsweredAndTheShortestValidProgram) {
  LabelStore store = open();
  store.add_examples(std::vector<StoredExample>{{"right", Split::kTrain, "x"},
                                                {"right, shorter", Split::kTrain, "x"},
                                                {"rescued", Split::kTrain, "x"},
                                                {"rescued, shorter", Split::kTrain, "x"},
                                                {"lost", Split::kTrain, "x"},
                                                {"without identity", Split::kTrain, "x"}});
  const auto record = [&](const std::string& id, const std::vector<std::pair<Program, bool>>& programs) {
    std::vector<Trial> trials;
    std::vector<Outcome> outcomes;
    for (const auto& [program, correct] : programs) {
      trials.push_back({id, program, {}});
      outcomes.push_back(outcome(correct, program.length(), 0));
    }
    store.record(id, 0, trials, outcomes);
  };
  const Program identity{0, 1, 2, 3}, loop{0, 1, 1, 2, 3}, skip{0, 1, 3}, prefix{0, 1, 2};
  record("right", {{identity, true}, {skip, false}, {loop, true}});
  record("right, shorter", {{identity, true}, {skip, true}});
  record("rescued", {{identity, false}, {loop, true}});
  record("rescued, shorter", {{identity, false}, {loop, true}, {prefix, true}});
  record("lost", {{identity, false}, {loop, false}});
  record("without identity", {{skip, true}});
  const LevelCount count = store.level_counts().at(0);
  EXPECT_EQ(store.depth(), 4);
  EXPECT_EQ(count.solved, 5);
  EXPECT_EQ(std::pair(count.c_to_c, count.c_to_c_shorter), (std::pair<std::int64_t, std::int64_t>(2, 1)));
  EXPECT_EQ(std::pair(count.w_to_c, count.w_to_c_shorter), (std::pair<std::int64_t, std::int64_t>(2, 1)));
  EXPECT_EQ(count.shortest_layers, 4 + 3 + 5 + 3 + 3);
}

TEST_F(LabelStoreTest, RecordsManyRoundsInOneTransaction) {
  const LabelDigests expected = undisturbed_digests(some_rounds());
  LabelStore store = open();
  LabelStore reader = LabelStore::read(folder_ / "labels.sqlite");
  {
    LabelStore::Batch batch(store);
    record_all(store, some_rounds());
    store.mark_done("a");
    EXPECT_EQ(reader.trial_count(), 0) << "nobody sees a batch before its commit";
    batch.commit();
  }
  EXPECT_EQ(reader.trial_count(), 36);
  EXPECT_EQ(store.digests().exact, expected.exact);
  EXPECT_TRUE(store.state("a").done);
  const LabelStore::Batch first(store);
  expect_parts(message_of<core::Error>([&] { LabelStore::Batch second(store); }), {"another batch is open"});
}

TEST_F(LabelStoreTest, ABatchThatIsLeftOrBrokenLeavesNothing) {
  LabelStore store = open();
  store.add_examples(some_examples());
  const std::vector<Round> rounds = some_rounds(1);
  {
    const LabelStore::Batch batch(store);
    record_all(store, rounds);
  }
  EXPECT_EQ(store.trial_count(), 0);
  {
    LabelStore::Batch batch(store);
    record_all(store, rounds);
    EXPECT_THROW(store.record("unknown", 0, rounds[0].trials, rounds[0].outcomes), core::Error);
    EXPECT_THROW(store.add_examples(std::vector<StoredExample>{{"", Split::kTrain, ""}}), core::Error);
    expect_parts(message_of<core::Error>([&] { store.mark_done("a"); }), {"rolled back after a failure"});
    expect_parts(message_of<core::Error>([&] { batch.commit(); }), {"rolled back after a failure"});
  }
  EXPECT_EQ(store.trial_count(), 0);
  record_all(store, rounds);
  EXPECT_EQ(store.digests().exact, undisturbed_digests(rounds).exact);
}

TEST_F(LabelStoreTest, SelectsAnySearchOfTheFile) {
  SearchSettings other = some_settings();
  other.root_seed = 8;
  {
    LabelStore store = open();
    record_all(store, some_rounds(2));
  }
  {
    LabelStore store = open(some_identity(), other, {.new_search = true});
    record_all(store, some_rounds(1));
  }
  LabelStore store = LabelStore::read(folder_ / "labels.sqlite");
  EXPECT_EQ(store.search_count(), 2);
  EXPECT_EQ(store.digests().trials, 12);
  store.select_search(0);
  EXPECT_EQ(store.settings(), some_settings());
  EXPECT_EQ(store.digests().trials, 24);
  EXPECT_EQ(store.trial_count(), 36);
  for (const int index : {-1, 2}) {
    expect_parts(message_of<core::Error>([&] { store.select_search(index); }), {"from 0 to 1", std::to_string(index)});
  }
}

TEST_F(LabelStoreTest, ListsExamplesInTheOrderOfTheirRegistration) {
  LabelStore store = open();
  const std::vector<StoredExample> examples = {{"z", Split::kTrain, ""}, {"a", Split::kValid, ""}};
  store.add_examples(examples);
  EXPECT_EQ(store.registered_examples(), examples);
}

TEST_F(LabelStoreTest, RefusesAnotherPoolTaskOrGraderWhateverIsAsked) {
  open();
  StoreIdentity other = some_identity();
  other.weights_digest = "w2";
  other.pool_name = "pool B";
  expect_parts(refusal(other, some_settings()), {"labels.sqlite", "pool A w1", "pool B w2", "another run name"});
  EXPECT_THROW(open(other, some_settings(), {.new_search = true}), core::UsageError);
  other = some_identity();
  other.task_digest = "t2";
  expect_parts(refusal(other, some_settings()), {"sums t1", "sums t2", "another run name"});
  other = some_identity();
  other.grader = "exact";
  expect_parts(refusal(other, some_settings()), {"numeric:first", "exact", "another run name"});
}

TEST_F(LabelStoreTest, AddsNothingOfAnotherPoolToAStoreThatDiedBeforeItsFirstSearch) {
  open();
  Database(folder_ / "labels.sqlite", OpenMode::kWrite).execute("DELETE FROM settings", "going back to that moment");
  StoreIdentity other = some_identity();
  other.weights_digest = "other";
  SearchSettings settings = some_settings();
  settings.root_seed = 99;
  EXPECT_THROW(open(other, settings), core::UsageError);
  EXPECT_NO_THROW(open());
}

TEST_F(LabelStoreTest, RefusesAnotherFingerprintOrSettingsUntilANewSearchIsAsked) {
  {
    LabelStore store = open();
    record_all(store, some_rounds());
  }
  StoreIdentity identity = some_identity();
  identity.fingerprint = "cpu f32";
  expect_parts(refusal(identity, some_settings()), {"fingerprint", "cpu bf16", "cpu f32", "--new-search"});
  SearchSettings settings = some_settings();
  settings.text = "rollouts 24\nspace loops only";
  const std::string message = refusal(some_identity(), settings);
  expect_parts(message, {"'space default'", "'space loops only'", "--new-search"});
  EXPECT_EQ(message.find("rollouts"), std::string::npos) << message;
  settings.text = some_settings().text + "\nmore 1";
  EXPECT_THROW(open(some_identity(), settings), core::UsageError);
  settings = some_settings();
  settings.root_seed = 8;
  expect_parts(refusal(some_identity(), settings), {"root seed", "'7'", "'8'"});
  settings = some_settings();
  settings.stop_rule = "answer";
  expect_parts(refusal(some_identity(), settings), {"stop rule", "'verdict'", "'answer'"});

  {
    LabelStore store = open(identity, some_settings(), {.new_search = true});
    EXPECT_EQ(store.digests().trials, 0);
    record_all(store, some_rounds(1));
    EXPECT_EQ(store.digests().trials, 12);
  }
  EXPECT_EQ(open().digests().trials, 36) << "the first search stays and can be resumed";
  EXPECT_EQ(LabelStore::read(folder_ / "labels.sqlite").identity().fingerprint, "cpu f32")
      << "a reader sees the newest";
}

TEST_F(LabelStoreTest, RefusesAnUnknownStopRule) {
  SearchSettings settings = some_settings();
  settings.stop_rule = "never";
  expect_parts(refusal(some_identity(), settings), {"'verdict' or 'answer'", "'never'"});
}

TEST_F(LabelStoreTest, ReusesOnlyOutcomesThatHoldForTheCurrentSearch) {
  const std::vector<Trial> trials = {{"a", Program{0, 1}, {}}, {"a", Program{0, 1}, {0.7, 0}}};
  const std::vector<Outcome> outcomes = {outcome(true, 2, 1), outcome(false, 2, -1)};
  {
    LabelStore store = open();
    store.add_examples(some_examples());
    store.record("a", 0, trials, outcomes);
  }
  const auto reusable = [&](const StoreIdentity& identity, const SearchSettings& settings) {
    return open(identity, settings, {.new_search = true}).reusable_trials("a").size();
  };
  SearchSettings settings = some_settings();
  EXPECT_EQ(reusable(some_identity(), settings), 2u);
  settings.text = "other";
  EXPECT_EQ(reusable(some_identity(), settings), 2u);
  settings.root_seed = 8;
  EXPECT_EQ(reusable(some_identity(), settings), 1u) << "sampling noise depends on the root seed";
  settings.stop_rule = "answer";
  EXPECT_EQ(reusable(some_identity(), settings), 0u);
  StoreIdentity identity = some_identity();
  identity.fingerprint = "cpu f32";
  EXPECT_EQ(reusable(identity, some_settings()), 0u);
}

TEST_F(LabelStoreTest, KeepsTestExamplesOutOfTraining) {
  LabelStore store = open();
  const std::vector<StoredExample> test = {{"t", Split::kTest, "sums"}};
  expect_parts(message_of<core::Error>([&] { store.add_examples(test); }), {"'t'", "tagged test", "labels store"});
  store.add_examples(some_examples());
  EXPECT_NO_THROW(store.require_trainable());

  LabelStore oracle =
      LabelStore::open(lock_, "oracle.sqlite", some_identity(), some_settings(), {.kind = StoreKind::kOracle});
  EXPECT_EQ(oracle.kind(), StoreKind::kOracle);
  expect_parts(message_of<core::Error>([&] { oracle.require_trainable(); }),
               {"oracle.sqlite", "oracle's store", "labels.sqlite"});
  EXPECT_THROW(oracle.add_examples(some_examples()), core::Error);
  oracle.add_examples(test);
  expect_parts(message_of<core::Error>([&] { oracle.require_trainable(); }), {"tagged test"});
  expect_parts(
      message_of<core::UsageError>([&] { LabelStore::open(lock_, "oracle.sqlite", some_identity(), some_settings()); }),
      {"'oracle'", "'labels'"});
}

TEST_F(LabelStoreTest, RefusesExamplesItCannotNameOrThatMoved) {
  LabelStore store = open();
  store.add_examples(some_examples());
  for (const char* id : {"", "tab\tid", "line\nid"}) {
    const std::vector<StoredExample> bad = {{"fine", Split::kTrain, ""}, {id, Split::kTrain, ""}};
    expect_parts(message_of<core::Error>([&] { store.add_examples(bad); }), {"control characters"});
  }
  EXPECT_EQ(store.examples().size(), 3u) << "a refused list adds nothing";
  const std::vector<StoredExample> moved = {{"a", Split::kValid, "sums"}};
  expect_parts(message_of<core::Error>([&] { store.add_examples(moved); }), {"'a'", "train", "valid"});
}

TEST_F(LabelStoreTest, DocumentsItselfAndKeepsForeignKeys) {
  {
    LabelStore store = open();
    record_all(store, some_rounds());
  }
  Database database(folder_ / "labels.sqlite", OpenMode::kRead);
  Statement tables(database, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'about'", "test");
  Statement about(database, "SELECT LENGTH(value) FROM about WHERE key = ?", "test");
  while (tables.next()) {
    const std::string key = "table " + tables.text(0);
    about.bind(1, std::string_view(key));
    EXPECT_TRUE(about.next()) << key;
    about.reset();
  }
  Statement readable(database, "SELECT COUNT(*) FROM labels WHERE example = 'a b' AND level = 'products'", "test");
  ASSERT_TRUE(readable.next());
  EXPECT_EQ(readable.integer(0), 12);
  EXPECT_FALSE(Statement(database, "PRAGMA foreign_key_check", "test").next());
}

TEST_F(LabelStoreTest, ReadsWhileAWriterIsAtWorkAndRecordsNothing) {
  LabelStore writer = open();
  record_all(writer, some_rounds(1));
  LabelStore reader = LabelStore::read(folder_ / "labels.sqlite");
  EXPECT_EQ(reader.digests().exact, writer.digests().exact);
  record_all(writer, some_rounds(2));
  EXPECT_EQ(reader.digests().exact, writer.digests().exact);
  expect_parts(message_of<core::Error>([&] { reader.add_examples(some_examples()); }), {"opened for reading"});
  EXPECT_THROW(reader.mark_done("a"), core::Error);
}

}  // namespace
}  // namespace polar::labels
