#include "control/silent_upstreams.h"

#include <utility>

namespace steer {
namespace {

constexpr std::uint64_t kUnanswered = 5;  // fewer in a row are lost packets
constexpr std::uint64_t kComplainEveryMs = 60'000;

}  // namespace

std::string SilentUpstreams::look(const Upstream& upstream, Heard heard, std::uint64_t now_ms) {
    Known& known = by_id_[upstream.id];
    if (std::exchange(known.replies, heard.replies) != heard.replies) {
        if (!std::exchange(known.is_silent, false)) return {};
        return "upstream " + upstream.name + " answers again";
    }
    if (known.is_silent || heard.unanswered < kUnanswered || now_ms < known.complain_from_ms)
        return {};
    known.is_silent = true;
    known.complain_from_ms = now_ms + kComplainEveryMs;
    return "upstream " + upstream.name + " does not answer (" + std::to_string(heard.unanswered) +
           " queries since its last reply): check that it runs, lets this machine ask it, and that "
           "no firewall drops its replies";
}

}  // namespace steer
