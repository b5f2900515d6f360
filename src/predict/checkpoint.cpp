#include "predict/checkpoint.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/file.h"

namespace polar::predict {
namespace {

using nlohmann::json;

/// The file: one line of JSON, then the three parts one after the other.
Checkpoint parse(const std::string& bytes) {
  const std::size_t end = bytes.find('\n');
  const json head = json::parse(bytes.substr(0, end));
  const std::string_view body = std::string_view(bytes).substr(end + 1);
  Checkpoint checkpoint{
      head.at("digest"), head.at("best_epoch"), head.at("layers_done"), curve_from(head.at("curve")), {}, {}, {}};
  if (core::sha256(body) != head.at("body_sha256").get<std::string>()) return {};
  std::size_t at = 0;
  const auto take = [&](const char* key) {
    const auto size = head.at(key).get<std::size_t>();
    at += size;
    return std::string(body.substr(at - size, size));
  };
  checkpoint.network = take("network_bytes");
  checkpoint.optimiser = take("optimiser_bytes");
  checkpoint.best = take("best_bytes");
  return checkpoint;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  const std::string body = checkpoint.network + checkpoint.optimiser + checkpoint.best;
  const json head{{"digest", checkpoint.digest},
                  {"best_epoch", checkpoint.best_epoch},
                  {"layers_done", checkpoint.layers_done},
                  {"curve", curve_json(checkpoint.curve)},
                  {"network_bytes", checkpoint.network.size()},
                  {"optimiser_bytes", checkpoint.optimiser.size()},
                  {"best_bytes", checkpoint.best.size()},
                  {"body_sha256", core::sha256(body)}};
  core::write_file(path, head.dump() + "\n" + body);
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path, std::string_view digest,
                                          std::string& why_not) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::string bytes = core::read_file(path);
  try {
    Checkpoint checkpoint = parse(bytes);
    if (checkpoint.digest == digest) return checkpoint;
    why_not = checkpoint.digest.empty() ? "it is damaged" : "it is of a training with other options, data or weights";
  } catch (const std::exception& error) {
    why_not = fmt::format("it is damaged ({})", error.what());
  }
  return std::nullopt;
}

std::optional<Checkpoint> checkpoint_of(const std::filesystem::path& path, std::string_view digest,
                                        const std::function<void(const std::string&)>& say) {
  if (path.empty()) return std::nullopt;
  std::string why_not;
  auto found = read_checkpoint(path, digest, why_not);
  if (!why_not.empty() && say)
    say(fmt::format("{}: this checkpoint is passed over: {}; training starts anew", path.string(), why_not));
  return found;
}

}  // namespace polar::predict
