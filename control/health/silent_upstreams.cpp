#include "control/health/silent_upstreams.h"

#include <utility>

#include "matchers/quote.h"

namespace steer {
namespace {

constexpr std::uint64_t kUnanswered = 5;  // fewer in a row are lost packets
constexpr std::uint64_t kComplainEveryMs = 60'000;

}  // namespace

std::string SilentUpstreams::look(const Upstream& upstream, Heard heard, std::uint64_t now_ms,
                                  const std::string& failing_domain) {
    Known& known = by_id_[upstream.id];
    if (heard.unanswered > known.unanswered) known.asked_ms = now_ms;
    known.unanswered = known.replies == heard.replies ? heard.unanswered : 0;
    if (std::exchange(known.replies, heard.replies) != heard.replies) {
        if (!std::exchange(known.is_silent, false)) return {};
        return "upstream " + upstream.name + std::string(kAnswersAgain);
    }
    if (known.is_silent || heard.unanswered < kUnanswered || now_ms < known.complain_from_ms)
        return {};
    known.complain_from_ms = now_ms + kComplainEveryMs;
    if (!failing_domain.empty()) {
        return "upstream " + upstream.name + " has not answered " +
               std::to_string(heard.unanswered) +
               " queries in a row, most of them for names under " +
               matchers::quoted(failing_domain) +
               ": that domain's name servers may be silent, or a client asks for random names "
               "under it";
    }
    known.is_silent = true;
    return "upstream " + upstream.name + " does not answer (" + std::to_string(heard.unanswered) +
           " queries since its last reply): check that it runs, lets this machine ask it, and that "
           "no firewall drops its replies";
}

bool SilentUpstreams::is_silent(std::uint16_t id, std::uint64_t now_ms,
                                std::uint64_t within_ms) const {
    const auto at = by_id_.find(id);
    return at != by_id_.end() && at->second.unanswered >= kUnanswered &&
           now_ms - at->second.asked_ms < within_ms;
}

}  // namespace steer
