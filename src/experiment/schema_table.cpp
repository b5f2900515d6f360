#include "experiment/schema_table.h"

#include "experiment/schema_field.h"
#include "pool/device.h"
#include "search/options.h"
#include "search/space.h"
#include "task/grader.h"
#include "text/prompt.h"

namespace polar::experiment {
namespace {

// A key and the member it fills. The second form is for keys that are no C++ names.
#define KEY(path) #path, [](auto& config) -> auto& { return config.path; }
#define KEY_NAMED(key, path) key, [](auto& config) -> auto& { return config.path; }

using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

Rule<std::string> device_name() {
  return {"cpu, cuda or cuda:N", pool::is_device_name};
}

bool is_folder_name(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= 100 && name[0] != '.' && name[0] != '-' &&
         name.find_first_not_of(kAllowed) == std::string::npos;
}

Rule<std::string> folder_name() {
  return {"a folder name of at most 100 letters, digits, '-', '_' and '.', not beginning with '-' or '.'",
          is_folder_name};
}

Rule<std::string> prompt_template() {
  return {"text with {question} in it", [](const std::string& body) {
            try {
              text::PromptTemplate checked(body);
            } catch (const core::UsageError&) {
              return false;
            }
            return true;
          }};
}

Rule<std::string> grader_name() {
  return {"the name of a grader", [](const std::string& name) {
            task::make_grader(name);  // throws listing the names
            return true;
          }};
}

Rule<std::string> template_or_nothing() {
  return {"text with {question} in it, or nothing",
          [](const std::string& body) { return body.empty() || prompt_template().check(body); }};
}

std::vector<Field> run_fields() {
  return {
      required(field(KEY(name), "", folder_name(), "Name of the run: results go to <runs_folder>/<name>/.")),
      field(KEY(seed), 1, {"an integer >= 0"}, "Root of every random stream."),
      field(KEY(runs_folder), "runs", some_text("a folder"), "Folder of all runs."),
      field(KEY(pool), "pools/smollm2-135m", some_text("a folder"),
            "Pool package: the exported model (scripts/export.py)."),
  };
}

std::vector<Field> task_fields() {
  const auto count = integer_from(0);
  return {
      field(KEY(task.kind), "arithmetic", one_of({"arithmetic", "jsonl"}),
            "arithmetic: generated problems in six levels; jsonl: own examples."),
      field(KEY_NAMED("task.template", task.prompt_template), "{question}", prompt_template(),
            "Prompt around {question}."),
      field(KEY(task.chat), false, yes_or_no(), "Wrap the prompt in the model's chat template."),
      field(KEY(task.system), "", any_text(), "System text of the chat template; empty: the template's own."),
      field(KEY(task.grader), "numeric:first", grader_name(), "How an answer is read from the output and compared."),
      field(KEY(task.choices), "none", one_of({"none", "letters"}),
            "jsonl: letters puts the choices of every row under its question, one a line after a letter, and asks for "
            "the "
            "letter of the right one."),
      field(KEY(task.separator), " ", any_text(), "Stands between prompt and answer when an answer is scored."),
      field(KEY(task.stop), Texts{"\n"}, list_of("texts", some_text("a text that is not empty")),
            "Generation ends at the first of these, or at an end token."),
      field(KEY(task.max_new_tokens), 6, integer_in(1, 32768), "Longest output."),
      field(KEY(task.levels), Texts{}, list_of("level names", some_text("a level name")), "Levels to use; empty: all."),
      field(KEY(task.train_per_level), 100, count, "Training examples a level (jsonl: at most; 0: all)."),
      field(KEY(task.valid_per_level), 40, count, "Validation examples a level (jsonl: at most; 0: all)."),
      field(KEY(task.test_per_level), 90, count, "Test examples a level, each problem once (jsonl: at most; 0: all)."),
      field(KEY(task.train_file), "", any_text(), "jsonl: training rows, or every row when the next two are empty."),
      field(KEY(task.valid_file), "", any_text(), "jsonl: validation rows."),
      field(KEY(task.test_file), "", any_text(), "jsonl: test rows."),
      field(KEY(task.train_share), 0.0, number_in(0, 1),
            "Share of training rows (jsonl: of one file), by hash of the problem; 0: 0.6, arithmetic 0.45."),
      field(KEY(task.valid_share), 0.15, number_between(0, 1), "Share of validation rows; the rest is test."),
      field(KEY(task.ood), Texts{}, list_of("out-of-distribution sets", some_text("a name")),
            "Out-of-distribution sets: name=path, a JSONL file; arithmetic: rephrased, larger, operations too; with "
            "task.choices letters: reordered, test with its choices in another order."),
      field(KEY(task.ood_template), "", template_or_nothing(),
            "Prompt around {question} of the sets from files; empty: task.template."),
      field(KEY(task.ood_per_level), 40, count,
            "Out-of-distribution examples a set and level (jsonl: at most; 0: all), of files at most."),
  };
}

std::vector<Field> exec_fields() {
  return {
      field(KEY(exec.dtype), "auto", one_of({"auto", "bfloat16", "float32"}),
            "auto: bfloat16 on a GPU and where the processor has instructions for it, else float32."),
      field(KEY(exec.kernels), "auto", one_of({"auto", "library", "rows", "pairs", "tiles"}),
            "What multiplies: LibTorch, polar's row kernels, or these with AVX512-BF16 pairs or AMX tiles; auto: the "
            "fastest here."),
      field(KEY(exec.device), "cpu", device_name(), "Where layers run; a GPU needs a LibTorch with CUDA."),
      speed_only(field(KEY(exec.workers), 0, integer_in(0, 1024), "Worker threads; 0: one per core.")),
      speed_only(field(KEY(exec.cache_mb), 256, integer_from(0), "Prefix cache, in MiB; 0: none.")),
      speed_only(field(KEY(exec.wave_mb), 768, integer_from(1),
                       "Working memory of trials in flight, in MiB, divided among the workers.")),
      field(KEY(exec.chunk_rows), 0, none_or_multiple_of(32, 65536),
            "Rows of one matrix product; 0: 256, on a GPU 2048."),
      field(KEY(exec.batch_invariant), true, yes_or_no(),
            "Outcomes do not depend on batch, order, workers or cache, to the last bit."),
      field(
          KEY(exec.cache_semantics), "per_step", one_of({"per_step", "shared_slot"}),
          "Keys a repeated layer sees; shared_slot: those of its other runs too, as labels of the authors' code did."),
      speed_only(field(KEY(exec.prefix_sharing), true, yes_or_no(), "Run common first layers of programs once.")),
      speed_only(field(KEY(exec.layer_batching), true, yes_or_no(), "Run rows that need the same layer together.")),
      speed_only(field(KEY(exec.draft_verification), true, yes_or_no(), "Check the reference answer in one pass.")),
      speed_only(field(KEY(exec.shared_prompt), true, yes_or_no(), "Run tokens common to all prompts once.")),
      speed_only(
          field(KEY(exec.read_rows_only), true, yes_or_no(), "Finish the last step only for rows that are read.")),
  };
}

std::vector<Field> search_fields() {
  return {
      field(KEY(search.algorithm), "transfer", one_of(search::algorithm_names()),
            "How programs are chosen; paper, authors, drllm and replication bring settings of their own."),
      field(KEY(search.rollouts), 100, integer_from(1), "Programs tried per example, the identity included."),
      field(KEY(search.objective), "best", one_of(search::objective_names()),
            "Look for the first valid program, the shortest, the best keep, or a front of depth and probability."),
      field(KEY(search.keep), 50, integer_from(1),
            "Valid programs of an example that training learns from, with objective best."),
      field(KEY(search.stop_after_valid), 0, integer_from(0),
            "End with this many valid programs and what minimise tries of them; 0: use all rollouts."),
      field(KEY(search.minimise), "repeats", one_of(search::minimise_names()),
            "Try valid programs without each of their repeats, or edits, so that none is idle."),
      field(KEY(search.reward), "dense", one_of({"dense", "binary"}),
            "Reward of a wrong answer. dense: half its mean token probability; binary: 0."),
      speed_only(field(KEY(search.trees_in_step), 64, integer_from(1), "Examples searched together.")),
      field(KEY(search.leaves_per_round), 8, integer_from(1), "Programs a tree tries before it learns their rewards."),
      field(KEY(search.exploration), 0.7, number_from(0), "mcts: weight c of the exploration term."),
      field(KEY(search.length_penalty), 0.02, number_from(0),
            "Price of program length over depth, against rewards from 0 to 1 (guided: logits)."),
      field(KEY(search.widening_factor), 4, number_above(0), "mcts: children of a node, factor x visits^exponent."),
      field(KEY(search.widening_exponent), 0.7, number_in(0, 1), "See widening_factor."),
      field(KEY(search.model_spread), 1.5, number_above(0), "guided: how much edits' effects differ, in logits."),
      field(KEY(search.model_noise), 1, number_above(0), "guided: what adding effects up misses, in logits."),
      field(KEY(search.model_reach), 1.25, number_from(0), "guided: layers over which blocks act alike."),
      field(KEY(search.model_skip_cost), 0.9, number_from(0), "guided: expected cost of a skipped layer, in logits."),
      field(KEY(search.model_repeat_cost), 0.65, number_from(0), "guided: expected cost of a block's extra run."),
      field(KEY(search.beam_width), 8, integer_from(1), "beam: programs kept a level."),
      field(KEY(search.beam_children), 4, integer_from(1), "beam: children of each."),
      field(KEY(search.elite), 12, integer_from(2), "evolve: programs that have children."),
      field(KEY(search.transfer_programs), "", any_text(),
            "transfer: file of programs to start from, a line each; empty: those that served the pilot."),
      field(KEY(search.transfer_pilot), 10, integer_from(1),
            "transfer: training examples a level that are searched first, single edits before all else."),
      field(
          KEY(search.transfer_pilot_rollouts), 150, integer_from(0),
          "transfer: so many programs of each pilot example decide where others start; 0: search.rollouts. In a search "
          "of labels that uses its whole budget the pilot's examples get search.rollouts, if that is more."),
      field(KEY(search.transfer_size), 16, integer_from(1), "transfer: programs to start from, at most."),
      field(KEY(search.edits), "disjoint", one_of(search::edit_form_names()),
            "disjoint: blocks never meet, as predictors need; overlapping: they may; nested: loops in loops."),
      field(KEY(search.first_layer), 4, integer_from(0), "Layers before this one are never edited."),
      field(KEY(search.end_layer), 0, integer_from(0), "Layers from this one on are never edited; 0: none of them."),
      field(KEY(search.max_block), 4, integer_in(1, 64), "Longest block of layers that one edit skips or repeats."),
      field(KEY(search.max_extra_repeats), 1, integer_in(1, 16), "Most extra runs of a repeated block."),
      field(KEY(search.skip), true, yes_or_no(), "Edits may skip layers."),
      field(KEY(search.loop), true, yes_or_no(), "Edits may repeat layers."),
      field(KEY(search.min_depth), 0.9, number_in(0.01, 1), "Shortest program, as a share of the model's depth."),
      field(KEY(search.max_depth), 1.15, number_in(1, 16), "Longest program, as a share of the model's depth."),
      field(KEY(search.max_edits), 3, integer_from(1), "Most edits of one program."),
      field(KEY(search.oracle_rollouts), 100, integer_from(1), "Rollouts per test example for the oracle policy."),
      field(KEY(search.oracle_examples), 0, integer_from(0), "Test examples a level the oracle searches; 0: all."),
  };
}

std::vector<Field> predict_fields() {
  return {
      field(KEY(predict.features), "states", one_of({"states", "embeddings", "encoder"}),
            "states: hidden states after prefix_layers layers; embeddings: token embeddings; encoder: of "
            "predict.encoder."),
      field(KEY(predict.encoder), "", any_text(),
            "Encoder package (scripts/export_encoder.py), with features encoder."),
      field(KEY(predict.prefix_layers), 4, integer_from(1),
            "Base layers run for features, which no program edits, so that they are free."),
      field(KEY(predict.labelled_share), 1, number_in(0.001, 1),
            "Part of each level's training and validation examples that predictor and menus learn from, the smaller of "
            "two parts in the larger. Routers, label_prior, label_draw, shortgpt, static_skip and rys learn from all, "
            "static_best and menu_first_k as menus do; the search, its pilot included, is not made again."),
      field(KEY(predict.per_level), false, yes_or_no(),
            "Also a predictor for each level, as published in distribution: the policy predictor_told_level, which is "
            "told a test question's level, evaluated wherever eval.policies has predictor."),
      field(KEY(predict.width), 256, integer_in(8, 8192), "Width of the predictor."),
      field(KEY(predict.heads), 4, integer_in(1, 64), "Attention heads; must divide width."),
      field(KEY(predict.encoder_layers), 2, integer_in(0, 64), "Encoder layers across layer positions."),
      field(KEY(predict.feed_forward), 1024, integer_in(8, 65536), "Width of the encoder's feed-forward part."),
      field(KEY(predict.dropout), 0.1, number_in(0, 0.9), "Dropout in training."),
      field(KEY(predict.epochs), 10, integer_from(1), "Passes over the training examples."),
      field(KEY(predict.batch), 64, integer_from(1), "Examples a training step."),
      field(KEY(predict.learning_rate), 5e-4, number_above(0), "Highest learning rate."),
      field(KEY(predict.warmup_steps), 10, integer_from(0), "Steps until the highest learning rate."),
      field(KEY(predict.loss), "average", one_of({"average", "set"}),
            "average: mean over valid programs, as published; set: their summed probability."),
      field(KEY(predict.positions), "all", one_of({"all", "after_first"}),
            "Boundaries in the loss; after_first: without the first, as the authors' code."),
      field(KEY(predict.targets), "all", one_of({"all", "shortest", "cover"}),
            "Valid programs of an example to learn; cover: one, from the fewest that serve every example."),
      field(
          KEY(predict.max_runs), 0, integer_in(0, 17),
          "Most runs of a segment that the predictor can emit: 2 as published; 0: as many as the search's edits make."),
      field(KEY(predict.unemittable), "drop", one_of({"drop", "crop"}),
            "Valid programs the predictor cannot emit; crop: the nearest it can, where that is valid when run."),
      field(KEY(predict.max_programs), 50, integer_from(1), "Most valid programs per example to learn from."),
      field(KEY(predict.identity_weight), 0.3, number_in(0, 1),
            "Weight of the identity beside other valid programs; 0: it is no target then."),
      field(KEY(predict.length_weight), 0, number_in(0, 1),
            "c: programs of K layers weigh exp(-cK); the authors' variant: 0.05."),
      field(KEY(predict.margin_weight), 0, number_in(0, 10),
            "a: programs weigh s^a, s the sigmoid of their answer's margin in logits."),
      field(KEY(predict.identity_penalty), 0, number_from(0),
            "Adds this times the identity's probability to the loss where another program is a target."),
      field(KEY(predict.class_balance), 1, number_from(1),
            "Weigh operations by inverse frequency, at most by this factor up or down; 1: off."),
      field(KEY(predict.clip), 0, number_from(0), "Longest gradient of a training step; 0: any."),
      field(KEY(predict.select), "loss", one_of({"loss", "membership"}),
            "Epoch kept: lowest validation loss, or most first programs that are known to be valid."),
      field(KEY(predict.patience), 0, integer_from(0), "Stop after so many epochs without a better one; 0: never."),
      field(KEY(predict.threshold), 0.5, number_in(0, 0.99),
            "Probability from which a boundary is set; 0: the best of 0.1 to 0.9 on validation."),
      field(KEY(predict.rerank), 0, number_from(0),
            "Penalty on program length over depth, against log-probability, in ranking the beam."),
      field(KEY(predict.beam), 5, integer_in(1, 1024), "Beam width of decoding."),
      field(KEY(predict.standardise), true, yes_or_no(),
            "Inputs with mean 0 and deviation 1 over the training examples; false: as they are, as published for the "
            "vectors of an embedding model."),
      field(KEY(predict.question_weights), "alike", one_of({"alike", "targets"}),
            "How questions weigh in the loss: all alike, or by their number of target programs, as published: there a "
            "row is a pair of a question and a program."),
      field(KEY(predict.level_weights), "size", one_of({"size", "equal"}),
            "How levels weigh in the loss: by the weights of their questions, or all alike."),
  };
}

std::vector<Field> menu_fields() {
  return {
      field(KEY(menu.size), 48, integer_in(1, 4096), "Programs on the menu, the identity included."),
      field(KEY(menu.candidates), 96, integer_in(1, 65536),
            "Programs the menu is chosen from: run on every training and validation example that menus learn from."),
      field(KEY(menu.cover), "validity", one_of({"validity", "log-probability"}),
            "What a menu smaller than its candidates is chosen to cover: training examples that a program answers, or "
            "the probability of their answers."),
      field(KEY(menu.scorer), "ridge", one_of({"ridge", "kernel-ridge", "laplace-ridge", "logistic", "network"}),
            "Model that scores a program for an input, fitted to menu.target; network: 64 hidden units."),
      field(KEY(menu.pooling), "both", one_of({"both", "last", "mean"}),
            "States that the scorer reads: of the prompt's last token, their mean over its tokens, or one after the "
            "other."),
      field(KEY(menu.target), "mean", one_of({"mean", "token"}),
            "mean: of the outcome and the answer's probability; token: mean probability of a token of the answer."),
      field(KEY(menu.ridge), Numbers{1, 10, 100, 1000}, list_of("numbers > 0", number_above(0), 1),
            "Regularisation strengths to choose from on validation."),
      field(KEY(menu.lambda), Numbers{0, 0.02, 0.05, 0.1}, list_of("numbers >= 0", number_from(0), 1),
            "Length penalties to choose from on validation."),
      field(KEY(menu.margin), Numbers{0, 0.02, 0.05, 0.1}, list_of("numbers >= 0", number_from(0), 1),
            "Margins over the identity to choose from on validation."),
      field(KEY(menu.bandwidth), Numbers{1}, list_of("numbers > 0", number_above(0), 1),
            "Widths of the kernel to choose from on validation, in median distances of training inputs (kernel-ridge, "
            "laplace-ridge)."),
      field(KEY(menu.calibration), "none", one_of({"none", "platt", "temperature"}),
            "How scores become probabilities before lambda and margin weigh them, by the outcomes that select uses: "
            "platt fits a slope and a shift, temperature the sharpness of scores that are probabilities already."),
      field(KEY(menu.select), "validation", one_of({"validation", "leave-group-out"}),
            "Where strength, bandwidth, lambda and margin are chosen. leave-group-out: on training and validation "
            "examples together, each scored without those of its problem, and the scorer is fitted to both (not "
            "logistic or network)."),
      field(KEY(menu.depth_limit), 0, number_from(0),
            "Most layers on average that the menu policy may run there, in parts of the model's depth; 0: any."),
      field(KEY(menu.operating_points), Numbers{}, list_of("numbers > 0", number_above(0), 0),
            "Further depth limits, each a policy of its own: 0.9 is menu_0.9, evaluated wherever eval.policies has "
            "menu."),
      field(KEY(menu.cascade_tries), 1, integer_in(1, 64),
            "The policy cascade: the menu's programs for an input are run in turn, so many at most, until an answer is "
            "confident enough; 1: it is not trained."),
      field(KEY(menu.cascade_from), 0, number_from(0), "Operating point whose menu policy orders them; 0: menu's own."),
      field(KEY(menu.cascade_limit), 2, number_from(0),
            "Most layers on average that all tries may run on validation, in parts of the model's depth; 0: any."),
  };
}

std::vector<Field> baselines_fields() {
  return {
      field(KEY(baselines.examples_per_level), 20, integer_from(0),
            "Training examples a level for shortgpt, static_skip and rys, so many of each, drawn by hash; 0: all."),
      field(KEY(baselines.finalists), 10, integer_from(0),
            "static_skip and rys: so many of the best blocks are ranked again on more training examples; 0: none."),
      field(KEY(baselines.finalists_per_level), 200, integer_from(0),
            "Training examples a level for that, no fewer than baselines.examples_per_level; 0: all."),
      field(KEY(baselines.shortgpt_layers), std::vector<int>{1, 2, 3}, list_of("integers >= 1", integer_from(1), 1),
            "shortgpt: how many layers to remove; the number that runs first is chosen on validation."),
  };
}

/// Defaults are those of Dr.LLM (arXiv 2510.12773) and its released code.
std::vector<Field> router_fields() {
  const Rule<double> gamma{"0 or a number >= 1", [](double value) { return value == 0 || value >= 1; }};
  const Rule<double> beta{"a number from 0 to below 1", [](double value) { return 0 <= value && value < 1; }};
  return {
      field(KEY(router.epochs), 15, integer_from(1), "Passes over the labelled examples."),
      field(KEY(router.batch), 16, integer_from(1), "Examples a training step."),
      field(KEY(router.learning_rate), 1e-3, number_above(0), "Highest learning rate."),
      field(KEY(router.weight_decay), 0.01, number_from(0), "Weight decay."),
      field(KEY(router.warmup_steps), 500, integer_from(0), "Steps until the highest learning rate."),
      field(KEY(router.hidden), 128, integer_in(1, 65536), "drllm: width between a router's two layers."),
      field(KEY(router.windows), 8, integer_in(1, 1024),
            "Windows of the prompt whose states are averaged; the logits are averaged over them."),
      field(KEY(router.focal_gamma), 2, gamma, "Focal loss: how much less layers count that are decided rightly."),
      field(
          KEY(router.class_beta), 0.999, beta,
          "Class weights by the effective number of labels, nearly 1/n for n far below 1/(1 - beta); 0: all the same."),
      field(KEY(router.dial), 0, number_in(-1, 1),
            "drllm: mixes every decision with skip (-1), execute (0.5) or repeat (1); 0: the router's own."),
  };
}

std::vector<Field> eval_fields() {
  const Texts policies{"base", "static_best", "random", "predictor", "menu", "oracle"};
  const Texts others{"base_sampling", "shortgpt",    "static_skip", "rys",         "random_menu",
                     "menu_first_k",  "label_prior", "label_draw",  "menu_oracle", "drllm",
                     "mindskip",      "flexidepth",  "cascade"};
  Texts known = policies;
  known.insert(known.end(), others.begin(), others.end());
  return {
      field(KEY(eval.policies), policies, list_of("policies", one_of(known), 1),
            fmt::format("Policies to compare; there are also {}. experiments/policies/README.md says what each is.",
                        fmt::join(others, ", "))),
      field(KEY(eval.max_k), 5, integer_in(1, 1024), "Largest k of pass@k, vote@k and select@k."),
      field(KEY(eval.temperatures), Numbers{0.3, 0.7, 1.0}, list_of("numbers > 0", number_above(0), 1),
            "base_sampling: temperatures at which the unchanged model is sampled max_k times."),
      field(KEY(eval.latency_examples), 24, integer_from(0), "Examples timed per policy; 0: none."),
      field(KEY(eval.bootstrap), 2000, integer_from(100), "Bootstrap resamples."),
  };
}

#undef KEY
#undef KEY_NAMED

}  // namespace

const std::vector<Group>& schema_groups() {
  static const std::vector<Group> groups{
      {"", "The run"},
      {"task", "What is asked, how it is graded, and how it is split"},
      {"exec", "How programs are executed"},
      {"search", "Search over programs"},
      {"predict", "The program predictor"},
      {"menu", "The menu policy"},
      {"baselines", "Baselines that learn nothing from inputs"},
      {"router", "Learned routers: drllm, mindskip, flexidepth"},
      {"eval", "Evaluation"},
  };
  return groups;
}

const std::vector<Field>& schema_fields() {
  static const std::vector<Field> fields = [] {
    std::vector<Field> all;
    for (auto part : {run_fields, task_fields, exec_fields, search_fields, predict_fields, menu_fields,
                      baselines_fields, router_fields, eval_fields})
      for (Field& field : part()) all.push_back(std::move(field));
    return all;
  }();
  return fields;
}

std::string Field::group() const {
  auto dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string Field::name() const {
  return key.substr(key.find('.') + 1);
}

}  // namespace polar::experiment
