// One key/value slot a program step, or one a layer.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "support/executor_checks.h"
#include "support/executor_trials.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::exec {
namespace {

using core::Program;

/// The definition of kSharedSlot with plain tensor operations: passes over one sequence that append to one slot a
/// layer.
class SharedSlotModel {
 public:
  SharedSlotModel(const pool::ModulePool& pool, Program program) : pool_(pool), program_(std::move(program)) {}

  /// Runs the program on tokens that follow those of earlier passes; returns their logits [n, V].
  at::Tensor pass(const std::vector<text::Token>& tokens) {
    c10::InferenceMode inference;
    const auto count = static_cast<std::int64_t>(tokens.size());
    const at::Tensor positions = at::arange(seen_, seen_ + count);
    at::Tensor hidden = pool_.embed(at::tensor(std::vector<std::int64_t>(tokens.begin(), tokens.end()), at::kLong));
    for (int layer : program_.layers()) {
      const auto [q, k, v] = pool_.attend_in(layer, hidden, positions);
      Slot& slot = slots_[layer];
      const auto append = [](at::Tensor& to, const at::Tensor& rows) {
        to = to.defined() ? at::cat({to, rows}) : rows;
      };
      append(slot.keys, k), append(slot.values, v), append(slot.positions, positions);
      hidden = pool_.attend_out(layer, hidden, mix(q, slot, positions, layer));
    }
    seen_ += count;
    return pool_.head(hidden);
  }

 private:
  struct Slot {
    at::Tensor keys, values, positions;
  };

  at::Tensor mix(const at::Tensor& q, const Slot& slot, const at::Tensor& positions, int layer) const {
    const std::int64_t group = q.size(1) / slot.keys.size(1);
    const double scale = pool_.manifest().attention[static_cast<std::size_t>(layer)].scale;
    const at::Tensor k = slot.keys.repeat_interleave(group, 1), v = slot.values.repeat_interleave(group, 1);
    const at::Tensor later = slot.positions.unsqueeze(0) > positions.unsqueeze(1);
    const at::Tensor scores = (at::einsum("qhd,khd->hqk", {q, k}) * scale).masked_fill(later, -INFINITY);
    return at::einsum("hqk,khd->qhd", {at::softmax(scores, -1), v}).reshape({q.size(0), -1});
  }

  const pool::ModulePool& pool_;
  Program program_;
  std::map<int, Slot> slots_;
  std::int64_t seen_ = 0;
};

class CacheSemanticsTest : public testing::Test {
 protected:
  static constexpr int kDepth = 6, kNewTokens = 8;

  CacheSemanticsTest() {
    test::write_tiny_pool(folder_ / "pool", {.depth = kDepth});
    model_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32, pool::Kernels::kRows);
    trials_ = std::make_unique<test::Trials>(*model_.pool, *model_.tokenizer, test::sums(kNewTokens));
    for (int i = 0; i < 6; ++i) trials_->add(test::random_sum(random_, i));
  }

  std::vector<Answer> run(ExecOptions options, CacheSemantics semantics, StopRule stop) {
    options.cache_semantics = semantics;
    return trials_->run(model_.pool, model_.tokenizer, options, stop);
  }

  /// Calls look(example, program, answer) for every greedy trial.
  template <typename Look>
  void each_greedy(const std::vector<Answer>& answers, const Look& look) const {
    std::size_t at = 0;
    for (const EncodedExample& example : trials_->examples) {
      for (const Program& program : trials_->programs) look(example, program, answers[at++]);
      ++at;  // the sampled one
    }
  }

  test::TemporaryFolder folder_;
  test::LoadedPool model_;
  core::Random random_{11};
  std::unique_ptr<test::Trials> trials_;
};

const std::vector<Program> kRepeating = {{0, 1, 1, 2, 3, 4, 5},          {0, 1, 2, 1, 2, 3, 4, 5},
                                         {0, 1, 2, 3, 3, 3, 4, 5},       {2, 2},
                                         {0, 1, 2, 3, 1, 2, 3, 2, 4, 5}, {0, 0, 1, 2, 3, 4, 5, 5}};

TEST_F(CacheSemanticsTest, GivesProgramsWithoutRepeatsTheSameBits) {
  trials_->programs = {Program::identity(kDepth), {0, 1, 3, 4, 5}, {3, 1, 0}, {2}};
  for (StopRule stop : {StopRule::kVerdict, StopRule::kFull}) {
    test::expect_equal_bits(run({}, CacheSemantics::kPerStep, stop), run({}, CacheSemantics::kSharedSlot, stop),
                            "no layer twice");
  }
}

TEST_F(CacheSemanticsTest, ChangesWhatARepeatSees) {
  trials_->programs = kRepeating;
  const std::vector<Answer> own = run({}, CacheSemantics::kPerStep, StopRule::kFull);
  const std::vector<Answer> shared = run({}, CacheSemantics::kSharedSlot, StopRule::kFull);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].scored_positions > 0) {
      EXPECT_NE(own[i].answer_log_prob, shared[i].answer_log_prob) << i;
    }
  }
}

TEST_F(CacheSemanticsTest, ScoresTheReferenceInOnePassOverOneSlotALayer) {
  trials_->programs = kRepeating;
  int compared = 0;
  each_greedy(run({}, CacheSemantics::kSharedSlot, StopRule::kVerdict), [&](const auto& example, const auto& program,
                                                                            const Answer& answer) {
    if (answer.scored_positions == 0) return;
    std::vector<text::Token> tokens = example.prompt;
    tokens.insert(tokens.end(), example.draft.tokens.begin(), example.draft.tokens.end());
    const at::Tensor log_probs = at::log_softmax(SharedSlotModel(*model_.pool, program).pass(tokens), -1);
    const auto first = static_cast<std::int64_t>(example.prompt.size()) - 1;
    double expected = 0;
    for (std::size_t t = 0; t < example.draft.tokens.size(); ++t)
      expected += log_probs[first + static_cast<std::int64_t>(t)][example.draft.tokens[t]].template item<double>();
    const at::Tensor ends = at::tensor(std::vector<std::uint8_t>(*example.draft.terminators)).to(at::kBool);
    expected += log_probs[static_cast<std::int64_t>(tokens.size()) - 1]
                    .masked_select(ends)
                    .logsumexp(0)
                    .template item<double>();
    EXPECT_NEAR(answer.answer_log_prob, expected, 1e-3) << program.text();
    ++compared;
  });
  EXPECT_EQ(compared, 3 * static_cast<int>(kRepeating.size()));
}

TEST_F(CacheSemanticsTest, DecodesTokenByTokenBehindWhatEveryExecutionLeft) {
  trials_->programs = kRepeating;
  trials_->rules.grader = nullptr;  // confidence is then the mean over all tokens
  each_greedy(run({}, CacheSemantics::kSharedSlot, StopRule::kFull), [&](const auto& example, const auto& program,
                                                                         const Answer& answer) {
    SharedSlotModel model(*model_.pool, program);
    at::Tensor row = model.pass(example.prompt)[-1];
    double log_prob = 0;
    for (const text::Token token : answer.tokens) {
      EXPECT_LE((row.max() - row[token]).template item<double>(), 1e-3) << program.text();
      log_prob += at::log_softmax(row, -1)[token].template item<double>();
      row = model.pass({token})[0];
    }
    EXPECT_NEAR(answer.confidence, log_prob / static_cast<double>(answer.tokens.size()), 1e-4) << program.text();
  });
}

TEST_F(CacheSemanticsTest, GivesTheSameBitsUnderAnySetOfSwitches) {
  trials_->programs = kRepeating;
  for (int i = 0; i < 10; ++i) trials_->programs.push_back(test::random_program(random_, kDepth));
  // Drafts that the model would write itself: accepted, they must not change what is decoded behind them.
  const std::vector<Answer> said = run({}, CacheSemantics::kSharedSlot, StopRule::kFull);
  for (std::size_t i = 0; i < trials_->examples.size(); ++i) {
    auto& draft = trials_->examples[i].draft.tokens;
    draft = said[i * (trials_->programs.size() + 1)].tokens;
    if (draft.size() > 3) draft.resize(3);
  }
  for (StopRule stop : {StopRule::kVerdict, StopRule::kAnswer, StopRule::kFull}) {
    const std::vector<Answer> plain = run(test::without_shortcuts(), CacheSemantics::kSharedSlot, stop);
    for (int i = 0; i < 6; ++i) {
      const ExecOptions options = test::random_options(random_);
      test::expect_equal_bits(run(options, CacheSemantics::kSharedSlot, stop), plain, test::text_of(options));
    }
  }
}

TEST_F(CacheSemanticsTest, StandsInTheFingerprintWhenNotTheDefault) {
  ExecOptions options;
  const std::string own = Executor(model_.pool, model_.tokenizer, options).fingerprint();
  options.cache_semantics = CacheSemantics::kSharedSlot;
  EXPECT_EQ(Executor(model_.pool, model_.tokenizer, options).fingerprint(), own + "; one cache slot a layer");
}

TEST_F(CacheSemanticsTest, RefusesOneSlotALayerWhereLayersAttendToAWindow) {
  const auto file = folder_ / "pool" / "pool.json";
  nlohmann::json manifest = nlohmann::json::parse(core::read_file(file));
  manifest["layers"][2]["attention"]["window"] = 16;
  test::write_manifest(folder_ / "pool", manifest);
  const test::LoadedPool windowed = test::load_pool(folder_ / "pool", pool::DType::kFloat32);
  ExecOptions options;
  options.cache_semantics = CacheSemantics::kSharedSlot;
  EXPECT_THROW(Executor(windowed.pool, windowed.tokenizer, options), core::UsageError);
}

TEST(ParseCacheSemantics, RefusesAnUnknownName) {
  EXPECT_EQ(parse_cache_semantics("shared_slot"), CacheSemantics::kSharedSlot);
  EXPECT_THROW(parse_cache_semantics("per_layer"), core::UsageError);
}

}  // namespace
}  // namespace polar::exec
