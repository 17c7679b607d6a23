#include "dataplane/policy/ops/forward.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace steer {
namespace {

// A name under .local, which is not sent upstream (RFC 6762 22.1).
bool stays_here(const LiveRun& w, const Instruction& forward) {
    constexpr std::string_view kLocal("\5local\0", 7);
    if (forward.with_local || w.snapshot().no_local == kNoAnswer) return false;
    const auto name = w.c.asked().name();
    return name.size() >= kLocal.size() &&
           std::equal(kLocal.begin(), kLocal.end(), name.end() - kLocal.size());
}

}  // namespace

MaybeStep Body<Op::forward>::run(LiveRun& w, const Instruction& i) noexcept {
    if (stays_here(w, i)) {
        w.worker.counters.add(Stat::local_denied);
        w.c.replay = nullptr;
        w.give(w.snapshot().no_local);
    } else if (w.c.stale != nullptr) {
        w.give_kept(*w.c.stale, w.c.stale_ttl_s);
    } else if (w.c.replay != nullptr) {
        w.give_kept(*std::exchange(w.c.replay, nullptr), 0);
    } else {
        w.c.group = static_cast<std::uint16_t>(i.operand);
        return Step::asks;
    }
    return w.next_or_stop(i);
}

}  // namespace steer
