#include "predict/predictor_file.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::predict {
namespace {

using nlohmann::json;

json to_json(const PredictorShape& shape) {
  return {{"depth", shape.depth},
          {"input_width", shape.input_width},
          {"operations", shape.operations},
          {"width", shape.width},
          {"heads", shape.heads},
          {"encoder_layers", shape.encoder_layers},
          {"feed_forward", shape.feed_forward},
          {"dropout", shape.dropout}};
}

PredictorShape shape_from(const json& body) {
  return {body.at("depth"), body.at("input_width"),    body.at("operations"),   body.at("width"),
          body.at("heads"), body.at("encoder_layers"), body.at("feed_forward"), body.at("dropout")};
}

json to_json(const TargetOptions& options) {
  return {{"depth", options.depth},
          {"first_layer", options.first_layer},
          {"max_segment", options.limits.max_length},
          {"max_runs", options.limits.max_runs},
          {"max_programs", options.max_programs},
          {"identity_weight", options.identity_weight},
          {"length_weight", options.length_weight},
          {"margin_weight", options.margin_weight},
          {"choice", to_string(options.choice)}};
}

TargetOptions targets_from(const json& body) {
  TargetOptions options;
  options.depth = body.at("depth");
  options.first_layer = body.at("first_layer");
  options.limits = {body.at("max_segment"), body.at("max_runs")};
  options.max_programs = body.at("max_programs");
  options.identity_weight = body.at("identity_weight");
  options.length_weight = body.value("length_weight", options.length_weight);
  options.margin_weight = body.value("margin_weight", options.margin_weight);
  options.choice = target_choice(body.value("choice", std::string(to_string(options.choice))));
  return options;
}

TargetCounts counts_from(const json& body) {
  TargetCounts counts{body.at("examples"),     body.at("examples_without_targets"),
                      body.at("programs"),     body.at("used"),
                      body.at("duplicates"),   body.at("unparsable"),
                      body.at("prefix_edits"), body.at("over_limit")};
  counts.not_chosen = body.value("not_chosen", 0);
  counts.cropped = body.value("cropped", 0);
  counts.crops_valid = body.value("crops_valid", 0);
  return counts;
}

json to_json(const TrainingReport& report) {
  return {{"curve", curve_json(report.curve)},       {"best_epoch", report.best_epoch},
          {"parameters", report.parameters},         {"train_examples", report.train_examples},
          {"valid_examples", report.valid_examples}, {"seconds", report.seconds}};
}

TrainingReport report_from(const json& body) {
  return {curve_from(body.at("curve")), body.at("best_epoch"),     body.at("parameters"),
          body.at("train_examples"),    body.at("valid_examples"), body.at("seconds")};
}

json to_json(const Decoding& decoding) {
  return {{"boundary_threshold", decoding.boundary_threshold},
          {"length_penalty", decoding.length_penalty},
          {"beam", decoding.beam}};
}

Decoding decoding_from(const json& body) {
  return {body.at("boundary_threshold"), body.at("length_penalty"), body.value("beam", Decoding().beam)};
}

/// One part of the manifest's body, read by `read`.
template <typename Read>
auto part(const Artifact& artifact, const std::filesystem::path& folder, const char* key, Read read) {
  const json body = manifest_field<json>(artifact.body, folder, key);
  try {
    return read(body);
  } catch (const json::exception& error) {
    refuse_field(folder, key, error.what());
  }
}

}  // namespace

json counts_json(const TargetCounts& counts) {
  return {{"examples", counts.examples},         {"examples_without_targets", counts.examples_without_targets},
          {"programs", counts.programs},         {"used", counts.used},
          {"duplicates", counts.duplicates},     {"unparsable", counts.unparsable},
          {"prefix_edits", counts.prefix_edits}, {"over_limit", counts.over_limit},
          {"not_chosen", counts.not_chosen},     {"cropped", counts.cropped},
          {"crops_valid", counts.crops_valid}};
}

DecodeOptions decode_options(const TargetOptions& targets, const Decoding& decoding) {
  return {.limits = targets.limits,
          .first_layer = targets.first_layer,
          .boundary_threshold = decoding.boundary_threshold,
          .beam = decoding.beam,
          .length_penalty = decoding.length_penalty};
}

std::vector<ScoredProgram> TrainedPredictor::propose(const TokenFeatures& features, int top_operations) const {
  DecodeOptions options = decode_options(targets, decoding);
  options.top_operations = top_operations;
  return decode(predictor.logits(std::span(&features, 1)).front(), options);
}

void save_predictor(const std::filesystem::path& folder, const TrainedPredictor& trained) {
  save_artifact(folder, kPredictorKind,
                {trained.origin,
                 {{"shape", to_json(trained.predictor.shape())},
                  {"targets", to_json(trained.targets)},
                  {"training", to_json(trained.report)},
                  {"train_programs", counts_json(trained.train_counts)},
                  {"valid_programs", counts_json(trained.valid_counts)},
                  {"decoding", to_json(trained.decoding)}},
                 trained.predictor.save()});
}

TrainedPredictor load_predictor(const std::filesystem::path& folder, std::string_view weights_digest) {
  const Artifact artifact = load_artifact(folder, kPredictorKind, weights_digest);
  TrainedPredictor trained{artifact.origin,
                           part(artifact, folder, "targets", targets_from),
                           Predictor(part(artifact, folder, "shape", shape_from), 0),
                           part(artifact, folder, "training", report_from),
                           part(artifact, folder, "train_programs", counts_from),
                           part(artifact, folder, "valid_programs", counts_from),
                           {}};
  if (artifact.body.contains("decoding")) trained.decoding = part(artifact, folder, "decoding", decoding_from);
  trained.predictor.load(artifact.weights);
  return trained;
}

}  // namespace polar::predict
