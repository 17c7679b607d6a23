// Handles questions that come back: tests the upstreams that may have sent them, and ends a proved
// loop.
#include <algorithm>
#include <array>
#include <bit>

#include "dataplane/forward/forwarder_impl.h"

namespace steer {

using forward::kNone;

namespace {

constexpr std::uint64_t kCheckReturnsMs = 250;  // between checks of a query

}  // namespace

void Forwarder::Impl::note_return(std::uint32_t outstanding, const IpAddress& client,
                                  Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    for (std::uint32_t i = f.attempts; i != kNone; i = table.attempt(i).next) {
        const Attempt& a = table.attempt(i);
        if (a.address == client) f.returned |= MemberMask{1} << a.member;
    }
    // By a proved loop it may come from another address.
    if (f.returned != 0 || loops.has_proofs(now.ms)) [[unlikely]]
        check_returns(outstanding, now);
}

void Forwarder::Impl::check_returns(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    std::array<IpAddress, 2 * std::size_t{kMaxGroupMembers}> from;  // of returned questions
    std::size_t addresses = 0;
    MemberMask in_loop = 0;
    const std::size_t members =
        std::min<std::size_t>(f.upstreams().members.size(), kMaxGroupMembers);
    for (unsigned m = 0; m < members; ++m) {
        const MemberMask bit = MemberMask{1} << m;
        const std::uint16_t id = f.member(m).id;
        const auto loop = loops.find(id, f.name(), now.ms);
        if (loop) {
            in_loop |= bit;
            from[addresses++] = f.member(m).address;
            from[addresses++] = loop->from;
        }
        const bool is_due = !loop || loop->until_ms - now.ms <= forward::kRenewProofMs;
        if (is_due && (f.returned & ~f.tested & bit) != 0) test_for_loop(outstanding, m, now);
    }
    if (in_loop != 0 && !asks_outside_loop(outstanding, in_loop, now))
        end_returns(outstanding, std::span(from).first(addresses));
    f.returns_at_ms = f.returned != 0 ? now.ms + kCheckReturnsMs : kNever;
    set_timer(outstanding, now);
}

void Forwarder::Impl::test_for_loop(std::uint32_t outstanding, unsigned member, Now now) noexcept {
    using forward::LoopTests;
    OutstandingQuery& f = table[outstanding];
    const Upstream& to = f.member(member);
    LoopTests::Test* const test = tests.begin(to.id, f.name(), now.ms);
    if (test == nullptr) return;
    f.tested |= MemberMask{1} << member;
    counters.add(Stat::loop_tests);
    for (const auto which : {LoopTests::root, LoopTests::below}) {
        std::array<std::uint8_t, dns::kMaxName> room;
        const bool is_below = which == LoopTests::below;
        const std::size_t length = dns::write_query(
            query, static_cast<std::uint16_t>(random.next()), test->question_name(which, room),
            is_below ? f.qtype : std::uint16_t{dns::kA},
            is_below ? f.qclass : std::uint16_t{dns::kIn}, true, false, false, false);
        Outgoing out{.test = tests.number_of(*test, which), .over_tcp = f.over_tcp};
        if (send(out, to, length) != Sent::yes) continue;
        note_sent(table.attempt(out.attempt), to, now);
        test->questions[which].attempt = out.attempt;
        test->questions[which].state = LoopTests::Question::State::waits;
    }
}

bool Forwarder::Impl::asks_outside_loop(std::uint32_t outstanding, MemberMask in_loop,
                                        Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    for (std::uint32_t i = f.attempts; i != kNone; i = table.attempt(i).next) {
        if ((in_loop >> table.attempt(i).member & 1) == 0) return true;
    }
    const std::uint64_t domain = f.domain[matchers::DomainLevel::domain];
    const MemberMask without = f.tried | f.failed | in_loop;
    if (choice.pick(*f.snapshot, f.upstreams(), without, now.ms, domain) < 0) return false;
    const auto first = static_cast<unsigned>(std::countr_zero(in_loop));
    counters.saw(Overload::loop, f.member(first).address, f.name());
    f.tried |= in_loop;
    ask_again(outstanding, now);
    return true;
}

// The first waiter stays: its question did not return, or it is the only one that waits.
void Forwarder::Impl::end_returns(std::uint32_t outstanding,
                                  std::span<const IpAddress> from) noexcept {
    OutstandingQuery& f = table[outstanding];
    const unsigned waiters = f.waiters.count();
    for (unsigned n = 0; n < waiters; ++n) {
        Parked* const parked = f.waiters.pop();
        const IpAddress& client = parked->path.client.address;
        if (n == 0 || parked->program.refresh || std::ranges::find(from, client) == from.end()) {
            f.waiters.push(parked);
            continue;
        }
        if (forward::wants_all(*parked)) --f.want_all;
        counters.saw(Overload::loop, client, f.name());
        turn_away(parked, UpstreamResult::looped, Stat::upstream_loops);
    }
}

Forwarder::Impl::Reply Forwarder::Impl::take_test_reply(std::uint32_t attempt,
                                                        std::span<const std::uint8_t> dns,
                                                        Now now) noexcept {
    if (!tests.on_reply(table.attempt(attempt).test, dns, now.ms)) return Reply::malformed;
    table.close_attempt(attempt);
    return Reply::used;
}

void Forwarder::Impl::settle_tests(Now now) noexcept {
    const unsigned proved =
        tests.settle(now.ms, [this](std::uint32_t attempt) { table.close_attempt(attempt); });
    if (proved != 0) counters.add(Stat::loops_proved, proved);
}

}  // namespace steer
