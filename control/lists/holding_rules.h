// The rules that match names, for the control socket: those of the present files, which are read again.
#pragma once

#include <functional>
#include <vector>

#include "control/config/why.h"
#include "control/ops/json_rpc.h"
#include "control/reload/reloader.h"

namespace steer {

using FindRules = std::function<Result<std::vector<config::HoldingRule>>(const config::Settings&)>;

// [{"plugin", "says", "rule", "file", "line", "queries"}], in the order of `find`. Takes as long as reading the
// configuration does: not on the main thread.
ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find);

}  // namespace steer
