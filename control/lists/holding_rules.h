// Rules that hold for names, as the control socket says them: those of the files as they are now, which are read anew.
#pragma once

#include <functional>
#include <vector>

#include "control/config/why.h"
#include "control/ops/json_rpc.h"
#include "control/reload/reloader.h"

namespace steer {

using FindRules = std::function<Result<std::vector<config::HoldingRule>>(const config::Settings&)>;

// [{"plugin", "says", "rule", "file", "line", "queries"}], in the order that `find` gives. Takes as long as reading the
// configuration does: not on the main thread.
ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find);

}  // namespace steer
