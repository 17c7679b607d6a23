#include "control/sinks/routers/needed_lists.h"

#include <map>

#include "matchers/quote.h"

namespace steer {
namespace {

bool can_be_written(const NeededList& list, std::uint64_t now_ms) {
    if (!list.is_away || list.is_stopped) return true;
    if (!list.was_reached) return false;
    return list.away_since_ms == 0 || now_ms - list.away_since_ms < kSinkGraceMs;
}

}  // namespace

std::string needed_lists_error(std::span<const NeededList> lists, std::uint64_t now_ms) {
    struct Seen {
        config::ReadyNeed need = config::ReadyNeed::off;
        bool any_good = false;
        std::string bad;  // sinks
    };
    std::map<std::string, Seen> by_tag;
    for (const NeededList& list : lists) {
        if (list.need == config::ReadyNeed::off) continue;
        Seen& seen = by_tag[list.tag];
        seen.need = list.need;
        if (can_be_written(list, now_ms)) {
            seen.any_good = true;
            continue;
        }
        seen.bad += (seen.bad.empty() ? "" : ", ") + list.where;
        if (!list.error.empty()) seen.bad += " (" + list.error + ")";
    }
    std::string text;
    for (const auto& [tag, seen] : by_tag) {
        const bool is_ready =
            seen.bad.empty() || (seen.any_good && seen.need == config::ReadyNeed::any);
        if (is_ready) continue;
        text += text.empty() ? "" : "; ";
        text += "list " + matchers::quoted(tag) + " cannot be written to " + seen.bad;
    }
    return text;
}

}  // namespace steer
