#include "cli/version.h"

#include <fmt/format.h>

#include "exec/fingerprint.h"
#include "pool/module_pool.h"

namespace polar::cli {

std::string version_text() {
  const pool::DTypeChoice choice = pool::choose_dtype("auto");
  return fmt::format("polar {}\n{}\nexec.dtype auto: {}", POLAR_VERSION,
                     exec::machine_fingerprint(choice.dtype, pool::choose_kernels("auto", choice.dtype)),
                     choice.reason);
}

}  // namespace polar::cli
