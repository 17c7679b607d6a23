// The RouterOS commands that a configuration's routers need, and their undo, as one text for the
// operator.
//
// Each router gets a block to paste into a RouterOS 7 terminal (or to /import), and then a block
// that undoes it in reverse order. A block begins with variables for values that the configuration
// does not have. It does nothing before they are set. The text has no secrets except those that the
// caller fills in. docs/guides/routers.md explains each command.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/settings.h"
#include "control/operator/setup/steps.h"
#include "matchers/result.h"

namespace steer::setup {

// Values of the blocks' variables by their names (steps.h, `blanks`). The operator sets the others.
using Values = std::map<std::string, std::string, std::less<>>;

// What clients use while steerdnsd is down: nothing; the router's own DNS; or a second server in
// addition to steerdnsd. Names that other servers resolve have no rows, so policy routing by name
// stops for them.
struct Failover {
    bool netwatch = false;
    std::optional<IpAddress> second;

    // "netwatch", or an address.
    static std::optional<Failover> parse(std::string_view text);
};

// `settings`: of a configuration without errors. A configuration with DNS64 has one more block, for
// the router of that network. Error: no plugin uses a router, or RouterOS 6 supports none of the
// commands.
Result<std::string> routeros_setup(const config::Settings& settings, const Values& values = {},
                                   RouterOs version = RouterOs::v7, const Failover& failover = {});

// The same as two files for /import. The undo there needs no confirmation, because its file has
// nothing else.
struct ImportFiles {
    std::string set_up, undo;
};
ImportFiles routeros_import_files(const config::Settings& settings, const Values& values);

}  // namespace steer::setup
