// The RouterOS commands that a configuration's routers need, and what undoes them, as one text for the operator.
//
// For each router a block to paste into a RouterOS 7 terminal (or to /import), and after it a block that takes it back,
// last thing first. A block begins with variables for what the configuration does not say; nothing is done before they
// are filled. No secret is in the text but what the caller fills in. docs/guides/routers.md says what each command is for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/settings.h"
#include "control/operator/setup/steps.h"
#include "matchers/result.h"

namespace steer::setup {

// Values of the blocks' variables by their names (steps.h, `blanks`); the others are left to the operator.
using Values = std::map<std::string, std::string, std::less<>>;

// What clients have while steerdnsd is down: nothing; the router's own DNS; a second server beside steerdnsd. Names that
// are resolved elsewhere have no rows: policy routing by name stops for them.
struct Failover {
    bool netwatch = false;
    std::optional<IpAddress> second;

    // "netwatch", or an address.
    static std::optional<Failover> parse(std::string_view text);
};

// `settings` are of a configuration without errors. A configuration with DNS64 has one more block, for the router of that
// network. An Error if no plugin in it has to do with a router, or if RouterOS 6 cannot do any of it.
Result<std::string> routeros_setup(const config::Settings& settings, const Values& values = {},
                                   RouterOs version = RouterOs::v7, const Failover& failover = {});

// The same as two files to /import. The undo needs no confirmation there: its file holds nothing else.
struct ImportFiles {
    std::string set_up, undo;
};
ImportFiles routeros_import_files(const config::Settings& settings, const Values& values);

}  // namespace steer::setup
