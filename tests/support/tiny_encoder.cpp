#include "support/tiny_encoder.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/script.h>

#include "core/digest.h"
#include "core/file.h"
#include "support/word_piece_file.h"

namespace polar::test {

void write_tiny_encoder(const std::filesystem::path& folder, std::uint64_t seed) {
  std::filesystem::create_directories(folder);
  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "train", "valid", "test", "plus"};
  for (int digit = 0; digit < 10; ++digit) {
    vocabulary.push_back(std::to_string(digit));
    vocabulary.push_back("##" + std::to_string(digit));
  }
  torch::jit::Module module("Encoder");
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  module.register_parameter("words", at::randn({static_cast<int>(vocabulary.size()), 6}, generator), false);
  module.define(R"(
def forward(self, tokens: Tensor) -> Tensor:
    hidden = torch.embedding(self.words, tokens)
    return torch.tanh(hidden + torch.mean(hidden, [0], True))
)");
  module.save((folder / "encoder.ts").string());
  core::write_file(folder / "tokenizer.json", word_piece_json(vocabulary).dump());
  json files = json::object();
  for (const char* name : {"encoder.ts", "tokenizer.json"}) {
    files[name] = {{"bytes", std::filesystem::file_size(folder / name)}, {"sha256", core::sha256_file(folder / name)}};
  }
  core::write_file(folder / "encoder.json", json{{"format_version", 1},
                                                 {"kind", "encoder"},
                                                 {"name", "tiny"},
                                                 {"width", 6},
                                                 {"context", 10},
                                                 {"digest", "tiny-" + std::to_string(seed)},
                                                 {"files", files}}
                                                .dump());
}

}  // namespace polar::test
