#include "exec/executor.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <tuple>

#include "core/error.h"
#include "core/seed.h"
#include "pool/pair_gemm.h"
#include "pool/tile_gemm.h"
#include "support/executor_checks.h"
#include "support/executor_trials.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

using core::Program;

constexpr int kDepth = 6;

using Way = std::tuple<pool::DType, pool::Kernels>;

class ExecutorTest : public testing::TestWithParam<Way> {
 protected:
  static constexpr int kExamples = 8;

  void SetUp() override {
    if (std::get<1>(GetParam()) == pool::Kernels::kTiles && !pool::has_tiles())
      GTEST_SKIP() << "this processor has no tiles";
    if (std::get<1>(GetParam()) == pool::Kernels::kPairs && !pool::has_pairs())
      GTEST_SKIP() << "this processor has no AVX512-BF16";
    test::write_tiny_pool(folder_ / "pool", {.depth = kDepth});
    loaded_ = test::load_pool(folder_ / "pool", dtype(), std::get<1>(GetParam()));
    task_.prompt_template = "Question: What is {question}?\nAnswer:";
    task_.grader = "numeric:first";
    task_.max_new_tokens = 8;
    encoder_ = std::make_unique<TaskEncoder>(loaded_.pool->manifest(), *loaded_.tokenizer, task_);
    core::Random random(42);
    for (int i = 0; i < kExamples; ++i) {
      const std::string question = std::to_string(random.below(1000)) + " + " + std::to_string(random.below(100000));
      encoded_.push_back(
          encoder_->encode({"e" + std::to_string(i), question, std::to_string(random.below(300)), {}, -1, "", ""}));
    }
    follow_the_model();
    for (int i = 0; i < 40; ++i) programs_.push_back(test::random_program(random, kDepth));
    programs_.push_back(Program::identity(kDepth));
  }

  /// Half of the references become what the identity answers, so that drafts are accepted whole, in part and not at
  /// all.
  void follow_the_model() {
    rules_ = {&encoder_->grader(), task_.stop, task_.max_new_tokens, StopRule::kAnswer};
    Executor executor(loaded_.pool, loaded_.tokenizer, options());
    for (int i = 0; i < kExamples; i += 2) {
      auto& example = encoded_[static_cast<std::size_t>(i)];
      const Request request{&example, Program::identity(kDepth), 0, 0, &rules_, false};
      const Answer answer = executor.answer(std::span(&request, 1)).front();
      example.draft.tokens = answer.tokens;
      if (i % 4 == 0 && example.draft.tokens.size() > 2) example.draft.tokens.back() ^= 1;
      if (!answer.answer.empty()) example.reference = answer.answer;
    }
  }

  static pool::DType dtype() { return std::get<0>(GetParam()); }

  ExecOptions options(int workers = 1) const {
    ExecOptions made;
    made.workers = workers;
    made.layer_rows = 64;
    made.head_rows = 32;
    return made;
  }

  std::vector<Request> requests(StopRule stop) {
    rules_.stop = stop;
    std::vector<Request> all;
    for (const EncodedExample& example : encoded_) {
      for (const Program& program : programs_) all.push_back({&example, program, 0, 0, &rules_, true});
      all.push_back({&example, programs_[0], 0.7, 3, &rules_, true});
      all.push_back({&example, programs_[1], 1.0, 0, &rules_, false});
      all.push_back({&example, programs_[2], 0, 0, &rules_, false});
    }
    return all;
  }

  std::vector<Answer> run(const ExecOptions& with, std::span<const Request> what, std::size_t batch = 1000000) {
    Executor executor(loaded_.pool, loaded_.tokenizer, with);
    executor.set_shared_prompt(shared_prompt(encoded_));
    std::vector<Answer> answers;
    for (std::size_t at = 0; at < what.size(); at += batch) {
      for (Answer& answer : executor.answer(what.subspan(at, std::min(batch, what.size() - at))))
        answers.push_back(std::move(answer));
    }
    return answers;
  }

  test::TemporaryFolder folder_;
  test::LoadedPool loaded_;
  task::TaskSpec task_;
  std::unique_ptr<TaskEncoder> encoder_;
  std::vector<EncodedExample> encoded_;
  std::vector<Program> programs_;
  GenerationRules rules_;
};

TEST_P(ExecutorTest, GivesTheSameBitsWithEverySwitchOff) {
  for (StopRule stop : {StopRule::kVerdict, StopRule::kAnswer, StopRule::kFull}) {
    const std::vector<Request> all = requests(stop);
    const std::vector<Answer> expected = run(options(), all);
    const auto variant = [&](const std::string& name, auto change) {
      ExecOptions changed = options();
      change(changed);
      test::expect_equal_bits(expected, run(changed, all), name);
    };
    variant("prefix sharing off", [](ExecOptions& o) { o.prefix_sharing = false; });
    variant("layer batching off", [](ExecOptions& o) { o.layer_batching = false; });
    variant("draft verification off", [](ExecOptions& o) { o.draft_verification = false; });
    variant("shared prompt off", [](ExecOptions& o) { o.shared_prompt = false; });
    variant("unread rows finished too", [](ExecOptions& o) { o.read_rows_only = false; });
    variant("all off", [](ExecOptions& o) {
      o.prefix_sharing = o.layer_batching = o.draft_verification = o.shared_prompt = o.read_rows_only = false;
    });
  }
}

TEST_P(ExecutorTest, GivesTheSameBitsWhateverWorkersBatchesAndCache) {
  const std::vector<Request> all = requests(StopRule::kVerdict);
  const std::vector<Answer> expected = run(options(), all);
  test::expect_equal_bits(expected, run(options(2), all), "two workers");
  test::expect_equal_bits(expected, run(options(), all, 1), "batches of one");
  const auto some = std::span(all).first(60);
  test::expect_equal_bits({expected.begin(), expected.begin() + 60}, run(options(2), some, 1),
                          "batches of one, by a team");
  test::expect_equal_bits(expected, run(options(2), all, 7), "batches of seven");
  test::expect_equal_bits(expected, run(options(), all, 64), "batches of 64");
  ExecOptions tight = options(2);
  tight.cache_bytes = 0;
  tight.wave_bytes = 1;
  test::expect_equal_bits(expected, run(tight, all, 64), "no cache, waves of one trial");
  tight.cache_bytes = 100000;
  tight.wave_bytes = 200000;
  test::expect_equal_bits(expected, run(tight, all, 64), "a cache that evicts");
}

/// Rows that nobody read are computed after all when a longer program comes to need them.
TEST_P(ExecutorTest, GivesTheSameBitsToAProgramThatGoesOnWhereAnotherEnded) {
  rules_.stop = StopRule::kVerdict;
  const std::vector<Program> longer = {{0}, {0, 1}, {0, 1, 1}, {0, 1, 1, 2, 3}, {0, 1, 2, 3, 4, 5}};
  std::vector<Request> all;
  for (const Program& program : longer) {
    for (const EncodedExample& example : encoded_) all.push_back({&example, program, 0, 0, &rules_, true});
  }
  ExecOptions plain = options();
  plain.prefix_sharing = plain.read_rows_only = false;
  test::expect_equal_bits(run(plain, all), run(options(2), all, encoded_.size()), "one program after the other");
}

TEST_P(ExecutorTest, GivesTheSameBitsBesideShuffledCompanions) {
  const std::vector<Request> all = requests(StopRule::kVerdict);
  const std::vector<Answer> expected = run(options(), all);
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  core::Random random(8);
  random.shuffle(order);
  order.resize(order.size() / 2);
  std::vector<Request> some;
  std::vector<Answer> expected_some;
  for (std::size_t i : order) some.push_back(all[i]), expected_some.push_back(expected[i]);
  test::expect_equal_bits(expected_some, run(options(), some), "half of the trials, shuffled");
}

TEST_P(ExecutorTest, ReachesTheVerdictOfFullGenerationUnderEveryStopRule) {
  const std::vector<Answer> full = run(options(), requests(StopRule::kFull));
  for (StopRule stop : {StopRule::kVerdict, StopRule::kAnswer}) {
    const std::vector<Answer> early = run(options(), requests(stop));
    for (std::size_t i = 0; i < full.size(); ++i) {
      EXPECT_EQ(early[i].correct, full[i].correct) << i;
      EXPECT_LE(early[i].tokens.size(), full[i].tokens.size());
      if (early[i].answer_final) {
        EXPECT_EQ(early[i].answer, full[i].answer);
      }
    }
    const auto right = std::ranges::count_if(full, [](const Answer& answer) { return answer.correct; });
    EXPECT_GT(right, 0) << "the fixture must hold right and wrong answers";
    EXPECT_LT(right, static_cast<std::ptrdiff_t>(full.size()));
  }
}

/// Teacher-forced pass over prompt and continuation with LibTorch's own operators, one sequence at a time.
at::Tensor plain_logits(const pool::ModulePool& pool, const std::vector<text::Token>& tokens, const Program& program) {
  c10::InferenceMode inference;
  const auto count = static_cast<std::int64_t>(tokens.size());
  at::Tensor hidden = pool.embed(at::tensor(std::vector<std::int64_t>(tokens.begin(), tokens.end()), at::kLong));
  const at::Tensor future = at::ones({count, count}, at::kBool).triu(1);
  for (int layer : program.layers()) {
    const auto [q, k, v] = pool.attend_in(layer, hidden, at::arange(count));
    const std::int64_t group = q.size(1) / k.size(1);
    const double scale = pool.manifest().attention[static_cast<std::size_t>(layer)].scale;
    const at::Tensor scores =
        at::einsum("qhd,khd->hqk", {q.to(at::kFloat), k.to(at::kFloat).repeat_interleave(group, 1)}) * scale;
    const at::Tensor weights = at::softmax(scores.masked_fill(future, -INFINITY), -1);
    const at::Tensor mixed = at::einsum("hqk,khd->qhd", {weights, v.to(at::kFloat).repeat_interleave(group, 1)});
    hidden = pool.attend_out(layer, hidden, mixed.reshape({count, -1}).to(hidden.scalar_type()));
  }
  return pool.head(hidden);
}

TEST_P(ExecutorTest, AgreesWithAPlainPassOverEveryGeneratedToken) {
  const std::vector<Request> all = requests(StopRule::kFull);
  const std::vector<Answer> answers = run(options(2), all);
  const double tolerance = dtype() == pool::DType::kFloat32 ? 1e-3 : 0.25;
  for (std::size_t i = 0; i < all.size(); i += 5) {
    if (all[i].temperature > 0) continue;
    std::vector<text::Token> tokens = all[i].example->prompt;
    const std::size_t start = tokens.size();
    tokens.insert(tokens.end(), answers[i].tokens.begin(), answers[i].tokens.end());
    const at::Tensor logits = plain_logits(*loaded_.pool, tokens, all[i].program);
    for (std::size_t t = 0; t < answers[i].tokens.size(); ++t) {
      const at::Tensor row = logits[static_cast<std::int64_t>(start + t) - 1];
      const double gap = row.max().item<double>() - row[answers[i].tokens[t]].item<double>();
      EXPECT_LE(gap, tolerance) << "trial " << i << " token " << t;
    }
  }
}

TEST_P(ExecutorTest, ScoresTheReferenceAsAPlainPassDoes) {
  const std::vector<Request> all = requests(StopRule::kVerdict);
  const std::vector<Answer> answers = run(options(2), all);
  const double tolerance = dtype() == pool::DType::kFloat32 ? 1e-3 : 0.3;
  const double relative = dtype() == pool::DType::kFloat32 ? 0 : 0.005;
  for (std::size_t i = 0; i < all.size(); i += 7) {
    if (!all[i].score_reference) continue;
    const Draft& draft = all[i].example->draft;
    std::vector<text::Token> tokens = all[i].example->prompt;
    const std::size_t start = tokens.size();
    tokens.insert(tokens.end(), draft.tokens.begin(), draft.tokens.end());
    const at::Tensor log_probs = at::log_softmax(plain_logits(*loaded_.pool, tokens, all[i].program), -1);
    double expected = 0;
    for (std::size_t t = 0; t < draft.tokens.size(); ++t) {
      expected += log_probs[static_cast<std::int64_t>(start + t) - 1][draft.tokens[t]].item<double>();
    }
    if (draft.terminators) {
      const at::Tensor set = at::tensor(std::vector<std::uint8_t>(*draft.terminators)).to(at::kBool);
      expected +=
          log_probs[static_cast<std::int64_t>(tokens.size()) - 1].masked_select(set).logsumexp(0).item<double>();
    }
    EXPECT_NEAR(answers[i].answer_log_prob, expected, tolerance - relative * expected);
  }
}

TEST_P(ExecutorTest, GivesTheStatesAfterAPrefix) {
  Executor executor(loaded_.pool, loaded_.tokenizer, options(2));
  const auto& prompt = encoded_.front().prompt;
  executor.set_shared_prompt({prompt.begin(), prompt.begin() + 4});
  const std::vector<States> embedded = executor.states(encoded_, Program());
  ASSERT_EQ(embedded.size(), encoded_.size());
  const std::vector<States> states = executor.states(encoded_, Program{0, 1});
  for (std::size_t i = 0; i < encoded_.size(); ++i) {
    EXPECT_EQ(states[i].tokens, static_cast<int>(encoded_[i].prompt.size()));
    EXPECT_EQ(states[i].width, 32);
    EXPECT_EQ(states[i].values.size(), encoded_[i].prompt.size() * 32);
    EXPECT_NE(states[i].values, embedded[i].values);
  }
}

TEST_P(ExecutorTest, ReadsTheSameStatesBehindASharedPromptAndAnswersGoOnFromThem) {
  const auto& prompt = encoded_.front().prompt;
  const std::vector<text::Token> shared(prompt.begin(), prompt.begin() + 4);
  const Program prefix{0, 1};
  Executor plain(loaded_.pool, loaded_.tokenizer, options(1)), executor(loaded_.pool, loaded_.tokenizer, options(1));
  executor.set_shared_prompt(shared);
  const std::vector<Request> all = requests(StopRule::kFull);
  executor.answer(all);  // leaves fewer rows of some prefixes than states need
  const std::vector<States> expected = plain.states(encoded_, prefix);
  for (const std::vector<States>& found : {executor.states(encoded_, prefix), executor.states(encoded_, prefix)}) {
    for (std::size_t i = 0; i < encoded_.size(); ++i) EXPECT_EQ(found[i].values, expected[i].values);
  }
  executor.clear_cache();
  executor.states(encoded_, prefix);
  executor.reset_stats();
  const GenerationRules rules{nullptr, {}, 2, StopRule::kFull};
  const Request request{&encoded_.front(), {0, 1, 2}, 0, 0, &rules, false};
  executor.answer(std::span(&request, 1));
  EXPECT_EQ(executor.stats().shared_nodes, 2U) << "the prefix's steps";
}

TEST_P(ExecutorTest, SharesPrefixesAndCountsTheRowsItRan) {
  const std::vector<Request> all = requests(StopRule::kVerdict);
  const auto rows = [&](bool sharing) {
    ExecOptions with = options();
    with.prefix_sharing = sharing;
    Executor executor(loaded_.pool, loaded_.tokenizer, with);
    executor.answer(all);
    return executor.stats().layer_rows;
  };
  EXPECT_LT(rows(true), rows(false) * 3 / 4);
}

TEST_P(ExecutorTest, KeepsItsStatesWithinTheCacheBound) {
  const std::vector<Request> all = requests(StopRule::kVerdict);
  const auto stats = [&](std::size_t bytes) {
    ExecOptions with = options();
    with.cache_bytes = with.wave_bytes = bytes;
    Executor executor(loaded_.pool, loaded_.tokenizer, with);
    executor.answer(all);
    return executor.stats();
  };
  const std::size_t largest_trial = stats(0).peak_bytes;  // one at a time, and nothing kept
  const ExecStats bounded = stats(300000);
  EXPECT_GT(bounded.evicted_nodes, 0U);
  EXPECT_GT(bounded.evicted_bytes, bounded.evicted_nodes);
  EXPECT_GT(bounded.peak_idle_bytes, 0U);
  EXPECT_LE(bounded.peak_idle_bytes, 300000U);
  EXPECT_GT(bounded.waves, 1U);
  // One trial may pass the wave's bound: it is admitted before its size is known.
  EXPECT_LE(bounded.peak_bytes, 300000U + 300000U + largest_trial);
}

TEST_P(ExecutorTest, StreamsTheTextAsItSettles) {
  std::vector<Request> all = requests(StopRule::kFull);
  rules_.stop_strings = {"q", "\n", "ab"};
  std::vector<std::string> streamed(all.size());
  std::vector<int> pieces(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].on_text = [&, i](std::string_view piece) {
      streamed[i] += piece;
      ++pieces[i];
    };
  }
  const std::vector<Answer> answers = run(options(), all);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(streamed[i], answers[i].text) << i;
  EXPECT_GT(*std::ranges::max_element(pieces), 2);
}

TEST_P(ExecutorTest, RefusesALayerThePoolDoesNotHave) {
  Executor executor(loaded_.pool, loaded_.tokenizer, options());
  const Request request{&encoded_[0], Program{0, 1, 9}, 0, 0, &rules_, false};
  try {
    executor.answer(std::span(&request, 1));
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_STREQ(error.what(), "program 0-1,9: expected layers 0 … 5, found 9");
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, ExecutorTest,
                         testing::Values(Way{pool::DType::kFloat32, pool::Kernels::kLibrary},
                                         Way{pool::DType::kFloat32, pool::Kernels::kRows},
                                         Way{pool::DType::kBFloat16, pool::Kernels::kLibrary},
                                         Way{pool::DType::kBFloat16, pool::Kernels::kRows},
                                         Way{pool::DType::kBFloat16, pool::Kernels::kPairs},
                                         Way{pool::DType::kBFloat16, pool::Kernels::kTiles}),
                         [](const auto& each) {
                           return std::string(pool::to_string(std::get<0>(each.param))) + "_" +
                                  pool::to_string(std::get<1>(each.param));
                         });

TEST(ExecutorErrors, LogitsThatAreNoNumbersAreRefusedWithExampleAndProgramAndTheExecutorStaysUsable) {
  const test::TemporaryFolder folder;
  test::write_tiny_pool(folder / "pool", {.odd_logits = true});
  const test::LoadedPool model = test::load_pool(folder / "pool", pool::DType::kFloat32);
  test::Trials trials(*model.pool, *model.tokenizer, test::sums(4));
  core::Random random(3);
  trials.add(test::random_sum(random, 0));
  const GenerationRules rules{&trials.encoder.grader(), {}, 4, StopRule::kFull};
  const std::vector<Request> requests{{&trials.examples[0], Program{0, 1, 1}, 0, 0, &rules, false}};
  Executor executor(model.pool, model.tokenizer, {});
  const std::string message = test::message_of<core::Error>([&] { executor.answer(requests); });
  EXPECT_NE(message.find(trials.examples[0].id), std::string::npos) << message;
  EXPECT_NE(message.find("program 0,(1)*2"), std::string::npos) << message;
  EXPECT_NE(message.find("finite"), std::string::npos) << message;
  const States states = executor.states(trials.examples, {0, 1}).front();
  EXPECT_EQ(states.values.size(), static_cast<std::size_t>(states.tokens * states.width));
}

}  // namespace
}  // namespace polar::exec
