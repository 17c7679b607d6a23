#include "control/health/needed_routers.h"

#include <map>

#include "matchers/quote.h"

namespace steer {
namespace {

bool can_be_written(const NeededRouter& router, std::uint64_t now_ms) {
    if (!router.is_away || router.is_stopped) return true;
    if (!router.was_reached) return false;
    return router.away_since_ms == 0 || now_ms - router.away_since_ms < kRouterGraceMs;
}

}  // namespace

std::string needed_routers_trouble(std::span<const NeededRouter> routers, std::uint64_t now_ms) {
    struct Seen {
        config::ReadyRouters ready = config::ReadyRouters::off;
        bool any_good = false;
        std::string bad;  // routers
    };
    std::map<std::string, Seen> lists;  // by tag
    for (const NeededRouter& router : routers) {
        const bool is_good = can_be_written(router, now_ms);
        for (const NeededList& list : router.lists) {
            if (list.ready == config::ReadyRouters::off) continue;
            Seen& seen = lists[list.tag];
            seen.ready = list.ready;
            if (is_good) {
                seen.any_good = true;
                continue;
            }
            seen.bad += (seen.bad.empty() ? "" : ", ") + router.name;
            if (!router.trouble.empty()) seen.bad += " (" + router.trouble + ")";
        }
    }
    std::string text;
    for (const auto& [tag, seen] : lists) {
        const bool is_ready =
            seen.bad.empty() || (seen.any_good && seen.ready == config::ReadyRouters::any);
        if (is_ready) continue;
        text += text.empty() ? "" : "; ";
        text += "list " + matchers::quoted(tag) + " cannot be written on " + seen.bad;
    }
    return text;
}

}  // namespace steer
