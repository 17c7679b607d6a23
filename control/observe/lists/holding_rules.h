// The rules that match names, for the control socket: those of the present configuration, with the
// present files of its lists, which are read again.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "control/api/rpc/json_rpc.h"
#include "control/config/advice/why.h"
#include "control/program/reload/reloader.h"
#include "control/sources/transfer/zone_rules.h"

namespace steer {

using FindRules = std::function<Result<std::vector<config::HoldingRule>>(const config::Settings&)>;

// A page of the rules that match a name. A list can have the same name any number of times.
struct HoldingPage {
    std::optional<ops::Cursor> after, next;
    bool has_lost_place = false;
    // Rows of `all`: the first one, and the one behind the last.
    std::pair<std::size_t, std::size_t> choose(const std::vector<config::HoldingRule>& all);
};
inline constexpr ops::Piece kHoldingRules = ops::Piece::pages(500);

// [{"plugin", "says", "rule", "file", "line", "queries"}], in the order of `find`. A list that
// cannot be read has no rules here; `error` has the reason. Takes as long as reading the
// configuration: not for the main thread.
ops::RpcResult holding_rules(const ConfigSource& source, const FindRules& find,
                             std::string* error = nullptr);
// The same for one name, with `zones`, and "effects": the effects of the rules of sequences on it,
// [{"does", "sequence", "file", "line", "unless", "with_others"}]. A rule that an exception
// overrules has no effect.
ops::RpcResult holding_rules(const ConfigSource& source, const std::string& name,
                             const std::vector<ZoneRule>& zones, HoldingPage& page,
                             std::string* error = nullptr);

// Whether the files are the same as those in use: {"name", "differs": of the configuration and its
// included files, "error": why the present files cannot be loaded; empty}. `error`: from
// holding_rules(). Not for the main thread.
boost::json::object files_state(const ConfigSource& source, const std::string& error);

}  // namespace steer
