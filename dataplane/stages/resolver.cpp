#include "dataplane/stages/resolver.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <climits>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/options.h"
#include "dataplane/dns/shorten.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/stages/frame.h"
#include "dataplane/stages/limit.h"
#include "dataplane/stages/packet_cache.h"
#include "dataplane/stages/resolver_impl.h"

namespace steer {
namespace {

constexpr unsigned kTimersPerTurn = 256;
constexpr unsigned kRetiredPerTurn = 1024;  // records checked
constexpr unsigned kRoomPerTurn = 64;       // upstream queries ended because records run out

dns::Ede reason_of(UpstreamResult end) {
    switch (end) {
        case UpstreamResult::timed_out:
        case UpstreamResult::all_failed:
        case UpstreamResult::dropped:
            return dns::Ede::no_reachable;
        case UpstreamResult::no_route:
        case UpstreamResult::looped:
            return dns::Ede::network_error;
        case UpstreamResult::answered:
        case UpstreamResult::table_full:
        case UpstreamResult::displaced:
        case UpstreamResult::over_quota:
        case UpstreamResult::no_buffer:
        case UpstreamResult::truncated:
            break;
    }
    return dns::Ede::other;
}

LeavingAnswer leaving(const QueryContext& c, Now now) {
    return {.snapshot = c.snapshot,
            .answer = c.response.answer(),
            .client = c.client.address,
            .age_s = c.response.age_s(now.s()),
            .ttl_cap_s = c.response.ttl_cap_s(),
            .entry = c.response.entry(),
            .qname = c.query.name(),
            .lists = {c.state.lists.data(), c.state.list_count}};
}

// A lease begins when it is claimed, so an answer that leaves later gets a smaller TTL.
std::uint32_t ttl_end_s(const LeaveTerms& terms, Now now) {
    return terms.ttl_cap_s == LeaveTerms::kNoCap ? UINT32_MAX : now.s() + terms.ttl_cap_s;
}

void set_policies(Parked& p, OnTimeout on_timeout, OnFull on_full) {
    p.on_timeout = static_cast<std::uint8_t>(on_timeout) & 3U;
    p.on_full = static_cast<std::uint8_t>(on_full) & 3U;
    p.obeys_on_full = false;
}
void set_policies(Parked& p, const LeaveTerms& terms) {
    set_policies(p, terms.on_timeout, terms.on_full);
    p.obeys_on_full = terms.obeys_on_full;
    p.obeyed = static_cast<std::uint8_t>(terms.obeyed) & 3U;
}

// RFC 7871 7.2.2: the option goes back if it was checked, and the answer is not one for another subnet.
std::span<const std::uint8_t> ecs_for(const dns::Query& q, const ProgramState& s,
                                      const dns::Answer& answer) {
    return s.ecs && !answer.for_one ? q.ecs() : std::span<const std::uint8_t>{};
}

// What the reply says beside the answer, and where it is stored.
struct Extras {
    dns::ReplyExtras extras;
    static constexpr std::size_t kOptionHead = 4;
    std::array<std::uint8_t, UINT8_MAX + kOptionHead + kMaxNsid> room;

    // nullptr: nothing. `options`: of the upstream; those of the sets in `bits` are passed on.
    const dns::ReplyExtras* fill(const Snapshot& snapshot, const dns::Query& q,
                                 const ProgramState& s, const dns::Answer& answer,
                                 std::optional<dns::Ede> ede, std::span<const std::uint8_t> options,
                                 std::uint8_t bits) noexcept {
        extras.ecs = ecs_for(q, s, answer);
        if (ede && q.edns.present) extras.ede_text = block_text(snapshot, s, *ede);
        const bool says_nsid = q.edns.nsid && !snapshot.nsid.empty();
        std::size_t length = 0;
        if (bits != 0 && q.edns.present) {
            const std::span<std::uint8_t> passed(room.data(), UINT8_MAX);
            length = dns::pick_options(options, passed, [&](std::uint16_t code) {
                         const bool is_ours = code == dns::kOptionNsid && says_nsid;
                         return !is_ours && snapshot.passes_option(bits, code);
                     }).length;
        }
        if (says_nsid) [[unlikely]] {
            std::memcpy(room.data() + length, snapshot.nsid.data(), snapshot.nsid.size());
            length += snapshot.nsid.size();
        }
        if (length != 0) extras.options = {room.data(), length};
        const bool has_any =
            !extras.ecs.empty() || !extras.options.empty() || !extras.ede_text.empty();
        return has_any ? &extras : nullptr;
    }
};

dns::ReplyOptions options_for(const QueryContext& c, std::uint16_t max_size,
                              std::uint32_t ttl_cap_s, Extras& extras, Now now) {
    return {
        .age_s = c.response.age_s(now.s()),
        .ttl_cap_s = std::min(ttl_cap_s, c.response.ttl_cap_s()),
        .max_size = max_size,
        .ede = c.response.ede(),
        .extras = extras.fill(c.snapshot, c.query, c.state, c.response.answer(), c.response.ede(),
                              c.response.options(), c.response.terms().passes_options)};
}

AnswerSource source_of(const QueryContext& c) {
    const Response& r = c.response;
    const AnswerPath path = r.is_stale()            ? AnswerPath::stale
                            : r.source() != nullptr ? AnswerPath::cache
                                                    : AnswerPath::local;
    return {path, r.kept_in(), &c.state};
}

}  // namespace

Resolver::Resolver(const Parts& parts, const Options& options)
    : parts_(parts), over_quota_(options.over_quota), timers_(options.max_parked) {}

void Resolver::resolve(Burst& burst, const Snapshot& snapshot, Now now) noexcept {
    const bool may_be_plain = burst.has_lookup && snapshot.hit_may_be_plain && !burst.watched;
    const bool has_marked = (burst.traced | burst.set_aside | burst.covered) != 0;
    if (has_marked) [[unlikely]]
        take_back_lookup(burst);
    unsigned hits = 0;
    if (may_be_plain) {
        hits = snapshot.limits_answers() ? answer_limited_hits(burst, snapshot, now)
                                         : answer_hits(burst, snapshot, now);
    }
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        QueryContext c(snapshot, p.query);
        c.qname_as_sent = p.dns + dns::kHeaderSize;
        c.client = p.client;
        if (snapshot.reads_link && p.mbuf != nullptr)
            read_link_facts(rte_pktmbuf_mtod(p.mbuf, const std::uint8_t*), p.l3_offset, c.client);
        c.started_us = now.micros();
        c.begin(p.plan, p.client.entry);
        c.state.over_tcp = !p.client.is_udp();
        if (snapshot.reads_texts) c.injected = p.injected;
        std::array<std::uint8_t, UINT8_MAX> options;
        if (!snapshot.all_option_codes.empty()) take_options(p, options, c);
        if (burst.has_lookup && p.plan != nullptr) c.lookup_cache = p.plan->cache;
        c.found = p.found;
        if (has_marked) [[unlikely]]
            begin_marked(p, c, burst, burst.live[i], now);
        if (p.found == nullptr && parts_.loops.take_back(p.query.name(), p.client.address))
            [[unlikely]] {
            drop(p, c, Verdict::loop_test);
            continue;
        }
        resolve_one(p, c, now);
    }
    if (hits > 0) parts_.counters.add(Stat::cache_hits, hits);
    burst.live_count = 0;
}

unsigned Resolver::answer_hits(Burst& burst, const Snapshot& snapshot, Now now) noexcept {
    const std::uint32_t now_s = now.s();
    unsigned kept = 0;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        if (!answer_hit(burst.packets[place], snapshot, AnswerPath::cache, now, now_s))
            burst.live[kept++] = place;
    }
    const unsigned hits = burst.live_count - kept;
    burst.live_count = kept;
    return hits;
}

// Queries that were set aside, and those for names of rules, begin at their entry and search caches
// themselves.
[[gnu::cold, gnu::noinline]] void Resolver::take_back_lookup(Burst& burst) noexcept {
    for (std::uint32_t left = burst.set_aside | burst.covered; left != 0; left &= left - 1) {
        Packet& p = burst.packets[static_cast<unsigned>(__builtin_ctz(left))];
        p.found = nullptr;
        p.plan = nullptr;
    }
}

[[gnu::cold, gnu::noinline]] void Resolver::begin_marked(Packet& p, QueryContext& c, Burst& burst,
                                                         unsigned place, Now now) noexcept {
    if (burst.traced != 0) trace_packet(p, c, c.snapshot, burst, place, now);
    if ((burst.set_aside >> place & 1) == 0) return;
    const RareQueries& rules = c.snapshot.rare;
    c.state.stays_here = true;
    c.state.no_cache = rules.answers_any(p.query.qtype) ||
                       rules.norecurse_for(p.query.flags, p.client.address) == NoRecurse::refuse;
}

// As long as they fit behind the name and the subnet (Parked::qname).
void Resolver::take_options(const Packet& p, std::span<std::uint8_t> room,
                            QueryContext& c) noexcept {
    if (!p.query.edns.present) return;
    const std::size_t used = std::size_t{p.query.qname_len} + p.query.edns.ecs_len;
    const auto options = dns::options_of({p.dns, p.dns_length}, p.query.question_end);
    const auto picked =
        dns::pick_options(options, room.first(room.size() - used),
                          [&](std::uint16_t code) { return c.snapshot.passes_option(code); });
    if (picked.too_long) parts_.counters.add(Stat::options_too_long);
    c.options = room.first(picked.length);
}

// The plan of an entry of this generation that answers without a run of the program, or nullptr.
[[gnu::always_inline]] inline const Plan* Resolver::plain_plan(const cache::Entry& e,
                                                               const Packet& p,
                                                               const Snapshot& snapshot,
                                                               std::uint32_t now_s) noexcept {
    const std::uint64_t tags = e.tags.load(std::memory_order_relaxed);
    if (tags >> 32 < snapshot.generation) return nullptr;
    if (now_s >= e.refresh_check_s.load(std::memory_order_relaxed)) return nullptr;
    const Plan* const plan = parts_.executor.plan(snapshot, tags, p.client.entry);
    return plan != nullptr && plan->hit_is_plain ? plan : nullptr;
}

// The result of the executor and leave() for an entry of this generation whose rows are known to exist.
[[gnu::always_inline]] inline bool Resolver::answer_hit_as(Packet& p, const Snapshot& snapshot,
                                                           AnswerPath path, Now now,
                                                           std::uint32_t now_s,
                                                           const Limiter::Batching* batching,
                                                           std::uint32_t name) noexcept {
    const cache::Entry* const e = p.found;
    if (e == nullptr) return false;
    const Plan* const plan = plain_plan(*e, p, snapshot, now_s);
    if (plan == nullptr) return false;
    std::uint32_t ttl_cap_s = LeaveTerms::kNoCap;
    if ((e->list_count | plan->hit_list_count) != 0) {
        const std::optional<std::uint32_t> covered_s = covered_ttl_s(p, snapshot, *plan, now);
        if (!covered_s) return false;
        ttl_cap_s = *covered_s;
    }
    if (batching != nullptr && end_limited_hit(p, snapshot, *batching, name, now)) {
        parts_.replier.count_hit(*e);
        return true;
    }
    const std::uint32_t age_s = e->born.age_s(now_s);
    if (!parts_.replier.is_plain(p)) [[unlikely]] {
        answer_other_hit(p, *plan, age_s, ttl_cap_s, path);
        return true;
    }
    parts_.replier.answer_plain(
        p, e->answer(), {.age_s = age_s, .ttl_cap_s = ttl_cap_s, .max_size = p.max_size}, path, e);
    return true;
}

// Inlined with the reply: a call costs about 3 % of a cached answer.
[[gnu::flatten]] bool Resolver::answer_hit(Packet& p, const Snapshot& snapshot, AnswerPath path,
                                           Now now, std::uint32_t now_s) noexcept {
    return answer_hit_as(p, snapshot, path, now, now_s, nullptr, 0);
}

bool Resolver::make_ready(const Packet& p, std::uint32_t now_s, std::uint32_t ttl_cap_s,
                          std::uint16_t query_sum, ReadyReply& reply) noexcept {
    const cache::Entry& e = *p.found;
    std::array<std::uint8_t, dns::kClassicUdpSize> message;
    const std::size_t at = p.query.question_end;
    if (at > PacketCache::kLongest + ReadyReply::kIdBytes) return false;
    std::memcpy(message.data(), p.dns, at);
    std::memset(message.data(), 0, ReadyReply::kIdBytes);
    bool truncated = false;
    std::uint64_t sum = p.question_sum;
    const std::size_t length = dns::write_reply(
        message, p.query, e.answer(),
        {.age_s = e.born.age_s(now_s), .ttl_cap_s = ttl_cap_s, .max_size = p.max_size}, truncated,
        &sum);
    if (truncated || length - at > ReadyReply::kMostTail) return false;
    std::memcpy(reply.header.data(), message.data() + ReadyReply::kIdBytes, reply.header.size());
    std::memcpy(reply.tail.data(), message.data() + at, length - at);
    reply.tail_length = static_cast<std::uint8_t>(length - at);
    reply.change = checksum_change(query_sum, p.dns_length, checksum_fold(sum),
                                   static_cast<std::uint16_t>(length));
    reply.end = QueryEnds::end_of(p.query, e.answer().rcode);
    reply.cache = static_cast<std::uint8_t>(e.instance);
    reply.ttl_cap_s = ttl_cap_s;
    reply.covered_while = 0;
    return true;
}

namespace {

// Of an answer with a reply. Not every answer to a list's name has addresses for it.
Readiness readiness_of_lists(const cache::Entry& e, const Plan& plan, const Snapshot& snapshot) {
    if ((e.list_count | plan.hit_list_count) == 0) return Readiness::ready;
    HitLists claimed;
    if (!Executor::claim_hit(snapshot, plan, e, claimed)) return Readiness::unfit;
    const std::span<const std::uint8_t> lists(claimed.lists.data(), claimed.list_count);
    if (has_to_leave_out(snapshot, lists, e.answer())) return Readiness::unfit;
    if (lists.empty()) return Readiness::ready;
    const bool depend_on_client = std::any_of(lists.begin(), lists.end(), [&](std::uint8_t index) {
        return snapshot.lists[index].depends_on_client();
    });
    return depend_on_client ? Readiness::checked : Readiness::covered;
}

}  // namespace

[[gnu::noinline]] Readiness Resolver::prepare(const Packet& p, const Snapshot& snapshot,
                                              std::uint32_t now_s, std::uint16_t query_sum,
                                              ReadyReply& reply) noexcept {
    const Plan* const plan = plain_plan(*p.found, p, snapshot, now_s);
    if (plan == nullptr) return Readiness::unfit;
    // Each client has its own cookie, which is not in `query_sum`.
    if (p.cookie_length != 0 || p.query.edns.cookie != dns::CookieState::none)
        return Readiness::unfit;
    if (!make_ready(p, now_s, LeaveTerms::kNoCap, query_sum, reply)) return Readiness::unfit;
    return readiness_of_lists(*p.found, *plan, snapshot);
}

[[gnu::noinline]] bool Resolver::renew_if_covered(const Packet& p, const Snapshot& snapshot,
                                                  Now now, std::uint32_t now_s,
                                                  std::uint64_t changes, std::uint16_t query_sum,
                                                  ReadyReply& reply) noexcept {
    const Plan* const plan = plain_plan(*p.found, p, snapshot, now_s);
    if (plan == nullptr) return false;
    const std::optional<std::uint32_t> ttl_cap_s = covered_ttl_s(p, snapshot, *plan, now);
    if (!ttl_cap_s) return false;
    if (*ttl_cap_s != reply.ttl_cap_s && !make_ready(p, now_s, *ttl_cap_s, query_sum, reply))
        return false;
    reply.covered_while = Claims::holds_for_second(now) ? changes : 0;
    return true;
}

[[gnu::noinline]] const Plan* Resolver::plan_of(const cache::Entry& entry, const Packet& p,
                                                const Snapshot& snapshot) noexcept {
    const std::uint64_t tags = entry.tags.load(std::memory_order_relaxed);
    return parts_.executor.plan(snapshot, tags, p.client.entry);
}

[[gnu::noinline]] void Resolver::answer_ready_recorded(Packet& p, const Snapshot& snapshot,
                                                       const ReadyReply& reply) noexcept {
    parts_.replier.note_plan(plan_of(*p.found, p, snapshot));
    parts_.replier.answer_ready_recorded(p, reply);
    parts_.replier.note_plan(nullptr);
}

[[gnu::noinline]] bool Resolver::answer_unbatched(Packet& p, const Snapshot& snapshot,
                                                  AnswerPath path,
                                                  const Limiter::Batching& batching,
                                                  std::uint32_t name, Now now) noexcept {
    return answer_hit_as(p, snapshot, path, now, now.s(), &batching, name);
}

// A function of its own, so that answer_hit() keeps its options in registers.
[[gnu::noinline]] void Resolver::answer_other_hit(Packet& p, const Plan& plan, std::uint32_t age_s,
                                                  std::uint32_t ttl_cap_s,
                                                  AnswerPath path) noexcept {
    parts_.replier.count_hit(*p.found);
    parts_.replier.note_plan(&plan);
    parts_.replier.answer_other(p, p.found->answer(),
                                {.age_s = age_s, .ttl_cap_s = ttl_cap_s, .max_size = p.max_size},
                                {path});
    parts_.replier.note_plan(nullptr);
}

// A function of its own, so that answer_hit() needs no stack for it.
[[gnu::noinline, gnu::flatten]] std::optional<std::uint32_t> Resolver::covered_ttl_s(
    const Packet& p, const Snapshot& snapshot, const Plan& plan, Now now) noexcept {
    const cache::Entry& e = *p.found;
    HitLists claimed;
    if (!Executor::claim_hit(snapshot, plan, e, claimed)) return std::nullopt;
    const std::span<const std::uint8_t> lists(claimed.lists.data(), claimed.list_count);
    const dns::Answer& answer = e.answer();
    if (has_to_leave_out(snapshot, lists, answer)) return std::nullopt;
    const LeavingAnswer a{.snapshot = snapshot,
                          .answer = answer,
                          .client = p.client.address,
                          .age_s = e.born.age_s(now.s()),
                          .ttl_cap_s = LeaveTerms::kNoCap,
                          .entry = &e,
                          .qname = {},  // settle_covered() needs no name
                          .lists = lists};
    LeaveTerms terms;
    if (!parts_.claims.settle_covered(a, now, terms)) return std::nullopt;
    return terms.ttl_cap_s;
}

void Resolver::resolve_one(Packet& p, QueryContext& c, Now now) noexcept {
    const Step step = parts_.executor.run(c, now);
    if (step > Step::asks) return resolve_waiting(p, c, step, now);
    if (c.refresh_pc != QueryContext::kNoRefresh) refresh({c, &p}, now);
    if (step == Step::asks) {
        ask(p, c, now);
    } else {
        leave(p, c, now);
    }
}

void Resolver::resolve_waiting(Packet& p, QueryContext& c, Step step, Now now) noexcept {
    ResolveContext w{c, &p};
    step = go_on(w, step, now);
    if (w.record == nullptr) {
        const bool in_vain = c.failed && w.refused != Verdict::forwarded;
        if (step == Step::answered && !in_vain) return leave(p, c, now);
        if (step == Step::asks) return ask(p, c, now);
        if (in_vain || record_of(w) == nullptr) {
            parts_.executor.abandon(c.snapshot, c.state);
            return refuse(p, c, w.refused);
        }
    }
    parts_.replier.park(p, Verdict::forwarded);
    settle(*w.record, c, step, PendingOutcome::answered, now);
}

void Resolver::ask(Packet& p, const QueryContext& c, Now now) noexcept {
    if (c.snapshot.limits != nullptr && end_limited_miss(p, c, now)) [[unlikely]]
        return;
    const auto [record, why] = parts_.pool.take(c.snapshot, holder_of(p), p.query.name());
    if (record == nullptr) {
        parts_.executor.abandon(c.snapshot, c.state);
        return refuse(p, c, why);
    }
    write_record(p, c, *record);
    parts_.replier.remember_path(p, record->path);
    if (c.trace) [[unlikely]] {
        c.trace.get()->has_record = true;
        c.trace.note(now, TraceWhat::waits, static_cast<unsigned>(TraceWait::upstream), c.state.pc,
                     c.group);
    }
    record->state = Parked::State::waits_upstream;
    record->upstream = Parked::kAsked;
    const std::uint64_t hash = parts_.hasher.spread_of(c.asked().name());
    if (!parts_.forwarder.ask(record, c.group, hash, now)) {
        parts_.executor.abandon(c.snapshot, c.state);
        parts_.pool.give(record);
        if (c.trace) c.trace.get()->has_record = false;
        return drop(p, c, Verdict::drop_ring_full);
    }
    if (c.state.stale_wait_ms != 0) {
        record->stale_at_ms = now.ms + c.state.stale_wait_ms;
        set_timer(*record, now);
    }
    parts_.counters.add(Stat::parked_total);
    parts_.replier.park(p, Verdict::forwarded);
}

void Resolver::drop(Packet& p, const QueryContext& c, Verdict why) noexcept {
    parts_.replier.note_program(&c.state);
    parts_.replier.drop(p, why);
    parts_.replier.note_program(nullptr);
}

void Resolver::refuse(Packet& p, const QueryContext& c, Verdict why) noexcept {
    const Overload overload = why == Verdict::drop_client_quota   ? Overload::client_quota
                              : why == Verdict::drop_suffix_quota ? Overload::suffix_quota
                                                                  : Overload::parked_full;
    parts_.counters.saw(overload, p.client.address, p.query.name());
    const bool is_clients = why == Verdict::drop_client_quota;
    parts_.replier.note_program(&c.state);
    if (is_clients && over_quota_ == OverQuota::truncate && p.client.is_udp()) {
        parts_.replier.answer_truncated(p, Verdict::truncated_quota);
    } else if ((!is_clients && why != Verdict::drop_suffix_quota) ||
               !gets_quota_error(!p.client.is_udp())) {
        parts_.replier.drop(p, why);
    } else {
        parts_.replier.answer_error(p, dns::kServFail, dns::Ede::other, Verdict::servfail_quota);
    }
    parts_.replier.note_program(nullptr);
}

// Only if there is a free record: the next hit tries again.
void Resolver::refresh(const ResolveContext& w, Now now) noexcept {
    const std::uint16_t pc = std::exchange(w.c.refresh_pc, QueryContext::kNoRefresh);
    const std::uint32_t cache = w.c.snapshot.program[pc].operand;
    Parked* const r = parts_.pool.take_background(w.c.snapshot, w.c.query.name(), cache).record;
    if (r == nullptr) return;
    copy_query(w, *r);
    r->options_len = 0;  // the answer is for all clients
    r->trace = 0;
    const ReturnPath path = std::exchange(r->path, ReturnPath{});
    r->path.client = path.client;
    r->path.client.transport = ClientTransport::udp;  // for the quotas of its branches
    r->state = Parked::State::waits_upstream;
    dns::Query q;
    read_record(*r, q);
    QueryContext own(w.c.snapshot, q);
    read_record(*r, own);
    r->program = own.state = Executor::refresh_state(w.c.state, pc, w.c.refresh_rewrites);
    own.rewrite_question();
    parts_.counters.add(Stat::parked_total);
    parts_.counters.add(Stat::cache_refreshes);
    ResolveContext refreshing{own, nullptr, r};
    const Step step = go_on(refreshing, parts_.executor.run(own, now), now);
    settle(*r, own, step, PendingOutcome::refreshed, now);
}

// Rows exist before the first client gets the address, if the upstream answered.
void Resolver::end_refresh(Parked& p, const QueryContext& c, Now now) noexcept {
    if (c.state.list_count != 0) {
        const LeavingAnswer a = leaving(c, now);
        const LeaveTerms terms = parts_.claims.settle(a, now);
        if (terms.leave == Leave::hold) parts_.claims.raise(a, terms, 0, now);
    }
    parts_.counters.add(PendingOutcome::refreshed);
    give_back(p);
}

void Resolver::answer_stale(Parked& p, Now now) noexcept {
    dns::Query q;
    read_record(p, q);
    QueryContext c(*p.snapshot, q);
    read_query(p, c);
    const ProgramState before = p.program;
    if (!parts_.executor.resume_stale(c, now)) return;
    const std::span<const std::uint8_t> qname{q.qname.data(), q.qname_len};
    Parked* const client_record =
        p.is_branch
            ? parts_.pool.take_branch(*p.snapshot, holder_of(p), qname, p.path.branch).record
            : parts_.pool.take(*p.snapshot, holder_of(p), qname).record;
    if (client_record == nullptr) return;  // then it waits for the upstream
    copy_record(p, *client_record);
    client_record->state = Parked::State::ended;
    client_record->program = c.state;
    p.program = Executor::refresh_state_of(*p.snapshot, before);
    p.trace = 0;  // it is with `client_record`
    parts_.counters.add(Stat::parked_total);
    parts_.counters.add(Stat::cache_refreshes);
    settle(*client_record, c, Step::answered, PendingOutcome::answered, now);
}

bool Resolver::fit_to_lists(QueryContext& c, Now now) noexcept {
    if (c.state.list_count == 0) return true;
    return (!c.response.answer().has_additional || leave_out(c, now)) && shorten(c, now);
}

bool Resolver::leave_out(QueryContext& c, Now now) noexcept {
    const ClaimedAdditional claimed(
        c.snapshot, {c.state.lists.data(), static_cast<std::size_t>(c.state.list_count)});
    if (!dns::has_to_leave_out(c.response.answer(), claimed)) return true;
    parts_.counters.add(Stat::additional_left_out);
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    return c.response.leave_out(parts_.buffers, claimed, name, now) ||
           c.response.shorten(parts_.buffers, UINT_MAX, now);  // without those sections
}

bool Resolver::shorten(QueryContext& c, Now now) noexcept {
    for (unsigned i = 0; i < c.state.list_count; ++i) {
        const PolicyList& list = c.snapshot.lists[c.state.lists[i]];
        if (list.max_addresses == 0 ||
            !dns::has_more_addresses(c.response.answer(), list.max_addresses))
            continue;
        parts_.claims.note_shortened(leaving(c, now), list, now);
        if (!c.response.shorten(parts_.buffers, list.max_addresses, now)) return false;
    }
    return true;
}

void Resolver::leave(Packet& p, QueryContext& c, Now now) noexcept {
    if (c.state.dropped || c.state.stays_here) [[unlikely]] {
        if (c.state.dropped) {
            if (c.trace) note_decided(c.trace, c.snapshot, c.state, now);
            return drop(p, c, Verdict::dropped_by_policy);
        }
        if (refuse_norecurse(p, c, now)) return;
    }
    if (c.snapshot.limits_answers() && end_limited_answer(p, c, now)) [[unlikely]]
        return;
    Extras extras;
    if (!c.snapshot.watched_lists.empty()) parts_.shared_watch.check(leaving(c, now), now);
    const AnswerSource source = source_of(c);
    if (c.state.list_count == 0) {  // nearly all
        const auto options = options_for(c, p.max_size, LeaveTerms::kNoCap, extras, now);
        const Verdict v = parts_.replier.answer(p, c.response.answer(), options, source);
        if (c.trace) [[unlikely]]
            note_packet_end(p, c, c.response.answer(), options, v, now);
        return;
    }
    if (!fit_to_lists(c, now)) return drop(p, c, Verdict::drop_no_buffer);
    const LeavingAnswer a = leaving(c, now);
    const LeaveTerms terms = parts_.claims.settle(a, now);
    parts_.claims.count_leaving(terms);
    if (c.trace) [[unlikely]]
        note_leaving(c, a, terms, now);
    const auto answer = [&](const dns::Answer& with, const dns::ReplyOptions& options) {
        const Verdict v = parts_.replier.answer(p, with, options, source);
        if (c.trace) [[unlikely]]
            note_packet_end(p, c, with, options, v, now);
    };
    switch (terms.leave) {
        case Leave::now:
            return answer(a.answer, options_for(c, p.max_size, terms.ttl_cap_s, extras, now));
        case Leave::servfail:
            return answer(dns::empty_answer(dns::kServFail),
                          {.max_size = p.max_size, .ede = dns::Ede::other});
        case Leave::drop:
            return drop(p, c, Verdict::drop_router_away);
        case Leave::hold:
        case Leave::wait_for_ring:
            break;
    }
    const auto [record, why] = parts_.pool.take(c.snapshot, holder_of(p), p.query.name());
    if (record == nullptr) {
        // No list waits: then the answer is more important than the claim that did not fit.
        if (terms.hold_mask != 0) return refuse(p, c, why);
        if (terms.obeys_on_full) parts_.claims.count_full(terms.obeyed);
        return answer(a.answer, options_for(c, p.max_size, terms.ttl_cap_s, extras, now));
    }
    write_record(p, c, *record);
    parts_.replier.remember_path(p, record->path);
    if (c.trace) c.trace.get()->has_record = true;
    if (!wait(*record, c, a, terms, now)) {
        parts_.pool.give(record);
        if (c.trace) c.trace.get()->has_record = false;
        return drop(p, c, Verdict::drop_no_buffer);
    }
    parts_.counters.add(Stat::parked_total);
    parts_.replier.park(p, Verdict::held);
}

[[gnu::cold, gnu::noinline]] bool Resolver::refuse_norecurse(Packet& p, const QueryContext& c,
                                                             Now now) noexcept {
    if (c.response.ede() != dns::Ede::not_authoritative) return false;
    parts_.replier.note_program(&c.state);
    if (!end_if_limited(p, c.snapshot, dns::kRefused, false, parts_.limiter, parts_.replier, now)) {
        parts_.replier.answer_error(p, dns::kRefused, dns::Ede::not_authoritative,
                                    Verdict::refused_norecurse);
    }
    parts_.replier.note_program(nullptr);
    return true;
}

// ---- traces

void Resolver::read_query(const Parked& r, QueryContext& c) noexcept {
    read_record(r, c);
    c.trace = parts_.tracer.find(r.trace, r.path.traced_as);
}

[[gnu::noinline, gnu::cold]] void Resolver::trace_packet(Packet& p, QueryContext& c,
                                                         const Snapshot& snapshot, Burst& burst,
                                                         unsigned place, Now now) noexcept {
    c.trace = parts_.tracer.of(burst, place);
    if (!c.trace) return;
    c.trace.get()->has_run = true;
    if (p.plan != nullptr) trace_plan(snapshot, *p.plan, p.client.entry, false, c.trace, now);
}

[[gnu::noinline, gnu::cold]] void Resolver::note_leaving(const QueryContext& c,
                                                         const LeavingAnswer& a,
                                                         const LeaveTerms& terms,
                                                         Now now) noexcept {
    if (a.lists.empty()) return;
    for (unsigned i = 0; i < a.lists.size(); ++i) {
        const bool is_awaited = (terms.hold_mask >> i & 1) != 0;
        const bool is_refused = (terms.refused_mask >> i & 1) != 0;
        const bool is_raised = (terms.raise_mask >> i & 1) != 0;
        const TraceRow row = is_awaited   ? TraceRow::awaited
                             : is_refused ? TraceRow::refused
                             : is_raised  ? TraceRow::written
                                          : TraceRow::covered;
        c.trace.note(now, TraceWhat::row, static_cast<unsigned>(row), a.lists[i],
                     a.snapshot.lists[a.lists[i]].id_for(a.client), terms.wanted_ttl_s);
    }
    c.trace.note(now, TraceWhat::leave, static_cast<unsigned>(terms.leave), 0, terms.ttl_cap_s,
                 terms.sync_timeout_ms);
}

[[gnu::noinline, gnu::cold]] void Resolver::note_packet_end(Packet& p, const QueryContext& c,
                                                            const dns::Answer& answer,
                                                            const dns::ReplyOptions& options,
                                                            Verdict v, Now now) noexcept {
    note_decided(c.trace, c.snapshot, c.state, now);
    note_answer(c.trace, answer, options, c.query.edns.present, now);
    p.end = v;
}

void Resolver::answered(Parked& p, UpstreamResult end, Buffer* answer, Now now) noexcept {
    if (answer != nullptr && answer->upstream != Buffer::kNoUpstream) p.upstream = answer->upstream;
    if (p.state == Parked::State::ended || p.snapshot->generation <= retiring_) {
        release(answer);
        if (p.state != Parked::State::ended) end_generation(p);
        return give_back(p);
    }
    dns::Query q;
    read_record(p, q);
    QueryContext c(*p.snapshot, q);
    read_query(p, c);
    if (c.trace) [[unlikely]]
        c.trace.note(now, TraceWhat::upstream_end, static_cast<unsigned>(end), c.state.pc);
    ResolveContext w{c, nullptr, &p};
    // A stale answer would come back by the loop as a fresh one.
    const FailureTerms terms{.may_be_stale = end != UpstreamResult::looped,
                             .is_brief = end == UpstreamResult::dropped};
    const Step step = go_on(w, parts_.executor.resume(c, answer, reason_of(end), now, terms), now);
    const bool failed = c.response && c.response.answer().rcode == dns::kServFail;
    const bool has_client = !c.state.refresh && !p.is_branch;
    if (end == UpstreamResult::over_quota && failed && has_client &&
        !gets_quota_error(is_over_tcp(p.path))) {
        p.program = c.state;
        parts_.replier.drop(p, PendingOutcome::dropped_over_quota);
        return give_back(p);
    }
    settle(p, c, step,
           end == UpstreamResult::answered ? PendingOutcome::answered : PendingOutcome::servfail,
           now);
}

Step Resolver::go_on(ResolveContext& w, Step step, Now now) noexcept {
    for (;;) {
        if (w.c.refresh_pc != QueryContext::kNoRefresh) refresh(w, now);
        if (step != Step::branches) return step;
        step = run_branches(w, {}, {}, now);
    }
}

void Resolver::settle(Parked& p, QueryContext& c, Step step, PendingOutcome end, Now now) noexcept {
    if (step == Step::waits) return;
    if (step != Step::answered) {
        if (park(p, c, step, now)) return;
        parts_.executor.abandon(*p.snapshot, c.state);
        c.failed = true;
        if (!c.state.refresh && !p.is_branch)
            return end_with_servfail(p, c.query, dns::Ede::other, PendingOutcome::servfail);
    }
    if (c.state.refresh) return end_refresh(p, c, now);
    if (p.is_branch) return deliver(p, c, now);
    leave(p, c, end, now);
}

bool Resolver::park(Parked& p, const QueryContext& c, Step step, Now now) noexcept {
    if (p.started_us() / 1000 + kLongestParkedMs < now.ms) return false;
    p.program = c.state;
    p.ecs_asked = c.state.ecs ? c.query.edns.ecs_len : 0;
    if (c.state.stale_wait_ms != 0 && p.stale_at_ms == 0)
        p.stale_at_ms = now.ms + c.state.stale_wait_ms;
    if (step == Step::sleeps) {
        if (!keep(p, c, now)) return false;
        if (c.trace) [[unlikely]]
            c.trace.note(now, TraceWhat::waits, static_cast<unsigned>(TraceWait::time), c.state.pc,
                         c.sleep_ms);
        p.state = Parked::State::sleeps;
        p.next_at_ms = now.ms + c.sleep_ms;
        set_timer(p, now);
        return true;
    }
    p.state = Parked::State::waits_upstream;
    p.upstream = Parked::kAsked;
    p.next_waiter = nullptr;
    set_timer(p, now);
    if (c.trace) [[unlikely]]
        c.trace.note(now, TraceWhat::waits, static_cast<unsigned>(TraceWait::upstream), c.state.pc,
                     c.group);
    const std::uint64_t hash = parts_.hasher.spread_of(c.asked().name());
    return parts_.forwarder.ask(&p, c.group, hash, now);
}

bool Resolver::keep(Parked& p, const QueryContext& c, Now now) noexcept {
    if (!c.response || p.answer != nullptr) return true;
    p.answer = c.response.in_buffer(parts_.buffers, now);
    if (p.answer == nullptr) return false;
    p.kept = c.response.terms();
    const auto ede = c.response.ede();
    p.ede = ede ? static_cast<std::uint16_t>(*ede) : kNoEde;
    return true;
}

void Resolver::set_timer(Parked& p, Now now) noexcept {
    std::uint64_t at_ms = UINT64_MAX;
    if (p.stale_at_ms != 0) at_ms = p.stale_at_ms;
    const bool may_be_late = p.state == Parked::State::waits_branches && !p.branches.late;
    if (may_be_late || p.state == Parked::State::sleeps) at_ms = std::min(at_ms, p.next_at_ms);
    if (at_ms != UINT64_MAX) {
        timers_.set(p.index, at_ms, now.ms);
    } else {
        timers_.cancel(p.index);
    }
}

void Resolver::leave(Parked& p, QueryContext& c, PendingOutcome end, Now now) noexcept {
    p.program = c.state;
    if (c.response) p.kept = c.response.terms();
    if (c.state.dropped) {
        parts_.replier.drop(p, PendingOutcome::dropped_by_policy);
        return give_back(p);
    }
    if (c.snapshot.limits_answers() && end_limited_answer(p, c, now)) [[unlikely]]
        return give_back(p);
    if (!fit_to_lists(c, now)) {
        parts_.replier.drop(p, PendingOutcome::drop_no_buffer);
        return give_back(p);
    }
    const LeavingAnswer a = leaving(c, now);
    if (!c.snapshot.watched_lists.empty()) parts_.shared_watch.check(a, now);
    const LeaveTerms terms = parts_.claims.settle(a, now);
    parts_.claims.count_leaving(terms);
    if (c.trace) [[unlikely]]
        note_leaving(c, a, terms, now);
    switch (terms.leave) {
        case Leave::now:
            break;
        case Leave::servfail:
            return end_with_servfail(p, c.query, dns::Ede::other, PendingOutcome::servfail);
        case Leave::drop:
            parts_.replier.drop(p, PendingOutcome::dropped_on_timeout);
            return give_back(p);
        case Leave::hold:
        case Leave::wait_for_ring:
            if (wait(p, c, a, terms, now)) return;
            parts_.replier.drop(p, PendingOutcome::drop_no_buffer);
            return give_back(p);
    }
    Extras extras;
    parts_.replier.answer(p, c.query, a.answer,
                          options_for(c, p.path.max_size, terms.ttl_cap_s, extras, now), end);
    give_back(p);
}

bool Resolver::wait(Parked& p, const QueryContext& c, const LeavingAnswer& a,
                    const LeaveTerms& terms, Now now) noexcept {
    p.answer = c.response.in_buffer(parts_.buffers, now);
    if (p.answer == nullptr) return false;
    if (const auto ede = c.response.ede()) p.ede = static_cast<std::uint16_t>(*ede);
    p.kept = c.response.terms();
    p.program = c.state;
    set_policies(p, terms);
    p.ttl_end_s = ttl_end_s(terms, now);
    timers_.set(p.index, now.ms + terms.sync_timeout_ms, now.ms);
    if (terms.leave == Leave::wait_for_ring) {
        append_ring_waiter(p);
    } else {
        start_hold(p, a, terms, now);
    }
    return true;
}

void Resolver::start_hold(Parked& p, const LeavingAnswer& a, const LeaveTerms& terms,
                          Now now) noexcept {
    p.state = Parked::State::held;
    set_policies(p, terms);
    p.ttl_end_s = ttl_end_s(terms, now);
    p.holds_left =
        static_cast<std::uint8_t>(parts_.claims.raise(a, terms, ParkedPool::token_of(p), now));
}

void Resolver::acknowledged(std::uint64_t hold_token, Outcome outcome, Now now) noexcept {
    Parked* const p = parts_.pool.find(hold_token);
    if (p == nullptr || p->state != Parked::State::held || p->holds_left == 0) return;
    if (outcome == Outcome::refused)
        p->refused = true;
    else if (outcome != Outcome::installed && outcome != Outcome::already_there)
        p->unsettled = true;
    if (outcome == Outcome::late) p->late = true;
    if (outcome == Outcome::router_away) parts_.counters.add(Stat::hold_router_away);
    --p->holds_left;
    if (p->trace != 0) [[unlikely]] {
        if (const TraceRef trace = parts_.tracer.find(p->trace, p->path.traced_as))
            trace.note(now, TraceWhat::acknowledged, static_cast<unsigned>(outcome), 0,
                       p->holds_left);
    }
    if (p->holds_left == 0) end_hold(*p, now);
}

void Resolver::end_hold(Parked& p, Now now) noexcept {
    if (p.late) parts_.counters.add(Stat::hold_late);
    if (p.refused) {
        const auto obeyed = p.obeys_on_full ? std::max(p.obeyed, p.on_full) : p.on_full;
        parts_.claims.count_full(static_cast<OnFull>(obeyed));
        return end_refused(p, now);
    }
    if (p.obeys_on_full) parts_.claims.count_full(static_cast<OnFull>(p.obeyed));
    if (p.unsettled) return end_by_policy(p, now);
    parts_.counters.add(Stat::hold_released);
    let_go(p, PendingOutcome::answered, now);
}

void Resolver::let_go(Parked& p, PendingOutcome end, Now now) noexcept {
    dns::Query q;
    read_record(p, q);
    std::uint32_t cap_s = p.ttl_end_s;
    if (cap_s != UINT32_MAX) cap_s = cap_s > now.s() ? cap_s - now.s() : 0;
    Extras extras;
    const auto ede = p.ede != kNoEde ? std::optional(static_cast<dns::Ede>(p.ede)) : std::nullopt;
    const dns::ReplyOptions options{
        .age_s = p.answer->birth().age_s(now.s()),
        .ttl_cap_s = cap_s,
        .ede = ede,
        .extras = extras.fill(*p.snapshot, q, p.program, p.answer->answer(), ede,
                              p.answer->options(), p.kept.passes_options)};
    parts_.replier.answer(p, q, p.answer->answer(), options, end);
    give_back(p);
}

// Before on_timeout, which then decides only if another list's row is missing, too.
void Resolver::end_refused(Parked& p, Now now) noexcept {
    switch (static_cast<OnFull>(p.on_full)) {
        case OnFull::answer:
            break;
        case OnFull::cap_ttl:
            p.ttl_end_s = std::min(p.ttl_end_s, now.s() + kRefusalStandsS);
            break;
        case OnFull::servfail:
            p.on_timeout = static_cast<std::uint8_t>(OnTimeout::servfail) & 3U;
            return end_by_policy(p, now);
    }
    if (p.unsettled) return end_by_policy(p, now);
    let_go(p, PendingOutcome::answered, now);
}

void Resolver::end_by_policy(Parked& p, Now now) noexcept {
    switch (static_cast<OnTimeout>(p.on_timeout)) {
        case OnTimeout::answer:
            return let_go(p, PendingOutcome::answered, now);
        case OnTimeout::drop:
            parts_.replier.drop(p, PendingOutcome::dropped_on_timeout);
            return give_back(p);
        case OnTimeout::servfail:
            break;
    }
    dns::Query q;
    read_record(p, q);
    end_with_servfail(p, q, dns::Ede::other, PendingOutcome::servfail);
}

void Resolver::end_with_servfail(Parked& p, const dns::Query& q, dns::Ede ede,
                                 PendingOutcome end) noexcept {
    parts_.replier.answer(p, q, dns::empty_answer(dns::kServFail), {.ede = ede}, end);
    give_back(p);
}

void Resolver::give_back(Parked& p) noexcept {
    timers_.cancel(p.index);
    if (p.trace != 0 && !p.is_branch) [[unlikely]]
        parts_.tracer.lost(p);
    if (p.state == Parked::State::waits_ring) remove_ring_waiter(p);
    if (p.state == Parked::State::waits_branches && p.next_waiter != nullptr)
        end_branch(*p.next_waiter);
    release(p.answer);
    p.answer = nullptr;
    parts_.pool.give(&p);
}

void Resolver::tick(std::uint32_t retire_generation, Now now) noexcept {
    for (unsigned i = 0; i < kTimersPerTurn; ++i) {
        const std::uint32_t index = timers_.pop_due(now.ms);
        if (index == forward::kNone) break;
        on_timer(parts_.pool.at(index), now);
    }
    if (parts_.pool.is_nearly_full()) {
        for (unsigned i = 0; i < kRoomPerTurn && parts_.forwarder.make_room(now); ++i) {
        }
    }
    if (ring_first_ != nullptr) retry_ring(now);
    if (retire_generation > retired_) retire(retire_generation);
}

void Resolver::on_timer(Parked& p, Now now) noexcept {
    switch (p.state) {
        case Parked::State::free:
        case Parked::State::ended:
        case Parked::State::branch_done:
            return;
        case Parked::State::held:
        case Parked::State::waits_ring:
            if (const TraceRef trace = parts_.tracer.find(p.trace, p.path.traced_as))
                trace.note(now, TraceWhat::held_too_long);
            p.unsettled = p.late = true;
            return end_hold(p, now);
        case Parked::State::waits_upstream:
        case Parked::State::waits_branches:
        case Parked::State::sleeps:
            break;
    }
    if (p.stale_at_ms != 0 && now.ms >= p.stale_at_ms) {
        p.stale_at_ms = 0;
        if (p.state != Parked::State::sleeps) answer_stale(p, now);
    }
    if (p.state == Parked::State::waits_upstream || now.ms < p.next_at_ms) return set_timer(p, now);
    if (p.state == Parked::State::sleeps) return wake(p, now);
    if (p.branches.late) return set_timer(p, now);
    p.branches.late = true;
    consider(p, p.branches, {}, nullptr, now);
}

void Resolver::wake(Parked& p, Now now) noexcept {
    dns::Query q;
    read_record(p, q);
    QueryContext c(*p.snapshot, q);
    read_query(p, c);
    read_response(p, c);
    release(std::exchange(p.answer, nullptr));
    ResolveContext w{c, nullptr, &p};
    const Step step = go_on(w, parts_.executor.run(c, now), now);
    settle(p, c, step, PendingOutcome::answered, now);
}

std::uint64_t Resolver::next_deadline_ms(Now now) const noexcept {
    if (ring_first_ != nullptr || retiring_ > retired_) return now.ms + 1;
    return timers_.next_ms();
}

// Oldest first, as long as there is space.
void Resolver::retry_ring(Now now) noexcept {
    while (ring_first_ != nullptr && parts_.claims.has_room()) {
        Parked& p = *ring_first_;
        dns::Query q;
        read_record(p, q);
        QueryContext c(*p.snapshot, q);
        read_query(p, c);
        hold(p.answer);
        c.response.set_buffer(p.answer);
        LeavingAnswer a = leaving(c, now);
        if (p.ttl_end_s != UINT32_MAX)
            a.ttl_cap_s = p.ttl_end_s > now.s() ? p.ttl_end_s - now.s() : 0;
        const LeaveTerms terms = parts_.claims.settle(a, now);
        if (terms.leave == Leave::wait_for_ring) return;
        parts_.claims.count_leaving(terms);
        remove_ring_waiter(p);
        p.state = Parked::State::held;
        p.ttl_end_s = ttl_end_s(terms, now);
        switch (terms.leave) {
            case Leave::hold:
                start_hold(p, a, terms, now);
                continue;
            case Leave::servfail:
                set_policies(p, OnTimeout::servfail, OnFull::answer);
                break;
            case Leave::drop:
                set_policies(p, OnTimeout::drop, OnFull::answer);
                break;
            case Leave::now:
            case Leave::wait_for_ring:  // returned above
                set_policies(p, OnTimeout::answer, OnFull::answer);
                break;
        }
        end_by_policy(p, now);
    }
}

void Resolver::append_ring_waiter(Parked& p) noexcept {
    p.state = Parked::State::waits_ring;
    p.next_waiter = nullptr;
    (ring_last_ == nullptr ? ring_first_ : ring_last_->next_waiter) = &p;
    ring_last_ = &p;
}

// Usually the first: they arrive and time out in about this order.
void Resolver::remove_ring_waiter(Parked& p) noexcept {
    Parked* before = nullptr;
    for (Parked* at = ring_first_; at != &p; at = at->next_waiter)
        before = at;
    (before == nullptr ? ring_first_ : before->next_waiter) = p.next_waiter;
    if (ring_last_ == &p) ring_last_ = before;
    p.next_waiter = nullptr;
}

// Ends the queries of old generations, a limited number of records per turn. Queries that the forwarder still has are
// only marked: it returns them within its total time.
void Resolver::retire(std::uint32_t generation) noexcept {
    if (generation > retiring_) {
        retiring_ = generation;
        retire_at_ = 0;
    }
    const unsigned end = std::min(retire_at_ + kRetiredPerTurn, parts_.pool.high_water());
    for (; retire_at_ < end; ++retire_at_) {
        Parked& p = parts_.pool.at(retire_at_);
        const bool waits = p.state != Parked::State::free && p.state != Parked::State::ended &&
                           p.state != Parked::State::branch_done;  // its parent's to free
        if (!waits || p.snapshot->generation > generation) continue;
        end_generation(p);
        if (p.state == Parked::State::waits_upstream) {
            p.state = Parked::State::ended;
        } else {
            give_back(p);
        }
    }
    if (retire_at_ >= parts_.pool.high_water()) retired_ = retiring_;
}

void Resolver::end_generation(Parked& p) noexcept {
    parts_.executor.abandon(*p.snapshot, p.program);
    if (p.program.refresh) return parts_.counters.add(PendingOutcome::refreshed);
    if (p.is_branch) return parts_.counters.add(PendingOutcome::branch_over);
    dns::Query q;
    read_record(p, q);
    parts_.replier.answer(p, q, dns::empty_answer(dns::kServFail), {.ede = dns::Ede::other},
                          PendingOutcome::generation_ended);
}

}  // namespace steer
