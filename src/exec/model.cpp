#include "exec/model.h"

namespace polar::exec {

Model load_model(const std::filesystem::path& folder, const std::string& dtype, const std::string& kernels) {
  const pool::DType chosen = pool::choose_dtype(dtype).dtype;
  auto pool = pool::ModulePool::load(folder, {chosen, true, pool::choose_kernels(kernels, chosen)});
  const pool::Manifest& manifest = pool->manifest();
  auto tokenizer = std::make_shared<text::Tokenizer>(text::Tokenizer::load(manifest.path(manifest.tokenizer_file)));
  return {std::move(pool), std::move(tokenizer)};
}

}  // namespace polar::exec
