#pragma once
// The configuration of one run, as plain typed values. Keys, ranges, defaults and help are declared once, in
// schema_table.cpp; the field `search.rollouts` here is the key `search.rollouts` there.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polar::experiment {

struct TaskConfig {
  std::string kind;
  std::string prompt_template;  ///< key task.template
  bool chat{};
  std::string system;
  std::string grader;
  std::string choices;  ///< "none" or "letters"
  std::string separator;
  std::vector<std::string> stop;
  int max_new_tokens{};
  std::vector<std::string> levels;  ///< empty: all
  int train_per_level{};
  int valid_per_level{};
  int test_per_level{};
  std::string train_file, valid_file, test_file;
  double train_share{}, valid_share{};
  std::vector<std::string> ood;  ///< "name=path"; arithmetic: variant names too
  std::string ood_template;      ///< of sets from files; empty: prompt_template
  int ood_per_level{};
  bool operator==(const TaskConfig&) const = default;
};

struct ExecConfig {
  std::string dtype;
  std::string kernels;
  std::string device;
  int workers{};  ///< 0: one per core
  int cache_mb{};
  int wave_mb{};
  int chunk_rows{};
  bool batch_invariant{};
  std::string cache_semantics;  ///< "per_step" or "shared_slot"
  bool prefix_sharing{};
  bool layer_batching{};
  bool draft_verification{};
  bool shared_prompt{};
  bool read_rows_only{};
  bool operator==(const ExecConfig&) const = default;
};

struct SearchConfig {
  std::string algorithm;
  std::string objective;
  std::string minimise;
  std::string reward;
  int rollouts{};
  int keep{};
  int stop_after_valid{};
  int trees_in_step{};
  int leaves_per_round{};
  double exploration{};
  double length_penalty{};
  double widening_factor{};
  double widening_exponent{};
  double model_spread{};
  double model_noise{};
  double model_reach{};
  double model_skip_cost{};
  double model_repeat_cost{};
  int beam_width{};
  int beam_children{};
  int elite{};
  std::string transfer_programs;  ///< path; empty: the pilot's
  int transfer_pilot{};           ///< training examples a level
  int transfer_pilot_rollouts{};  ///< of each, that decide where others start; 0: as many as rollouts
  int transfer_size{};
  std::string edits;
  int first_layer{};
  int end_layer{};  ///< 0: the model's depth
  int max_block{};
  int max_extra_repeats{};
  bool skip{};
  bool loop{};
  double min_depth{};
  double max_depth{};
  int max_edits{};
  int oracle_rollouts{};
  int oracle_examples{};  ///< 0: every test example

  /// First layer behind those that may be edited, in a model of `depth` layers.
  int end_of(int depth) const { return end_layer > 0 ? end_layer : depth; }
  bool operator==(const SearchConfig&) const = default;
};

struct PredictConfig {
  double labelled_share{};
  bool per_level{};
  std::string features;
  std::string encoder;
  int prefix_layers{};
  int width{};
  int heads{};
  int encoder_layers{};
  int feed_forward{};
  double dropout{};
  int epochs{};
  int batch{};
  double learning_rate{};
  int warmup_steps{};
  std::string loss;
  std::string positions;
  std::string targets;
  std::string unemittable;
  int max_runs{};  ///< of a segment; 0: as many as the search's edits make
  int max_programs{};
  double identity_weight{};
  double length_weight{};
  double margin_weight{};
  double identity_penalty{};
  double class_balance{};  ///< 1: off
  double clip{};           ///< 0: off
  std::string select;
  int patience{};      ///< 0: off
  double threshold{};  ///< 0: calibrated
  double rerank{};
  int beam{};
  bool standardise{};
  std::string question_weights;  ///< "alike" or "targets"
  std::string level_weights;     ///< "size" or "equal"
  bool operator==(const PredictConfig&) const = default;
};

struct MenuConfig {
  int size{};
  int candidates{};   ///< programs whose outcomes are measured on every example
  std::string cover;  ///< "validity" or "log-probability"
  std::string scorer;
  std::string pooling;  ///< "both", "last" or "mean"
  std::string target;   ///< "mean" or "token"
  std::vector<double> ridge;
  std::vector<double> lambda;
  std::vector<double> margin;
  std::vector<double> bandwidth;  ///< of kernel-ridge and laplace-ridge
  std::string calibration;        ///< "none", "platt" or "temperature"
  std::string select;             ///< "validation" or "leave-group-out"
  double depth_limit{};           ///< mean depth ratio; 0: none
  std::vector<double> operating_points;
  int cascade_tries{};     ///< 1: no cascade
  double cascade_from{};   ///< operating point whose menu orders the tries; 0: depth_limit's
  double cascade_limit{};  ///< mean depth ratio of all tries; 0: none
  bool operator==(const MenuConfig&) const = default;
};

struct BaselinesConfig {
  int examples_per_level{};          ///< training examples that baselines look at; 0: all
  int finalists{};                   ///< blocks of static_skip and of rys that are ranked again; 0: none
  int finalists_per_level{};         ///< training examples for that; 0: all
  std::vector<int> shortgpt_layers;  ///< numbers of removed layers to choose from
  bool operator==(const BaselinesConfig&) const = default;
};

struct RouterConfig {
  int epochs{};
  int batch{};
  double learning_rate{};
  double weight_decay{};
  int warmup_steps{};
  int hidden{};
  int windows{};
  double focal_gamma{};
  double class_beta{};
  double dial{};  ///< of drllm
  bool operator==(const RouterConfig&) const = default;
};

struct EvalConfig {
  std::vector<std::string> policies;
  int max_k{};
  std::vector<double> temperatures;  ///< of base_sampling
  int latency_examples{};
  int bootstrap{};

  bool uses(std::string_view policy) const { return std::ranges::find(policies, policy) != policies.end(); }
  bool operator==(const EvalConfig&) const = default;
};

/// Paths are relative to the working directory.
struct Config {
  /// Every key at its default; `name`, which has none, is empty.
  Config();

  std::string name;
  std::uint64_t seed{};
  std::string runs_folder;
  std::string pool;
  TaskConfig task;
  ExecConfig exec;
  SearchConfig search;
  PredictConfig predict;
  MenuConfig menu;
  BaselinesConfig baselines;
  RouterConfig router;
  EvalConfig eval;
  bool operator==(const Config&) const = default;
};

}  // namespace polar::experiment
