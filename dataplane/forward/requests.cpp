// Chooses the upstream and the transport of an outstanding query, and the time of the next attempt.
//
// The query starts with the group's `concurrent` upstreams, and with a copy to one that is due for
// measurement. If the last one is late or one fails, the next is asked; earlier ones may still
// reply.
#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/forward/forwarder_impl.h"

namespace steer {

using forward::kNone;
using forward::MemberMask;

namespace {

constexpr std::uint64_t kNoRouteMs =
    100;  // when no upstream has a next hop (neighbours appear within that time)
constexpr unsigned kMaxRounds = 3;  // queries to one server for one question (RFC 9520 3.1)
constexpr unsigned kIdDraws =
    16;  // until a (port, id) is free: with 16,384 in flight one is nearly sure

MemberMask bit(unsigned member) {
    return MemberMask{1} << member;
}

constexpr NextHop kNoHop{};

}  // namespace

const NextHop& Forwarder::Impl::hop_to(const Upstream& upstream) const noexcept {
    if (hops == nullptr || upstream.id >= hops->by_upstream.size()) return kNoHop;
    return hops->by_upstream[upstream.id];
}

bool Forwarder::Impl::has_random_case(const OutstandingQuery& f,
                                      const Upstream& to) const noexcept {
    if (options.random_case == RandomCase::never || !to.random_case || f.over_tcp ||
        to.channel == Channel::stream)
        return false;
    return options.random_case == RandomCase::always || !choice.changes_case(to.id);
}

bool Forwarder::Impl::has_datagrams(const OutstandingQuery& f) noexcept {
    return std::ranges::any_of(f.upstreams().members, [&](std::uint16_t member) {
        return f.snapshot->upstreams[member].channel != Channel::stream;
    });
}

void Forwarder::Impl::start(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const UpstreamGroup& group = f.upstreams();
    // Without an upstream it ends with the next tick.
    f.deadline_ms = now.ms + (group.members.empty() ? 0 : group.total_timeout_ms);
    f.end = UpstreamResult::no_route;
    if (options.random_case != RandomCase::never) {
        for (auto& word : f.case_bits)
            word = (std::uint64_t{random.next()} << 32) | random.next();
    }
    for (unsigned n = 0; n < std::max<unsigned>(group.concurrent, 1); ++n) {
        if (n > 0 && !choice.has_other(group, f.tried)) break;
        if (!ask_next(outstanding, now)) break;
    }
    const int measured = f.over_tcp ? -1 : choice.to_measure(*f.snapshot, group, f.tried, now.ms);
    if (measured >= 0) {
        const auto member = static_cast<unsigned>(measured);
        const bool edns = choice.takes_edns(f.member(member).id);
        if (ask_member(outstanding, member, edns, now) == Sent::yes)
            table.attempt(f.attempts).is_copy = true;
    }
    set_timer(outstanding, now);
}

bool Forwarder::Impl::ask_next(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const UpstreamGroup& group = f.upstreams();
    const std::uint64_t domain = f.domain[matchers::DomainLevel::domain];
    for (unsigned tries = 0; tries <= group.members.size(); ++tries) {
        int member = choice.pick(*f.snapshot, group, f.tried | f.failed, now.ms, domain);
        if (member < 0 && f.answer == nullptr && tries == 0) {  // one more round
            if (f.sent_in_round > 0 && f.round + 1U == kMaxRounds) {
                f.next_send_ms = kNever;  // earlier attempts may still reply
                return false;
            }
            f.tried = 0;
            if (f.sent_in_round > 0) ++f.round;
            f.sent_in_round = 0;
            member = choice.pick(*f.snapshot, group, f.failed, now.ms, domain);
        }
        if (member < 0) break;
        const auto m = static_cast<unsigned>(member);
        const Upstream& to = f.member(m);
        switch (ask_member(outstanding, m, choice.takes_edns(to.id), now)) {
            case Sent::yes:
                ++f.sent_in_round;
                f.end = UpstreamResult::timed_out;
                f.next_send_ms =
                    now.ms + (f.over_tcp ? to.timeout_ms : choice.patience_ms(to, f.round));
                return true;
            case Sent::no_route:
                f.has_other_failure = true;
                f.tried |= bit(m);
                break;
            case Sent::no_room:
                f.next_send_ms = now.ms + kNoRoomMs;
                return false;
        }
    }
    // No upstream could be asked. With a fallback answer, no other will be asked.
    f.next_send_ms = f.answer != nullptr ? kNever : now.ms + kNoRouteMs;
    return false;
}

Forwarder::Impl::Sent Forwarder::Impl::ask_member(std::uint32_t outstanding, unsigned member,
                                                  bool edns, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const Upstream& to = f.member(member);
    const NextHop& hop = hop_to(to);
    if (hop.via == NextHop::Via::nothing && !f.over_tcp && to.channel == Channel::none) {
        counters.add(Stat::upstream_no_route);
        return Sent::no_route;
    }
    std::array<std::uint8_t, 256> room;
    const auto id = static_cast<std::uint16_t>(random.next());
    std::span<const std::uint8_t> sent_options = f.options();
    std::array<std::uint8_t, UINT8_MAX + forward::UpstreamCookies::kLongestOption> options_room;
    bool has_cookie = false;
    if (edns && to.cookies && !f.over_tcp && to.channel == Channel::none) {
        std::memcpy(options_room.data(), sent_options.data(), sent_options.size());
        const std::span<std::uint8_t> rest = std::span(options_room).subspan(sent_options.size());
        const std::size_t bytes = cookies.write(to.id, hop.source, now.ms, rest);
        has_cookie = bytes != 0;
        sent_options = std::span(options_room).first(sent_options.size() + bytes);
    }
    const bool random_case = has_random_case(f, to);
    const std::size_t length = dns::write_query(
        query, id, random_case ? f.name_as_sent(room) : f.name(), f.qtype, f.qclass, true,
        f.checking_disabled, edns, edns && f.dnssec_ok, f.ecs(), sent_options, to.trust_ad);
    Outgoing out{.outstanding = outstanding, .over_tcp = f.over_tcp};
    const Sent sent = send(out, to, length);
    if (sent != Sent::yes) return sent;
    forward::Attempt& a = table.attempt(out.attempt);
    note_sent(a, to, now);
    a.member = static_cast<std::uint8_t>(member);
    a.edns = edns;
    a.cookies = has_cookie ? 1 : 0;
    a.random_case = random_case;
    choice.sent(to.id);
    a.measures = !f.over_tcp && choice.measures(to.id, now.ms);
    f.tried |= bit(member);

    counters.add(Stat::upstream_queries);
    if (f.trail != nullptr) [[unlikely]] {
        const TraceVia via = f.over_tcp                        ? TraceVia::tcp
                             : to.channel != Channel::none     ? TraceVia::channel
                             : hop.via == NextHop::Via::kernel ? TraceVia::kernel
                                                               : TraceVia::port;
        note(f, TraceWhat::asked, static_cast<unsigned>(via), to.id, 0, now);
    }
    return Sent::yes;
}

void Forwarder::Impl::note_sent(Attempt& a, const Upstream& to, Now now) const noexcept {
    a.sent_ms = now.ms;
    a.deadline_ms = now.ms + to.timeout_ms;
    a.address = to.address;
    a.address_port = to.port;
    a.upstream = to.id;
}

Forwarder::Impl::Sent Forwarder::Impl::send(Outgoing& out, const Upstream& to,
                                            std::size_t length) noexcept {
    const std::span<const std::uint8_t> bytes{query.data(), length};
    if (out.over_tcp && to.channel != Channel::stream)
        return send_by_kernel(out, to, UpstreamVia::tcp, bytes);
    if (to.channel != Channel::none) return send_by_kernel(out, to, UpstreamVia::channel, bytes);
    const NextHop& hop = hop_to(to);
    if (hop.via == NextHop::Via::nothing) return Sent::no_route;
    if (hop.via != NextHop::Via::kernel) return send_in_frame(out, to, bytes, hop);
    return send_by_kernel(out, to, to.is_engine ? UpstreamVia::engine : UpstreamVia::udp, bytes);
}

Forwarder::Impl::Sent Forwarder::Impl::send_in_frame(Outgoing& out, const Upstream& to,
                                                     std::span<const std::uint8_t> bytes,
                                                     const NextHop& hop) noexcept {
    std::uint16_t port = 0;
    std::uint16_t id = dns::load_be16(bytes.data());
    unsigned draws = 0;
    for (;; ++draws) {
        port = ports.pick(random);
        if (!table.is_taken(port, id)) break;
        if (draws == kIdDraws) return Sent::no_room;
        id = static_cast<std::uint16_t>(random.next());
    }
    dns::store_be16(query.data(), id);
    out.attempt = table.open_attempt(out.outstanding, port, id, out.test);
    if (out.attempt == kNone) return Sent::no_room;
    if (sink.send_frame(hop, port, to, bytes)) return Sent::yes;
    table.close_attempt(out.attempt);
    return Sent::no_room;
}

Forwarder::Impl::Sent Forwarder::Impl::send_by_kernel(
    Outgoing& out, const Upstream& to, UpstreamVia via,
    std::span<const std::uint8_t> bytes) noexcept {
    Buffer* const buffer =
        buffers.take(static_cast<std::uint32_t>(sizeof(UpstreamQuery) + bytes.size()));
    if (buffer == nullptr) return Sent::no_room;
    const UpstreamQuery header{to.address, to.port, static_cast<std::uint16_t>(bytes.size()),
                               to.timeout_ms};
    std::memcpy(buffer->data(), &header, sizeof header);
    std::memcpy(buffer->data() + sizeof header, bytes.data(), bytes.size());
    buffer->length = static_cast<std::uint32_t>(sizeof header + bytes.size());
    out.attempt = table.open_attempt(out.outstanding, 0, dns::load_be16(bytes.data()), out.test);
    if (out.attempt != kNone && sink.send_by_kernel(table.token(out.attempt), to, via, buffer))
        return Sent::yes;
    if (out.attempt != kNone) table.close_attempt(out.attempt);
    release(buffer);
    return Sent::no_room;
}

void Forwarder::Impl::on_timer(std::uint32_t outstanding, Now now) noexcept {
    end_attempts_in_silence(outstanding, now);
    OutstandingQuery& f = table[outstanding];
    if (now.ms >= f.deadline_ms || now.ms >= f.choose_at_ms) {
        Buffer* const last_resort = std::exchange(f.answer, nullptr);
        finish(outstanding, f.end, last_resort);
        return;
    }
    if (now.ms >= f.returns_at_ms) check_returns(outstanding, now);
    if (now.ms >= f.next_send_ms) ask_again(outstanding, now);
    end_or_wait(outstanding, now);
}

void Forwarder::Impl::go_on(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    if (f.holds_negative()) return end_or_wait(outstanding, now);
    if (choice.has_other(f.upstreams(), f.tried | f.failed)) {
        ask_again(outstanding, now);
    } else if (f.answer != nullptr) {
        f.next_send_ms = kNever;
    }
    end_or_wait(outstanding, now);
}

void Forwarder::Impl::ask_again(std::uint32_t outstanding, Now now) noexcept {
    const bool was_asked = table[outstanding].end != UpstreamResult::no_route;
    if (ask_next(outstanding, now) && was_asked) counters.add(Stat::upstream_retries);
}

void Forwarder::Impl::end_or_wait(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const bool is_awaited = [&] {
        for (std::uint32_t i = f.attempts; i != kNone; i = table.attempt(i).next) {
            if (!table.attempt(i).is_copy || !f.holds_negative()) return true;
        }
        return false;
    }();
    if (!is_awaited && f.next_send_ms == kNever) {  // then there is an answer to fall back on
        finish(outstanding, f.end, std::exchange(f.answer, nullptr));
    } else {
        set_timer(outstanding, now);
    }
}

void Forwarder::Impl::end_attempts_in_silence(std::uint32_t outstanding, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const bool may_rest = !is_by_probes(f.upstreams().policy);
    for (std::uint32_t i = f.attempts; i != kNone;) {
        Attempt& a = table.attempt(i);
        const std::uint32_t next = a.next;
        const Upstream& asked = f.member(a.member);
        const auto waited_ms = static_cast<std::uint32_t>(now.ms - a.sent_ms);
        if (now.ms >= a.deadline_ms) {
            counters.add(Stat::upstream_timeouts);
            if (by_domain.get(f.domain[matchers::DomainLevel::domain]) >= kManyOfDomain &&
                !f.waiters.empty())
                counters.saw(Overload::timeout, f.waiters.first()->path.client.address, f.name());
            choice.timed_out(asked.id, a.measures, now.ms, may_rest);
            f.has_other_failure = true;
            note(f, TraceWhat::silent, 0, asked.id, waited_ms, now);
            table.close_attempt(i);
        } else if (!a.late && !f.over_tcp && waited_ms >= choice.patience_ms(asked, 0)) {
            a.late = true;
            if (may_rest) choice.late(asked.id, waited_ms);
        }
        i = next;
    }
}

void Forwarder::Impl::end_left_over_attempts(Now now) noexcept {
    for (;;) {
        const std::uint32_t i = table.find_left_over(now.ms);
        if (i == kNone) return;
        counters.add(Stat::upstream_timeouts);
        choice.timed_out(table.attempt(i).upstream, true, now.ms);
        table.close_attempt(i);
    }
}

void Forwarder::Impl::set_timer(std::uint32_t outstanding, Now now) noexcept {
    const OutstandingQuery& f = table[outstanding];
    std::uint64_t at = std::min({f.deadline_ms, f.next_send_ms, f.choose_at_ms, f.returns_at_ms});
    for (std::uint32_t i = f.attempts; i != kNone; i = table.attempt(i).next) {
        at = std::min(at, table.attempt(i).deadline_ms);
    }
    timers.set(outstanding, at, now.ms);
}

}  // namespace steer
