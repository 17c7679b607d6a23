// The rules of /ip/route and /ipv6/route: the form of a destination, the flags for the state of a
// route, routes of the router itself, and a limit.
//
// Recorded outputs prove: hosts are printed with their length, a routing table must exist, `active`
// and `inactive` are separate flags. Not known, and so a switch in Options: whether a second
// identical route is refused. Also not known: the text of a refusal to change a dynamic route,
// whether ids survive a reboot, and how many routes fit.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/journal.h"
#include "tools/rossim/router.h"

namespace rossim {

class Record;

// Returns nothing if the menu is not a menu of routes.
std::optional<Family> route_family(std::string_view menu);

class Routes {
  public:
    explicit Routes(const Options& options) : options_(options) {}

    // Completes a new row (id 0) or a changed one before its insertion into `rows`. `count`: routes
    // of both families. Throws Trap.
    void finish(std::string_view menu, Record& row, const std::vector<Record>& rows,
                std::size_t count) const;
    // Throws Trap if the route belongs to the router itself: `what` is not allowed for it.
    static void check_own(const Record& row, std::string_view what);
    void set_flags(Record& row) const;
    void set_gateway(const std::string& gateway, bool is_reachable);

  private:
    const Options& options_;
    std::set<std::string> unreachable_;
};

}  // namespace rossim
