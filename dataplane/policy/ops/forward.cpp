#include "dataplane/policy/ops/forward.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace steer {
namespace {

bool ends_with(std::span<const std::uint8_t> name, std::string_view end) {
    return name.size() >= end.size() &&
           std::ranges::equal(name.last(end.size()), end, {}, {},
                              [](char c) { return static_cast<std::uint8_t>(c); });
}

// The answer to a question that is not sent upstream; kNoAnswer: it is sent.
// - .local belongs to mDNS (RFC 6762 22.1).
// - resolver.arpa is about the resolver that is asked (RFC 9462 6.1): another one's answer would lead clients past us.
AnswerRef own_answer(const LiveRun& w, const Instruction& forward) {
    constexpr std::string_view kLocal("\5local\0", 7), kDesignation("\10resolver\4arpa\0", 15);
    const auto name = w.c.asked().name();
    if (ends_with(name, kDesignation)) return w.snapshot().no_designation;
    return !forward.with_local && ends_with(name, kLocal) ? w.snapshot().no_local : kNoAnswer;
}

}  // namespace

MaybeStep Body<Op::forward>::run(LiveRun& w, const Instruction& i) noexcept {
    if (w.c.query.qclass == dns::kChaos) [[unlikely]] {  // it asks which server this is
        w.worker.counters.add(Stat::not_forwarded);
        w.c.replay = nullptr;
        w.give_empty(dns::kNotImp);
    } else if (const AnswerRef own = own_answer(w, i); own != kNoAnswer) {
        const bool is_local = own == w.snapshot().no_local;
        w.worker.counters.add(is_local ? Stat::local_denied : Stat::not_forwarded);
        w.c.replay = nullptr;
        w.give(own);
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
