#include "exec/model.h"

#include "pool/device.h"

namespace polar::exec {

Model load_model(const std::filesystem::path& folder, const std::string& dtype, const std::string& kernels,
                 const std::string& device, const pool::NullOptions& null) {
  const std::string where = pool::choose_device(device);
  const pool::DType chosen = pool::choose_dtype(dtype, where).dtype;
  auto pool = pool::ModulePool::load(folder, {chosen, true, pool::choose_kernels(kernels, chosen, where), where, null});
  const pool::Manifest& manifest = pool->manifest();
  auto tokenizer = std::make_shared<text::Tokenizer>(text::Tokenizer::load(manifest.path(manifest.tokenizer_file)));
  return {std::move(pool), std::move(tokenizer)};
}

}  // namespace polar::exec
