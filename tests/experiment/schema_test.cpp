#include "experiment/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "core/error.h"

namespace polar::experiment {
namespace {

using Overrides = std::vector<std::string>;

Config parse(std::string_view yaml, const Overrides& overrides = {}) {
  return parse_config(yaml, "x.yaml", overrides);
}

/// The message that parsing ends with; "" when it succeeds.
std::string refusal(std::string_view yaml, const Overrides& overrides = {}) {
  try {
    parse(yaml, overrides);
    return "";
  } catch (const core::UsageError& error) {
    EXPECT_EQ(error.exit_code(), 2);
    return error.what();
  }
}

TEST(Schema, GivesEveryKeyItsDefault) {
  const Config config = parse("name: a");
  EXPECT_EQ(config.name, "a");
  EXPECT_EQ(config.seed, 1u);
  EXPECT_EQ(config.runs_folder, "runs");
  EXPECT_EQ(config.pool, "pools/smollm2-135m");
  EXPECT_EQ(config.task.stop, std::vector<std::string>{"\n"});
  EXPECT_EQ(config.task.grader, "numeric:first");
  EXPECT_EQ(config.exec.chunk_rows, 0);
  EXPECT_TRUE(config.exec.batch_invariant);
  EXPECT_EQ(config.search.rollouts, 100);
  EXPECT_EQ(config.search.max_depth, 1.15);
  EXPECT_EQ(config.predict.learning_rate, 5e-4);
  EXPECT_EQ(config.menu.size, 48);
  EXPECT_EQ(config.eval.policies.size(), 6u);
  Config expected;
  expected.name = "a";
  EXPECT_EQ(config, expected);
}

TEST(Schema, ReadsNestedKeysListsAndComments) {
  const Config config = parse(
      "name: my-run  # a comment\n"
      "search:\n"
      "  rollouts: 7\n"
      "  exploration: 1\n"
      "  skip: false\n"
      "eval: {policies: [base, menu]}\n"
      "exec:\n"
      "menu: {ridge: [0.5, 1e3], scorer: logistic}\n"
      "task:\n"
      "  template: \"Q: {question}\\nA:\"\n"
      "  levels:\n"
      "    - one\n"
      "    - 'two: 2'\n");
  EXPECT_EQ(config.search.rollouts, 7);
  EXPECT_EQ(config.search.exploration, 1.0);
  EXPECT_FALSE(config.search.skip);
  EXPECT_EQ(config.menu.ridge, (std::vector<double>{0.5, 1000}));
  EXPECT_EQ(config.task.prompt_template, "Q: {question}\nA:");
  EXPECT_EQ(config.task.levels, (std::vector<std::string>{"one", "two: 2"}));
}

TEST(Schema, RefusesThePolicyRandomInASpaceWithoutProgramsOfEqualDepth) {
  EXPECT_NE(refusal("name: a\nsearch:\n  loop: false\n").find("x.yaml:3: search.loop: expected search.skip and"),
            std::string::npos);
}

TEST(Schema, GivesRoutersTheirPublishedDefaultsAndRefusesPolesOfTheirLoss) {
  const Config config = parse("name: a\neval: {policies: [base, drllm, mindskip, flexidepth]}");
  EXPECT_EQ(config.router.epochs, 15);
  EXPECT_EQ(config.router.batch, 16);
  EXPECT_EQ(config.router.learning_rate, 1e-3);
  EXPECT_EQ(config.router.warmup_steps, 500);
  EXPECT_EQ(config.router.windows, 8);
  EXPECT_EQ(config.router.focal_gamma, 2);
  EXPECT_EQ(config.router.class_beta, 0.999);
  EXPECT_EQ(config.router.dial, 0);
  EXPECT_EQ(parse("name: a\nrouter: {focal_gamma: 0, class_beta: 0, dial: -1}").router.dial, -1);
  EXPECT_EQ(refusal("name: a\nrouter: {focal_gamma: 0.5}"),
            "x.yaml:2: router.focal_gamma: expected 0 or a number >= 1, found '0.5'");
  EXPECT_EQ(refusal("name: a\nrouter: {class_beta: 1}"),
            "x.yaml:2: router.class_beta: expected a number from 0 to below 1, found '1'");
  EXPECT_EQ(refusal("name: a\nrouter: {dial: 2}"), "x.yaml:2: router.dial: expected a number from -1 to 1, found '2'");
}

TEST(Schema, RefusesPredictorsOfLevelsThatNothingEvaluates) {
  EXPECT_EQ(refusal("name: a\neval: {policies: [base]}\npredict: {per_level: true}"),
            "x.yaml:3: predict.per_level: expected the policy predictor with predict.per_level true, beside which its "
            "predictors are evaluated, found none");
}

TEST(Schema, RefusesACascadeWithoutTriesOrOverAMenuThatThereIsNot) {
  EXPECT_EQ(refusal("name: a\neval: {policies: [base, cascade]}"),
            "x.yaml:2: eval.policies: expected menu.cascade_tries of at least 2 with the policy cascade, found 1");
  EXPECT_EQ(refusal("name: a\nbaselines: {finalists_per_level: 3}"),
            "x.yaml:2: baselines.finalists_per_level: expected finalists to be ranked on at least the 20 examples a "
            "level of the first ranking, found 3 (0: all)");
  EXPECT_NO_THROW(parse("name: a\nbaselines: {finalists: 0, finalists_per_level: 3}"));
  EXPECT_EQ(refusal("name: a\nmenu: {cascade_tries: 2, cascade_from: 0.9}"),
            "x.yaml:2: menu.cascade_from: expected 0 or one of menu.operating_points, found 0.9");
  EXPECT_EQ(refusal("name: a\nmenu: {cascade_tries: 5, size: 4}"),
            "x.yaml:2: menu.cascade_tries: expected menu.cascade_tries of at most the menu's 4 programs, found 5");
  EXPECT_NE(refusal("name: a\nmenu: {cascade_tries: 5, candidates: 4}").find("at most the menu's 4 programs"),
            std::string::npos);
  const std::string good = "name: a\nmenu: {cascade_tries: 3, cascade_from: 0.9, operating_points: [0.9]}\n";
  EXPECT_EQ(parse(good + "eval: {policies: [base, cascade]}").menu.cascade_from, 0.9);
}

TEST(Schema, RefusesOutOfDistributionSetsOfOneNameAndTheNameTest) {
  const std::string start = "name: a\ntask:\n  kind: jsonl\n  train_file: t.jsonl\n  ood: ";
  for (const char* sets : {"[\"a=x.jsonl\", \"a=y.jsonl\"]", "[\"test=x.jsonl\"]"})
    EXPECT_NE(refusal(start + sets).find("task.ood: expected names that differ"), std::string::npos) << sets;
}

TEST(Schema, OverridesComeAfterTheFileAndTheLastOneWins) {
  const Config config = parse("name: a\nsearch: {rollouts: 7}", {"search.rollouts=8", "search.rollouts=9", "name=b",
                                                                 "menu.lambda=[0, 0.5]", "task.separator=a=b: c"});
  EXPECT_EQ(config.search.rollouts, 9);
  EXPECT_EQ(config.name, "b");
  EXPECT_EQ(config.menu.lambda, (std::vector<double>{0, 0.5}));
  EXPECT_EQ(config.task.separator, "a=b: c");
}

TEST(Schema, ReadsTextOfAnOverrideInDoubleQuotesAsYaml) {
  const auto separator = [](const std::string& text) {
    return parse("name: a", {"task.separator=" + text}).task.separator;
  };
  EXPECT_EQ(separator(R"(a\nb)"), "a\\nb");
  EXPECT_EQ(separator(R"("a\nb")"), "a\nb");
  EXPECT_EQ(separator(R"("a\\nb")"), "a\\nb");
  EXPECT_EQ(separator(R"("a" \n "b")"), R"("a" \n "b")") << "quotes of its own";
  EXPECT_EQ(separator(R"("a\")"), R"("a\")");
  EXPECT_NE(refusal("name: a", {R"(task.separator="\q")"}).find("task.separator"), std::string::npos);
}

TEST(Schema, NamesTheNearestKeyForAnUnknownOne) {
  EXPECT_EQ(
      refusal("name: a\nsearch:\n  rolouts: 5\n"),
      "x.yaml:3: search.rolouts: unknown key; the nearest known key is search.rollouts (all keys: polar help config)");
  EXPECT_EQ(refusal("name: a\nserch:\n  rollouts: 5\n"),
            "x.yaml:2: serch: unknown key; the nearest known key is search (all keys: polar help config)");
  EXPECT_EQ(refusal("name: a\nzzz: 5\n"),
            "x.yaml:2: zzz: unknown key; no known key is near (all keys: polar help config)");
  EXPECT_EQ(refusal("name: a", {"exec.worker=2"}),
            "--set: exec.worker: unknown key; the nearest known key is exec.workers (all keys: polar help config)");
}

TEST(Schema, NamesFileLineAndKeyOfAWrongType) {
  EXPECT_EQ(refusal("name: a\nsearch:\n  rollouts: many\n"),
            "x.yaml:3: search.rollouts: expected an integer >= 1, found 'many'");
  EXPECT_EQ(refusal("name: a\nsearch: {rollouts: 1.5}"),
            "x.yaml:2: search.rollouts: expected an integer >= 1, found '1.5'");
  EXPECT_EQ(refusal("name: a\nsearch: {skip: yes}"), "x.yaml:2: search.skip: expected true or false, found 'yes'");
  EXPECT_EQ(refusal("name: a\nsearch: {exploration: .nan}"),
            "x.yaml:2: search.exploration: expected a number >= 0, found '.nan'");
  EXPECT_EQ(refusal("name: a\nsearch: {exploration: nan}"),
            "x.yaml:2: search.exploration: expected a number >= 0, found 'nan'");
  EXPECT_EQ(refusal("name: a\nsearch:\n  rollouts: [1]\n"),
            "x.yaml:3: search.rollouts: expected an integer >= 1, found a list");
  EXPECT_EQ(refusal("name: a\nsearch:\n  rollouts:\n    x: 1\n"),
            "x.yaml:3: search.rollouts: expected an integer >= 1, found a map");
  EXPECT_EQ(refusal("name: a\nsearch:\n  rollouts:\n"),
            "x.yaml:3: search.rollouts: expected an integer >= 1, found nothing");
  EXPECT_EQ(refusal("name: a\nseed: -1\n"), "x.yaml:2: seed: expected an integer >= 0, found '-1'");
  EXPECT_EQ(refusal("name: a\nsearch: 5\n"), "x.yaml:2: search: expected a map of keys, found '5'");
  EXPECT_EQ(refusal("name: a\ntask: {stop: x}"), "x.yaml:2: task.stop: expected a list of texts, found 'x'");
}

TEST(Schema, NamesTheRangeOfAValueOutsideIt) {
  EXPECT_EQ(refusal("name: a\nsearch: {rollouts: 0}"),
            "x.yaml:2: search.rollouts: expected an integer >= 1, found '0'");
  EXPECT_EQ(refusal("name: a\nsearch: {rollouts: 99999999999}"),
            "x.yaml:2: search.rollouts: expected an integer >= 1, found '99999999999'");
  EXPECT_EQ(refusal("name: a\nexec: {chunk_rows: 100}"),
            "x.yaml:2: exec.chunk_rows: expected 0 or a multiple of 32 from 32 to 65536, found '100'");
  EXPECT_EQ(refusal("name: a\nexec: {device: gpu}"),
            "x.yaml:2: exec.device: expected cpu, cuda or cuda:N, found 'gpu'");
  EXPECT_EQ(refusal("name: a\nexec: {dtype: fp8}"),
            "x.yaml:2: exec.dtype: expected one of auto, bfloat16, float32, found 'fp8'");
  EXPECT_EQ(refusal("name: ../up\n"),
            "x.yaml:1: name: expected a folder name of at most 100 letters, digits, '-', '_' and '.', not beginning "
            "with '-' or '.', "
            "found '../up'");
  EXPECT_EQ(refusal("name: a\ntask: {template: no place}"),
            "x.yaml:2: task.template: expected text with {question} in it, found 'no place'");
}

TEST(Schema, NamesTheItemOfAWrongList) {
  EXPECT_EQ(refusal("name: a\nmenu: {ridge: [1, x]}"),
            "x.yaml:2: menu.ridge: item 2: expected a number > 0, found 'x'");
  EXPECT_EQ(refusal("name: a\nmenu: {ridge: []}"),
            "x.yaml:2: menu.ridge: expected a non-empty list of numbers > 0, found an empty list");
  EXPECT_NE(
      refusal("name: a\neval: {policies: [base, dr_llm]}").find("menu_first_k, label_prior, label_draw, menu_oracle"),
      std::string::npos);
  EXPECT_EQ(refusal("name: a\neval: {temperatures: [0]}"),
            "x.yaml:2: eval.temperatures: item 1: expected a number > 0, found '0'");
  EXPECT_EQ(refusal("name: a\neval: {policies: [base, base]}"),
            "x.yaml:2: eval.policies: item 2: expected no item twice, found 'base' again");
  EXPECT_EQ(refusal("name: a\nmenu: {ridge: [[1]]}"),
            "x.yaml:2: menu.ridge: item 1: expected a number > 0, found a list");
}

TEST(Schema, RefusesAnUnknownGraderWhereItStands) {
  EXPECT_TRUE(refusal("name: a\ntask:\n  grader: nothing\n").starts_with("x.yaml:3: task.grader: "));
  EXPECT_NE(refusal("name: a\ntask: {grader: nothing}").find("numeric:boxed-last"), std::string::npos);
}

TEST(Schema, RefusesARepeatedKey) {
  EXPECT_EQ(refusal("name: a\nseed: 1\nseed: 2\n"),
            "x.yaml:3: seed: expected once, found again; first given at x.yaml:2");
  EXPECT_EQ(refusal("name: a\nsearch: {rollouts: 1}\nsearch: {loop: true}\n"),
            "x.yaml:3: search: expected once, found again; first given at x.yaml:2");
}

TEST(Schema, RefusesAMissingName) {
  EXPECT_EQ(refusal("seed: 1"),
            "x.yaml: name: expected a folder name of at most 100 letters, digits, '-', '_' and '.', not beginning with "
            "'-' or '.', "
            "found nothing; this key has no default");
  EXPECT_EQ(refusal("", {"name=a"}), "");
}

TEST(Schema, WrapsBrokenYamlWithFileAndLine) {
  EXPECT_EQ(refusal("name: a\nsearch: {rollouts: 1\n"),
            "x.yaml:3: expected valid YAML, found: end of map flow not found");
  EXPECT_EQ(refusal("- a\n- b\n"), "x.yaml:1: expected a map of keys, found a list");
  EXPECT_EQ(refusal("name: a\n---\nname: b\n"), "x.yaml: expected one YAML document, found 2; remove the '---' lines");
  EXPECT_EQ(refusal("name: a\n? [x]\n: 1\n"), "x.yaml:2: key: expected a key that is text");
}

TEST(Schema, EndsOnAMapThatContainsItself) {
  EXPECT_EQ(refusal("name: a\nsearch: &s\n  search: *s\n").substr(0, 36), "x.yaml:3: search.search: unknown key");
}

TEST(Schema, RefusesAMalformedOverride) {
  EXPECT_EQ(refusal("name: a", {"seed"}), "--set: seed: expected key=value, found no key or no '='");
  EXPECT_EQ(refusal("name: a", {"search=1"}), "--set: search: expected a single key, found a group of keys");
  EXPECT_EQ(refusal("name: a", {"search.rollouts=many"}),
            "--set: search.rollouts: expected an integer >= 1, found 'many'");
  EXPECT_EQ(refusal("name: a", {"menu.ridge=[1"}).substr(0, 70),
            "--set: menu.ridge: expected a non-empty list of numbers > 0, found '[1");
}

TEST(Schema, CutsALongValueBetweenCharacters) {
  const std::string message = refusal("name: a\nsearch: {rollouts: " + std::string(59, 'x') + "ééé}");
  EXPECT_EQ(message, "x.yaml:2: search.rollouts: expected an integer >= 1, found '" + std::string(59, 'x') + "…'");
}

TEST(Schema, NamesAnUnreadableFile) {
  try {
    load_config("/nowhere/x.yaml");
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/x.yaml"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No such file or directory"), std::string::npos);
  }
}

TEST(Schema, ReportsKeysThatContradictEachOtherWhereOneWasSet) {
  EXPECT_EQ(refusal("name: a\nsearch:\n  max_depth: 0.5\n"),
            "x.yaml:3: search.max_depth: expected a number from 1 to 16, found '0.5'");
  EXPECT_EQ(refusal("name: a\nsearch: {skip: false, loop: false}"),
            "x.yaml:2: search.loop: expected search.skip or search.loop to be true, found both false");
  EXPECT_NE(
      refusal("name: a\nsearch: {algorithm: magic}").find("x.yaml:2: search.algorithm: expected one of guided, mcts"),
      std::string::npos);
  EXPECT_EQ(refusal("name: a\nsearch: {first_layer: 6, end_layer: 6}"),
            "x.yaml:2: search.end_layer: expected search.end_layer beyond search.first_layer (0: the model's depth), "
            "found 6 and 6");
  const std::string early = refusal("name: a\nsearch: {first_layer: 2}");
  EXPECT_NE(early.find("x.yaml:2: search.first_layer: expected predict.prefix_layers of at most search.first_layer"),
            std::string::npos)
      << early;
  EXPECT_EQ(refusal("name: a\nsearch: {first_layer: 2}", {"predict.features=embeddings"}), "");
  EXPECT_EQ(refusal("name: a\nsearch: {algorithm: guided, transfer_programs: programs.txt}"),
            "x.yaml:2: search.transfer_programs: expected no file unless search.algorithm is transfer, found "
            "'programs.txt' with guided");
  EXPECT_EQ(refusal("name: a", {"predict.heads=3"}),
            "--set: predict.heads: expected predict.heads to divide predict.width, found 3 and 256");
  EXPECT_EQ(
      refusal("name: a\neval: {policies: [menu]}"),
      "x.yaml:2: eval.policies: expected base among the policies, since every figure is compared with it, found none");
  EXPECT_EQ(refusal("name: a\ntask: {system: Be brief.}"),
            "x.yaml:2: task.system: expected task.chat true when a system text is given, found false");
}

TEST(Schema, ChecksKeysThatBelongToOneKindOfTask) {
  EXPECT_EQ(
      refusal("name: a\ntask: {train_file: t.jsonl}"),
      "x.yaml:2: task.train_file: expected no file with task.kind arithmetic, found 't.jsonl'; set task.kind to jsonl");
  EXPECT_EQ(refusal("name: a\ntask: {ood: [rephrased, harder]}"),
            "x.yaml:2: task.ood: expected rephrased, larger, operations or name=path with task.kind arithmetic, found "
            "'harder'");
  EXPECT_EQ(refusal("name: a\ntask: {ood: [rephrased, words=w.jsonl], ood_template: 'Q: {question}'}"), "");
  EXPECT_EQ(refusal("name: a\ntask: {ood: [rephrased], ood_template: 'Q: {question}'}"),
            "x.yaml:2: task.ood_template: expected no template unless task.ood names a file, found one");
  EXPECT_EQ(refusal("name: a\ntask: {ood: [words=w.jsonl], ood_template: 'Q: question'}"),
            "x.yaml:2: task.ood_template: expected text with {question} in it, or nothing, found 'Q: question'");
  EXPECT_EQ(refusal("name: a\ntask: {ood: [rephrased, rephrased=w.jsonl]}"),
            "x.yaml:2: task.ood: expected names that differ from each other and from test, found 'rephrased' again");
  EXPECT_EQ(refusal("name: a\ntask: {test_per_level: 0}"),
            "x.yaml:2: task.test_per_level: expected an integer >= 1 with task.kind arithmetic, found '0'");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl}"),
            "x.yaml:2: task.kind: expected task.train_file with task.kind jsonl, found nothing");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t, test_file: u}"),
            "x.yaml:2: task.test_file: expected task.valid_file and task.test_file both or neither (one file is split "
            "by hash), "
            "found only one");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t, train_share: 0.9}"),
            "x.yaml:2: task.train_share: expected task.train_share + task.valid_share < 1, so that rows are left for "
            "test, found "
            "0.9 + 0.15");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t, ood: [x]}"),
            "x.yaml:2: task.ood: expected name=path with task.kind jsonl, found 'x'");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t.jsonl, choices: letters, grader: letter, ood: [x]}"),
            "x.yaml:2: task.ood: expected reordered or name=path with task.choices letters, found 'x'");
  EXPECT_EQ(
      parse("name: a\ntask: {kind: jsonl, train_file: t.jsonl, choices: letters, grader: letter, ood: [reordered]}")
          .task.ood.size(),
      1U);
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t.jsonl, choices: letters}"),
            "x.yaml:2: task.choices: expected task.grader letter with task.choices letters, found numeric:first");
  EXPECT_EQ(refusal("name: a\ntask: {choices: letters, grader: letter}"),
            "x.yaml:2: task.choices: expected none with task.kind arithmetic, which has no choices, found letters");
  EXPECT_EQ(refusal("name: a\ntask: {kind: jsonl, train_file: t, ood: [x=y.jsonl]}"), "");
}

TEST(Schema, TakesAnEncoderWithFeaturesOfOneOnly) {
  EXPECT_EQ(refusal("name: a\npredict: {features: encoder, encoder: pools/minilm}"), "");
  EXPECT_EQ(refusal("name: a\npredict: {encoder: pools/minilm}"),
            "x.yaml:2: predict.encoder: expected a folder with predict.features encoder and none otherwise, found "
            "'pools/minilm' with states");
  EXPECT_EQ(refusal("name: a\npredict: {features: encoder}"),
            "x.yaml:2: predict.features: expected a folder with predict.features encoder and none otherwise, found '' "
            "with encoder");
}

TEST(Schema, SavesACopyThatReadsBackTheSame) {
  Config config = parse("name: a");
  config.search.exploration = 0.1 + 0.2;
  config.predict.learning_rate = 1e-7;
  config.task.levels = {"null", "Yes", "two words", "", "a: b", "#c", "5", "é漢🙂"};
  config.task.levels.erase(config.task.levels.begin() + 3);  // level names are not empty
  config.task.separator = "";
  config.task.stop = {"\n", "\t\"quoted\" \\ \r\x01\x7f", "- x", "\n\n"};
  config.seed = ~std::uint64_t{0};
  const std::string yaml = to_yaml(config);
  EXPECT_EQ(parse(yaml), config) << yaml;
  EXPECT_EQ(to_yaml(parse(yaml)), yaml);
}

TEST(Schema, ReadsBackAnyText) {
  std::mt19937 random(5);
  const std::vector<std::string> pieces{"a",  "Z", "0", " ", "\n",   "\t", "\r", "\"", "'",      "\\",     "#",   ":",
                                        ": ", "-", "{", "}", "[",    "]",  ",",  "&",  "*",      "!",      "|",   ">",
                                        "%",  "@", "`", "~", "null", "é",  "漢", "🙂", "\u2028", "\u0085", "\x1b"};
  Config config = parse("name: a");
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += pieces[random() % pieces.size()];
    config.task.separator = text;
    config.task.levels = {text};
    ASSERT_EQ(parse(to_yaml(config)), config) << to_yaml(config);
  }
}

TEST(Schema, SavesEveryKey) {
  const std::string yaml = to_yaml(parse("name: a"));
  EXPECT_TRUE(
      yaml.starts_with("name: a\nseed: 1\nruns_folder: runs\npool: pools/smollm2-135m\ntask:\n  kind: arithmetic\n"));
  for (const std::string& key : known_keys())
    EXPECT_NE(yaml.find(key.substr(key.find('.') + 1) + ": "), std::string::npos) << key;
}

TEST(Schema, HelpShowsRangeAndDefaultOfEveryKey) {
  const std::string help = config_help();
  EXPECT_NE(help.find("\nsearch: Search over programs"), std::string::npos);
  EXPECT_NE(help.find("  rollouts             Programs tried per example, the identity included.\n"
                      "                       an integer >= 1; default 100\n"),
            std::string::npos);
  EXPECT_NE(help.find("not beginning with '-' or '.'; required\n"), std::string::npos);
  for (const std::string& key : known_keys())
    EXPECT_NE(help.find("\n  " + key.substr(key.find('.') + 1) + " "), std::string::npos) << key;
}

TEST(Schema, KeysAreUniqueAndHaveDefaultsThatObeyTheirRules) {
  std::vector<std::string> keys = known_keys();
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_NO_THROW(parse(to_yaml(parse("name: a"))));
}

TEST(Schema, SelectsSettingsWithoutThoseThatOnlyChangeSpeed) {
  const Config config = parse("name: a");
  const std::string_view patterns[] = {"seed", "exec.", "search.", "-search.oracle_"};
  const Settings settings = settings_of(config, patterns);
  EXPECT_EQ(settings.at("seed"), "1");
  EXPECT_EQ(settings.at("exec.dtype"), "auto");
  EXPECT_EQ(settings.at("search.min_depth"), "0.9");
  EXPECT_FALSE(settings.contains("exec.workers"));
  EXPECT_FALSE(settings.contains("search.trees_in_step"));
  EXPECT_FALSE(settings.contains("search.oracle_rollouts"));
  EXPECT_FALSE(settings.contains("name"));
  const std::string_view wrong[] = {"serch."};
  EXPECT_THROW(settings_of(config, wrong), core::Error);
}

TEST(Schema, TheShippedConfigurationsAreValid) {
  const std::filesystem::path folder = POLAR_CONFIGS_FOLDER;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") {
      EXPECT_NO_THROW(load_config(entry.path())) << entry.path();
      ++count;
    }
  EXPECT_GE(count, 1);
}

}  // namespace
}  // namespace polar::experiment
