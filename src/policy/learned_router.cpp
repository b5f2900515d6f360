#include "policy/learned_router.h"

#include <fmt/format.h>

#include "core/error.h"

namespace polar::policy {

LearnedRouter::LearnedRouter(const predict::TrainedRouters& trained, double dial) : trained_(trained), dial_(dial) {
  if (!(dial >= -1 && dial <= 1))
    throw core::UsageError(fmt::format("routers: compute dial: expected a number from -1 to 1, found {}", dial));
}

}  // namespace polar::policy
