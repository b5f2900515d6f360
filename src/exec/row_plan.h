#pragma once
// How packed rows are cut into GEMM calls whose results do not depend on the cut.

#include <memory>
#include <string>
#include <vector>

#include "pool/module_pool.h"

namespace polar::exec {

/// Row counts at which a module gives a row the same bits as at `full` rows, ascending, `full` last. A chunk is
/// zero-padded to the smallest class that holds it.
struct RowClasses {
  int full = 0;
  std::vector<int> sizes;
  bool any = false;  ///< every row count up to `full` gives the same bits: no padding

  /// Sizes of the calls that cover `rows` rows: as many full ones as fit, then the smallest class for the rest.
  std::vector<int> cut(int rows) const;
};

/// Rule (a) of batch-invariant execution: `full` is the constant R of each module kind, other row counts are used only
/// where a probe on this machine, made at start-up, shows equal bits.
struct RowPlan {
  RowClasses layer, head;
  bool invariant = true;  ///< false: calls of any size, no padding, no promise
};

/// Probes layer 0 and the head of the pool with random rows (a fixed seed). One intra-op thread; takes well under a
/// second.
RowPlan probe_rows(const pool::ModulePool& pool, int layer_rows, int head_rows, bool invariant);

}  // namespace polar::exec
