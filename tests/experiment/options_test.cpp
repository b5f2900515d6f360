#include "experiment/options.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::experiment {
namespace {

TEST(SearchPlanOf, SaysWhatTheConfigurationSays) {
  Config config;
  config.search.algorithm = "beam";
  config.search.objective = "pareto";
  config.search.minimise = "edits";
  config.search.reward = "binary";
  config.search.keep = 3;
  config.search.beam_width = 5;
  config.search.model_reach = 4;
  config.search.edits = "nested";
  config.search.end_layer = 20;
  config.search.max_extra_repeats = 2;
  const search::SearchPlan plan = search_plan(config, 30, 77);
  EXPECT_EQ(plan.options.algorithm, search::Algorithm::kBeam);
  EXPECT_EQ(plan.options.objective, search::Objective::kPareto);
  EXPECT_EQ(plan.options.minimise, search::Minimise::kEdits);
  EXPECT_EQ(plan.options.reward, search::RewardKind::kBinary);
  EXPECT_EQ(plan.options.rollouts, 77);
  EXPECT_EQ(plan.options.keep, 3);
  EXPECT_EQ(plan.options.beam_width, 5);
  EXPECT_EQ(plan.options.model_reach, 4);
  EXPECT_EQ(plan.space.form, search::EditForm::kNested);
  EXPECT_EQ(plan.space.depth, 30);
  EXPECT_EQ(plan.space.end_layer, 20);
  EXPECT_EQ(plan.space.max_extra_runs, 2);
  EXPECT_EQ(plan.space.max_edits, 3);
}

TEST(SearchPlanOf, PutsAPublishedSearchInPlaceOfItsOwnSettings) {
  Config config;
  config.search.algorithm = "authors";
  const search::SearchPlan plan = search_plan(config, 28, 100);
  EXPECT_EQ(plan.options.length_penalty, 5);
  EXPECT_EQ(search::SearchSpace(plan.space).max_layers(), 32);
  EXPECT_EQ(plan.space.first_layer, 4) << "what may be edited stays";
  EXPECT_EQ(search_plan(config, 28, 100, search::Algorithm::kGuided).options.algorithm, search::Algorithm::kGuided);
}

TEST(PresetNote, NamesWhatAPublishedSearchReplaces) {
  Config config;
  config.search.algorithm = "paper";
  config.search.edits = "overlapping";
  config.search.max_edits = 2;
  config.search.length_penalty = 5;
  const std::string note = preset_note(config, 30);
  EXPECT_EQ(note.find("; as published, whatever is configured: search."), 0U) << note;
  EXPECT_NE(note.find("search.max_edits 0"), std::string::npos) << note;
  EXPECT_NE(note.find("search.exploration 1.414"), std::string::npos) << note;
  EXPECT_NE(note.find("search.widening_factor 1e+09"), std::string::npos) << note;
  EXPECT_EQ(note.find("search.edits"), std::string::npos) << note;
  EXPECT_EQ(note.find("search.length_penalty"), std::string::npos) << note;
  config.search.algorithm = "guided";
  EXPECT_EQ(preset_note(config, 30), "");
}

TEST(SearchPlanOf, RefusesLayersBeyondTheModel) {
  Config config;
  config.search.end_layer = 31;
  const auto message = test::message_of<core::UsageError>([&] { search_plan(config, 30, 10); });
  EXPECT_NE(message.find("search.end_layer: expected at most 30"), std::string::npos) << message;
}

}  // namespace
}  // namespace polar::experiment
