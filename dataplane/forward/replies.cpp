// Handles an upstream's reply. It completes the outstanding query, repeats it without EDNS or over
// TCP, or asks another upstream. A reply that is malformed or answers another question is ignored.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/dns/ecs.h"
#include "dataplane/dns/options.h"
#include "dataplane/dns/walk.h"
#include "dataplane/forward/forwarder_impl.h"

namespace steer {

using forward::kNone;
using forward::MemberMask;

namespace {

constexpr std::uint64_t kRefusedMs = 300;  // until one that the network refused is asked again
constexpr std::uint64_t kSecondMs = 1000;
constexpr std::uint64_t kNegativeGraceMs = 100;  // OxiDNS's, of `balanced`
constexpr unsigned kConsensus = 2;
constexpr std::uint8_t kMaxNearMisses = 10;  // of 2^30 pairs of port and id
constexpr unsigned kSerialBits = 27;  // below them the counter, above the worker (at most 32)

// Rcodes that answer the question; other rcodes report an error of the server.
bool is_an_answer(std::uint8_t rcode) {
    return rcode == dns::kNoError || rcode == dns::kNxDomain || rcode == dns::kYxDomain;
}

// A server without EDNS says so by one of these and without an OPT (RFC 6891 7). Old ones send the query's own OPT back
// with FORMERR, and servers of another version answer BADVERS, which reads as FORMERR (UpstreamFacts::rcode). Only this
// query is repeated: the reason may be its name or its options. What is remembered comes from probes.
bool refuses_edns(const dns::UpstreamFacts& facts) {
    return facts.rcode == dns::kFormErr || (facts.rcode == dns::kNotImp && !facts.has_opt);
}

// The bytes of an answer become a failure of its upstream.
void make_servfail(Buffer& buffer) {
    *reinterpret_cast<dns::Answer*>(buffer.data()) = dns::empty_answer(dns::kServFail);
}

// As Answer::error_after.
std::uint8_t error_after(std::span<const std::uint8_t> options) {
    std::uint8_t first = 0;
    dns::for_each_error(options, [&first](std::uint16_t code, std::span<const std::uint8_t>) {
        if (first == 0 && code < UINT8_MAX) first = static_cast<std::uint8_t>(code + 1);
    });
    return first;
}

// Too many queries or sockets of our own: it does not concern the upstream.
bool is_our_shortage(std::uint32_t error) {
    return error == EBUSY || error == EMFILE || error == ENFILE || error == ENOBUFS ||
           error == ENOMEM;
}

bool is_response(std::span<const std::uint8_t> dns) {
    const std::uint16_t flags =
        dns.size() < dns::kHeaderSize ? std::uint16_t{0} : dns::load_be16(&dns[2]);
    return (flags & (dns::kQr | dns::kOpcodeMask)) == dns::kQr;
}

}  // namespace

Forwarder::Impl::Reply Forwarder::Impl::take_reply(std::uint32_t attempt,
                                                   std::span<const std::uint8_t> dns,
                                                   Now now) noexcept {
    if (!is_response(dns)) return Reply::malformed;
    const Attempt& a = table.attempt(attempt);
    if (a.test != 0) [[unlikely]]
        return take_test_reply(attempt, dns, now);
    if (a.outstanding == kNone) {  // its outstanding query is over: only the measurement counts
        choice.replied(a.upstream, now.ms - a.sent_ms, now.ms);
        table.close_attempt(attempt);
        return Reply::used;
    }
    OutstandingQuery& f = table[a.outstanding];
    dns::UpstreamFacts facts;
    dns::AnswerError error = dns::AnswerError::none;
    Buffer* const answer = build(a, dns, facts, error, now);
    if (answer == nullptr) {
        if (error == dns::AnswerError::other_case) {
            on_other_case(attempt, now);
            return Reply::other_case;
        }
        if (error != dns::AnswerError::none) return Reply::malformed;
        f.has_other_failure = true;
        f.end = UpstreamResult::no_buffer;  // unless a retry succeeds
        return Reply::no_buffer;
    }
    if (a.cookies != 0) {
        const Reply reply = check_cookie(attempt, facts, now);
        if (reply != Reply::used) {
            release(answer);
            return reply;
        }
    }
    answer->upstream = a.upstream;
    if (facts.scrubbed != 0) counters.add(Stat::upstream_scrubbed);
    judge(attempt, facts, answer, now);
    return Reply::used;
}

// The answer in a buffer of its own; nullptr: `error`, or with AnswerError::none no buffer.
Buffer* Forwarder::Impl::build(const Attempt& a, std::span<const std::uint8_t> dns,
                               dns::UpstreamFacts& facts, dns::AnswerError& error,
                               Now now) noexcept {
    const OutstandingQuery& f = table[a.outstanding];
    const bool trusts_ad = f.member(a.member).trust_ad;
    std::array<std::uint8_t, 256> room;
    const auto name = a.random_case ? f.name_as_sent(room) : f.name();
    for (const std::uint32_t size : {kSmallBuffer, kLargeBuffer}) {
        if (dns.size() > size) continue;
        Buffer* buffer = buffers.take(size);
        if (buffer == nullptr) {
            error = dns::AnswerError::none;
            return nullptr;
        }
        error =
            dns::build_answer(dns, name, f.qtype, f.qclass, a.random_case, buffer->room(), facts);
        if (error == dns::AnswerError::none && facts.no_question) {
            if (is_an_answer(facts.rcode)) error = dns::AnswerError::wrong_question;
            *reinterpret_cast<dns::Answer*>(buffer->data()) = dns::empty_answer(facts.rcode);
        }
        if (error == dns::AnswerError::none && is_an_answer(facts.rcode) &&
            !put_in_order(f, facts, buffer))
            return nullptr;
        if (error == dns::AnswerError::none && facts.is_referral) {
            facts.rcode = dns::kServFail;
            make_servfail(*buffer);
        } else if (error == dns::AnswerError::none && facts.rcode == dns::kFormErr) {
            make_servfail(*buffer);  // if it stays: the client's question was well-formed
        }
        if (error == dns::AnswerError::none && !trusts_ad)
            reinterpret_cast<dns::Answer*>(buffer->data())->flags &=
                static_cast<std::uint16_t>(~dns::kAd);
        if (error == dns::AnswerError::none && trusts_ad && facts.rcode == dns::kServFail)
            reinterpret_cast<dns::Answer*>(buffer->data())->error_after =
                error_after(facts.options);
        if (error == dns::AnswerError::none && f.ecs_len != 0) {
            const dns::EcsReply ecs = dns::read_ecs_reply(facts.options, f.ecs());
            if (!ecs.matches) error = dns::AnswerError::wrong_question;
            reinterpret_cast<dns::Answer*>(buffer->data())->ecs_scope = ecs.scope;
        }
        if (error == dns::AnswerError::none) {
            buffer->length = static_cast<std::uint32_t>(buffer->answer().size());
            if (!f.snapshot->all_option_codes.empty()) keep_options(*f.snapshot, facts, *buffer);
            buffer->born_ms = static_cast<std::int64_t>(now.ms);
            serial = (serial + 1) & ((1U << kSerialBits) - 1);
            if (serial == 0) serial = 1;
            buffer->serial = (options.worker << kSerialBits) | serial;
            return buffer;
        }
        release(buffer);
        if (error != dns::AnswerError::no_room) return nullptr;
    }
    return nullptr;
}

// False: there was no buffer for the other order; `buffer` is given back.
bool Forwarder::Impl::put_in_order(const OutstandingQuery& f, dns::UpstreamFacts& facts,
                                   Buffer*& buffer) noexcept {
    const dns::Walk walk = dns::walk_of(buffer->answer(), f.name(), f.qtype);
    if (walk == dns::Walk::whole) [[likely]]
        return true;
    if (walk == dns::Walk::disordered) {
        Buffer* const other = buffers.take(kLargeBuffer);
        if (other == nullptr) {
            release(buffer);
            return false;
        }
        if (dns::write_in_order(buffer->answer(), f.name(), f.qtype, other->room()) != 0) {
            release(std::exchange(buffer, other));
            counters.add(Stat::upstream_reordered);
            return true;
        }
        release(other);
    }
    facts.rcode = dns::kServFail;
    make_servfail(*buffer);
    return true;
}

// Stores the options that waiters pass on behind the answer.
void Forwarder::Impl::keep_options(const Snapshot& snapshot, const dns::UpstreamFacts& facts,
                                   Buffer& buffer) noexcept {
    const auto room = buffer.room().subspan(buffer.length);
    const auto picked =
        dns::pick_options(facts.options, room.first(std::min<std::size_t>(room.size(), UINT8_MAX)),
                          [&](std::uint16_t code) { return snapshot.passes_option(code); });
    if (picked.too_long) counters.add(Stat::options_too_long);
    buffer.length += static_cast<std::uint32_t>(picked.length);
}

void Forwarder::Impl::judge(std::uint32_t attempt, const dns::UpstreamFacts& facts, Buffer* answer,
                            Now now) noexcept {
    const Attempt a = table.attempt(attempt);
    OutstandingQuery& f = table[a.outstanding];
    table.close_attempt(attempt);
    note(f, TraceWhat::replied, facts.rcode, a.upstream, now.ms - a.sent_ms, now);
    if (f.trail != nullptr) [[unlikely]]
        note_trail_errors(*f.trail, facts.options, a.upstream, now);
    if (!f.over_tcp) choice.replied(a.upstream, now.ms - a.sent_ms, now.ms);
    if (facts.is_bad_cookie && a.cookies != 0) [[unlikely]] {
        release(answer);
        retry_with_cookie(a, now);
    } else if (a.edns && refuses_edns(facts)) {
        release(answer);
        if (a.cookies == 0 || !retry_without_cookie(a, now))
            retry_without_edns(a.outstanding, a.member, now);
    } else if (!is_an_answer(facts.rcode)) {
        fail(a, answer, now);
    } else {
        const bool is_stream = f.over_tcp || f.member(a.member).channel == Channel::stream;
        const bool is_truncated = (facts.flags & dns::kTc) != 0;
        if (is_truncated && !is_stream && f.want_all > 0) {
            retry_over_tcp(a.outstanding, a.member, answer, now);
        } else if (is_truncated && is_stream) {
            fail(a, answer, now);
        } else if (!hold_negative(a.outstanding, answer, now)) {
            finish(a.outstanding, UpstreamResult::answered, answer);
        }
    }
}

void Forwarder::Impl::fail(const Attempt& attempt, Buffer* answer, Now now) noexcept {
    OutstandingQuery& f = table[attempt.outstanding];
    counters.add(Stat::upstream_failures);
    choice.failed(attempt.upstream);
    f.failed |= MemberMask{1} << attempt.member;
    // A truncated or negative answer is better than a failure over TCP.
    if ((f.over_tcp || f.holds_negative()) && f.answer != nullptr) std::swap(answer, f.answer);
    release(std::exchange(f.answer, answer));
    go_on(attempt.outstanding, now);
}

bool Forwarder::Impl::hold_negative(std::uint32_t outstanding, Buffer* answer, Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const UpstreamGroup& group = f.upstreams();
    const dns::Answer& a = answer->answer();
    if (group.concurrent < 2 || group.selection == ResponseSelection::fastest || f.over_tcp ||
        !a.negative || (a.flags & dns::kTc) != 0)
        return false;
    auto& votes = a.rcode == dns::kNxDomain ? f.nxdomain_votes : f.no_data_votes;
    ++votes;
    if (group.selection == ResponseSelection::consensus && votes >= kConsensus) return false;
    if (group.selection == ResponseSelection::balanced && f.choose_at_ms == UINT64_MAX)
        f.choose_at_ms = now.ms + kNegativeGraceMs;
    release(std::exchange(f.answer, answer));
    f.next_send_ms = UINT64_MAX;
    counters.add(Stat::upstream_negative_held);
    end_or_wait(outstanding, now);
    return true;
}

void Forwarder::Impl::near_miss(std::uint32_t outstanding, Now now) noexcept {
    counters.add(Stat::upstream_near_misses);
    OutstandingQuery& f = table[outstanding];
    if (f.over_tcp || f.attempts == kNone || ++f.near_misses < kMaxNearMisses) return;
    ask_over_tcp(outstanding, table.attempt(f.attempts).member, now);
}

// Other upstreams may still reply to the question of a copy, which only measures.
void Forwarder::Impl::on_other_case(std::uint32_t attempt, Now now) noexcept {
    counters.add(Stat::upstream_case_mismatches);
    const Attempt a = table.attempt(attempt);
    choice.changed_case(a.upstream);
    choice.replied(a.upstream, now.ms - a.sent_ms, now.ms);
    table.close_attempt(attempt);
    if (a.is_copy) return end_or_wait(a.outstanding, now);
    ask_over_tcp(a.outstanding, a.member, now);
}

// Possible forgery: replies over UDP are no longer accepted for it.
void Forwarder::Impl::ask_over_tcp(std::uint32_t outstanding, unsigned member, Now now) noexcept {
    counters.add(Stat::upstream_suspected);
    repeat_over_tcp(outstanding, member, now);
}

void Forwarder::Impl::repeat_over_tcp(std::uint32_t outstanding, unsigned member,
                                      Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    table.leave_attempts(outstanding);
    release(std::exchange(f.answer, nullptr));
    f.forget_votes();
    f.over_tcp = true;
    f.tried = f.failed = 0;
    f.round = 0;
    const bool sent =
        ask_member(outstanding, member, choice.takes_edns(f.member(member).id), now) == Sent::yes;
    f.next_send_ms = now.ms + (sent ? f.member(member).timeout_ms : kNoRoomMs);
    set_timer(outstanding, now);
}

Forwarder::Impl::Reply Forwarder::Impl::check_cookie(std::uint32_t attempt,
                                                     const dns::UpstreamFacts& facts,
                                                     Now now) noexcept {
    const Attempt a = table.attempt(attempt);
    using Cookie = forward::UpstreamCookies::Reply;
    const Cookie cookie = cookies.read(a.upstream, facts.options, now.ms);
    if (cookie == Cookie::accepted) [[likely]]
        return Reply::used;
    counters.add(Stat::upstream_cookie_mismatches);
    if (cookie == Cookie::forged) return Reply::forged;
    if (cookie == Cookie::lapsed) counters.add(Stat::upstream_cookie_lapses);
    choice.replied(a.upstream, now.ms - a.sent_ms, now.ms);
    table.close_attempt(attempt);
    ask_over_tcp(a.outstanding, a.member, now);
    return Reply::distrusted;
}

void Forwarder::Impl::retry_with_cookie(const Attempt& attempt, Now now) noexcept {
    OutstandingQuery& f = table[attempt.outstanding];
    counters.add(Stat::upstream_bad_cookies);
    if (attempt.cookies > 1) return repeat_over_tcp(attempt.outstanding, attempt.member, now);
    if (!repeat(attempt.outstanding, attempt.member, true, now)) return;
    std::uint8_t& sent = table.attempt(f.attempts).cookies;
    if (sent != 0) sent = 2;
}

bool Forwarder::Impl::retry_without_cookie(const Attempt& attempt, Now now) noexcept {
    if (!cookies.refused(attempt.upstream, now.ms)) return false;
    (void)repeat(attempt.outstanding, attempt.member, true, now);
    return true;
}

void Forwarder::Impl::retry_without_edns(std::uint32_t outstanding, unsigned member,
                                         Now now) noexcept {
    if (!repeat(outstanding, member, false, now)) return;
    choice.refused_edns(table[outstanding].member(member).id);
    counters.add(Stat::upstream_without_edns);
}

bool Forwarder::Impl::repeat(std::uint32_t outstanding, unsigned member, bool edns,
                             Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    const bool is_sent = ask_member(outstanding, member, edns, now) == Sent::yes;
    if (is_sent) {
        f.end = UpstreamResult::timed_out;
    } else {
        f.tried &= ~(MemberMask{1} << member);
        f.next_send_ms = now.ms + kNoRoomMs;
    }
    set_timer(outstanding, now);
    return is_sent;
}

void Forwarder::Impl::retry_over_tcp(std::uint32_t outstanding, unsigned member, Buffer* truncated,
                                     Now now) noexcept {
    OutstandingQuery& f = table[outstanding];
    table.leave_attempts(outstanding);
    std::uint32_t content = kNone;  // a record for the waiters that accept the answer as it is
    if (f.waiters.count() > f.want_all) {
        content = table.open_delivering();
        if (content == kNone) {
            finish(outstanding, UpstreamResult::answered, truncated);
            return;
        }
        OutstandingQuery& c = table[content];
        for (unsigned n = f.waiters.count(); n > 0; --n) {
            Parked* const parked = f.waiters.pop();
            (forward::wants_all(*parked) ? f : c).waiters.push(parked);
        }
        hold(truncated);
        if (f.trail != nullptr) hold(f.trail);
        c.trail = f.trail;
        c.answer = truncated;
        c.end = UpstreamResult::answered;
        // The same upstreams in the same order, in the generation of a remaining waiter.
        if (const auto& before = f.upstreams().limit) before->leave();
        f.snapshot = f.waiters.first()->snapshot;
        f.group = f.waiters.first()->group;
        if (const auto& now_its = f.upstreams().limit) now_its->take_over();
    }
    release(std::exchange(f.answer, truncated));
    f.forget_votes();
    f.over_tcp = true;
    f.tried = f.failed = 0;
    f.round = 0;
    const bool sent =
        ask_member(outstanding, member, choice.takes_edns(f.member(member).id), now) == Sent::yes;
    f.next_send_ms = now.ms + (sent ? f.member(member).timeout_ms : kNoRoomMs);
    set_timer(outstanding, now);
    if (content == kNone) return;
    unsigned budget = f.waiters.count() + table[content].waiters.count();
    hand_out(content, budget);
}

void Forwarder::Impl::on_kernel_reply(const Message& m, Now now) noexcept {
    const std::uint32_t attempt = table.find_token(m.token);
    if (attempt == kNone) {
        release(m.buffer);
        return;
    }
    if (m.buffer != nullptr && m.b == 0) {
        const Attempt asked = table.attempt(attempt);
        const Reply reply = take_reply(attempt, m.buffer->bytes(), now);
        release(m.buffer);
        // The socket is closed: no other reply can arrive.
        if (reply == Reply::forged && asked.outstanding != kNone)
            ask_over_tcp(asked.outstanding, asked.member, now);
        return;
    }
    release(m.buffer);
    const Attempt a = table.attempt(attempt);
    if (a.test != 0) [[unlikely]] {
        tests.has_failed(a.test);
        return table.close_attempt(attempt);
    }
    if (m.b == kForgedReplies) {
        if (a.outstanding != kNone) return ask_over_tcp(a.outstanding, a.member, now);
        choice.replied(a.upstream, now.ms - a.sent_ms, now.ms);  // no query awaits it
        return table.close_attempt(attempt);
    }
    table.close_attempt(attempt);
    counters.add(Stat::upstream_failures);
    const bool is_ours = is_our_shortage(m.b);
    if (!is_ours) choice.failed(a.upstream);
    const bool asks_to_wait = (m.b & kUpstreamAsksToWait) != 0;
    const bool was_reached =
        asks_to_wait || m.b == kUpstreamFailsQuery || m.b == kUpstreamDropsQuery;
    if (asks_to_wait)
        choice.asks_to_wait(a.upstream, now.ms + kSecondMs * (m.b & ~kUpstreamAsksToWait));
    if (was_reached || is_ours) {
        choice.failed_without_reply(a.upstream, a.measures, now.ms);
    } else {
        choice.refused(
            a.upstream, a.measures, now.ms,
            a.outstanding == kNone || !is_by_probes(table[a.outstanding].upstreams().policy));
    }
    if (a.outstanding == kNone) return;
    OutstandingQuery& f = table[a.outstanding];
    if (m.b != kUpstreamDropsQuery) f.has_other_failure = true;
    f.end = UpstreamResult::dropped;
    note(f, TraceWhat::refused, 0, a.upstream, asks_to_wait ? kUpstreamFailsQuery : m.b, now);
    if (f.sent_in_round > 0) --f.sent_in_round;  // nothing was sent
    if (was_reached || m.b == kUpstreamNotTrusted || m.b == kUpstreamProxyRefuses)
        f.failed |= MemberMask{1} << a.member;
    const bool anybody_left = choice.has_other(f.upstreams(), f.failed);
    if (f.answer == nullptr)
        f.next_send_ms = anybody_left ? std::min(f.next_send_ms, now.ms + kRefusedMs) : kNever;
    go_on(a.outstanding, now);
}

}  // namespace steer
