#include "dataplane/forward/forwarder.h"

#include <rte_debug.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/dns/name.h"
#include "dataplane/forward/forwarder_impl.h"

namespace steer {

using forward::kNone;

namespace {
constexpr unsigned kTimersPerTick = 128;
constexpr unsigned kFewOfDomain =
    32;  // in flight: no domain has less; a part of it half, a quarter
}  // namespace

Forwarder::Impl::Impl(const ForwarderOptions& o, BufferPools& b, ForwardSink& s,
                      forward::LoopBoard& l, Counters& c)
    : options(o),
      buffers(b),
      sink(s),
      counters(c),
      random(o.random_seed),
      ports(o.first_port, o.last_port, o.worker, o.workers),
      table(o.max_in_flight),
      by_domain(o.max_in_flight, o.max_per_suffix != 0 ? o.max_per_suffix : o.max_in_flight),
      choice(random),
      cookies(random),
      timers(o.max_in_flight),
      loops(l),
      tests(o.worker, l, random) {
    for (std::uint64_t* const word : {&name_keys.seed, &name_keys.secret})
        *word = (std::uint64_t{random.next()} << 32) | random.next() | 1;
}

std::uint32_t Forwarder::Impl::name_key(std::span<const std::uint8_t> name,
                                        std::uint16_t qtype) const noexcept {
    const std::uint64_t type = std::uint64_t{qtype} << 32;
    return static_cast<std::uint32_t>(
        name_keys.down(name_keys.seed ^ type, name.data(), name.size()));
}

bool Forwarder::Impl::is_over_share(const matchers::DomainKeys& keys, Now now) const noexcept {
    using matchers::DomainLevel;
    if (by_domain.is_full(keys)) return true;
    if (table.count() < options.max_in_flight / 4) return false;
    unsigned few = kFewOfDomain;
    for (const auto level : {DomainLevel::domain, DomainLevel::below, DomainLevel::below2}) {
        const std::uint64_t key = keys[level];
        if (key == 0) break;
        const std::uint64_t most = std::min(by_domain.share(level), options.max_in_flight);
        const std::uint64_t answered_percent = 100 - failing.failed_percent(key, now.s());
        const std::uint64_t share = most * answered_percent / 100;
        if (by_domain.get(key) >= std::max(share, std::min<std::uint64_t>(most, few))) return true;
        few /= 2;
    }
    return false;
}

bool Forwarder::Impl::is_over_share_of(const InFlightLimit& limit,
                                       const matchers::DomainKeys& keys) const noexcept {
    using matchers::DomainLevel;
    // Names go to workers by their hash.
    const std::uint64_t part = std::max(1U, limit.most / options.workers);
    std::uint64_t few = std::min<std::uint64_t>(kFewOfDomain, std::max<std::uint64_t>(1, part / 4));
    for (const auto level : {DomainLevel::domain, DomainLevel::below, DomainLevel::below2}) {
        const std::uint64_t key = keys[level];
        const std::uint64_t share = by_domain.share(level);
        if (key == 0 || share >= options.max_in_flight) break;
        const std::uint64_t most = part * share / options.max_in_flight;
        if (by_domain.get(key) >= std::max(most, few)) return true;
        few = std::max<std::uint64_t>(1, few / 2);
    }
    return false;
}

bool Forwarder::Impl::is_group_over_share(const forward::Question& question) noexcept {
    const Snapshot& snapshot = *question.snapshot;
    if (snapshot.groups.size() < 2) return false;
    const std::uint32_t* const in_flight = in_flight_of(snapshot, snapshot.groups[question.group]);
    return in_flight != nullptr && *in_flight >= kGroupShare * (table.capacity() - table.count());
}

bool Forwarder::Impl::displace(bool of_first_half, Now now) noexcept {
    const std::uint32_t i = table.oldest(of_first_half);
    if (i == kNone || now.ms - table[i].started_ms < kJostleMs) return false;
    OutstandingQuery& f = table[i];
    counters.add(Stat::upstream_displaced);
    counters.saw(Overload::displaced, f.waiters.first()->path.client.address, f.name());
    // Counts as silence: else a flood would hide that an upstream is silent.
    for (std::uint32_t a = f.attempts; a != kNone; a = table.attempt(a).next) {
        const forward::Attempt& attempt = table.attempt(a);
        const auto waited_ms = static_cast<std::uint32_t>(now.ms - attempt.sent_ms);
        if (!attempt.late && waited_ms >= kJostleMs) choice.late(attempt.upstream, waited_ms);
    }
    end_requesting(i, false);
    release(std::exchange(f.answer, nullptr));
    release(std::exchange(f.trail, nullptr));
    displaced.append(f.waiters);
    table.close(i);
    return true;
}

void Forwarder::Impl::join(Parked* parked, std::uint64_t name_hash, Now now) noexcept {
    const forward::Question question(*parked, name_hash);
    if (question.options_too_long) counters.add(Stat::options_too_long);
    std::uint32_t i = table.find(question);
    const bool is_new = i == kNone;
    if (is_new) {
        const matchers::DomainKeys domain =
            parked->program.rewrites.count() == 0
                ? parked->keys.domain
                : matchers::PublicSuffixes::current().keys(
                      std::span<const std::uint8_t>{question.qname.data(), question.qname_len});
        InFlightLimit* const limit = question.snapshot->groups[question.group].limit.get();
        if (is_over_share(domain, now) || (limit != nullptr && is_over_share_of(*limit, domain))) {
            counters.saw(Overload::upstream_quota, parked->path.client.address,
                         {question.qname.data(), question.qname_len});
            return turn_away(parked, UpstreamResult::over_quota, Stat::upstream_quota);
        }
        if (limit != nullptr && !limit->enter())
            return turn_away(parked, UpstreamResult::over_quota, Stat::upstream_limit);
        const std::uint32_t key =
            name_key({question.qname.data(), question.qname_len}, question.qtype);
        // An old query makes room. So does one of another group: most queries of a group with
        // answers are not that old.
        if (!is_group_over_share(question)) i = table.open(question, key, now.ms);
        if (i == kNone && displace(false, now)) i = table.open(question, key, now.ms);
        if (i == kNone) {
            counters.saw(Overload::table_full, parked->path.client.address,
                         {question.qname.data(), question.qname_len});
            if (limit != nullptr) limit->leave();
            return turn_away(parked, UpstreamResult::table_full, Stat::upstream_table_full);
        }
        table[i].domain = domain;
        by_domain.add(domain);
        if (std::uint32_t* const in_flight = in_flight_of(*table[i].snapshot, table[i].upstreams()))
            ++*in_flight;
        if (table.variants(i, kMaxVariants + 1) > kMaxVariants && has_datagrams(table[i]))
            [[unlikely]] {
            counters.add(Stat::upstream_variants);
            table[i].over_tcp = true;
        }
    }
    OutstandingQuery& f = table[i];
    f.waiters.push(parked);
    if (parked->trace != 0 && f.trail == nullptr) [[unlikely]]
        begin_trail(i, is_new, now);
    if (forward::wants_all(*parked)) ++f.want_all;
    if (is_new) {
        start(i, now);
    } else {
        counters.add(Stat::upstream_coalesced);
        if (!parked->program.refresh) note_return(i, parked->path.client.address, now);
    }
}

Forwarder::Forwarder(const ForwarderOptions& options, BufferPools& buffers, ForwardSink& sink,
                     forward::LoopBoard& loops, Counters& counters)
    : impl_(std::make_unique<Impl>(options, buffers, sink, loops, counters)) {}

Forwarder::~Forwarder() {
    for (std::uint32_t i = 0; i < impl_->table.capacity(); ++i) {
        release(impl_->table[i].answer);
        release(impl_->table[i].trail);
    }
}

bool Forwarder::ask(Parked* parked, std::uint16_t group, std::uint64_t hash, Now now) noexcept {
    impl_->now_ms = now.ms;
    parked->group = group;
    const auto owner = static_cast<unsigned>((hash >> 32) % impl_->options.workers);
    if (owner == impl_->options.worker) {
        impl_->join(parked, hash, now);
        return true;
    }
    Message m;
    m.kind = MessageKind::ask;
    m.from = static_cast<std::uint8_t>(impl_->options.worker);
    m.token = hash;
    m.pointer = parked;
    return impl_->sink.send_to_worker(owner, m);
}

Verdict Forwarder::on_datagram(const IpAddress& from, std::uint16_t from_port,
                               std::uint16_t to_port, std::span<const std::uint8_t> dns,
                               Now now) noexcept {
    impl_->now_ms = now.ms;
    if (dns.size() < dns::kHeaderSize) return Verdict::drop_upstream_malformed;
    const std::uint32_t attempt = impl_->table.find_attempt(to_port, dns::load_be16(dns.data()));
    if (attempt == kNone) {
        impl_->note_stray(from, from_port, dns, now);
        return Verdict::drop_upstream_unknown;
    }
    const forward::Attempt& a = impl_->table.attempt(attempt);
    if (from != a.address || from_port != a.address_port) {
        impl_->note_stray(from, from_port, dns, now);
        return Verdict::drop_upstream_unknown;
    }
    const std::uint32_t outstanding = a.outstanding;
    switch (impl_->take_reply(attempt, dns, now)) {
        case Impl::Reply::distrusted:
            return Verdict::drop_upstream_malformed;
        case Impl::Reply::malformed:
        case Impl::Reply::forged:
            if (outstanding != kNone) impl_->near_miss(outstanding, now);
            return Verdict::drop_upstream_malformed;
        case Impl::Reply::other_case:
            return Verdict::drop_upstream_malformed;
        case Impl::Reply::no_buffer:
            return Verdict::drop_no_buffer;
        case Impl::Reply::used:
            break;
    }
    return Verdict::upstream_reply;
}

void Forwarder::Impl::note_stray(const IpAddress& from, std::uint16_t from_port,
                                 std::span<const std::uint8_t> dns, Now now) noexcept {
    if ((dns::load_be16(&dns[2]) & dns::kQr) == 0 || dns::load_be16(&dns[4]) != 1) return;
    const auto question = dns.subspan(dns::kHeaderSize);
    const std::size_t length = dns::plain_name_length(question);
    if (length == 0 || length + dns::kTypeAndClass > question.size()) return;
    std::array<std::uint8_t, dns::kMaxName> room;
    dns::lower_case(question.data(), room.data(), length);
    const std::span<const std::uint8_t> name{room.data(), length};
    const std::uint16_t qtype = dns::load_be16(&question[length]);
    // Such a guess may be meant for each of them.
    std::array<std::uint32_t, kMaxVariants> queries;
    const unsigned found =
        table.find_requesting(name_key(name, qtype), name, qtype, from, from_port, queries);
    for (unsigned i = 0; i < found; ++i)
        near_miss(queries[i], now);
}

bool Forwarder::make_room(Now now) noexcept {
    impl_->now_ms = now.ms;
    return impl_->displace(false, now) || impl_->displace(true, now);
}

unsigned Forwarder::owner_of_port(std::uint16_t port) const noexcept {
    return impl_->ports.owner(port);
}

void Forwarder::on_message(const Message& m, Now now) noexcept {
    impl_->now_ms = now.ms;
    switch (m.kind) {
        case MessageKind::ask:
            impl_->join(static_cast<Parked*>(m.pointer), m.token, now);
            break;
        case MessageKind::reply:
            if (m.token != 0) [[unlikely]] {
                auto* const trail = reinterpret_cast<Buffer*>(m.token);
                impl_->sink.on_trail(*static_cast<const Parked*>(m.pointer), *trail);
                release(trail);
            }
            impl_->sink.answered(static_cast<Parked*>(m.pointer), static_cast<UpstreamResult>(m.b),
                                 m.buffer);
            break;
        case MessageKind::upstream_reply:
            impl_->on_kernel_reply(m, now);
            break;
        case MessageKind::none:
        case MessageKind::upstream_frame:
        case MessageKind::send_upstream:
        case MessageKind::insert:
        case MessageKind::query_frame:
        case MessageKind::send_frame:
        case MessageKind::inject:
        case MessageKind::answer:
        case MessageKind::upstream_query:
        case MessageKind::notify:
        case MessageKind::acknowledged:
            rte_panic("a message is not for the forwarder: kind %u\n",
                      static_cast<unsigned>(m.kind));
    }
}

void Forwarder::tick(Now now) noexcept {
    impl_->now_ms = now.ms;
    impl_->settle_tests(now);
    for (unsigned n = 0; n < kTimersPerTick; ++n) {
        const std::uint32_t outstanding = impl_->timers.pop_due(now.ms);
        if (outstanding == kNone) break;
        impl_->on_timer(outstanding, now);
    }
    impl_->end_left_over_attempts(now);
    impl_->hand_out_what_is_left();
}

std::uint64_t Forwarder::next_deadline_ms() const noexcept {
    if (impl_->left_first != kNone || !impl_->turned_away.empty() || !impl_->displaced.empty() ||
        !impl_->over_quota.empty() || !impl_->looped.empty())
        return impl_->now_ms + 1;
    return std::min(impl_->timers.next_ms(), impl_->tests.next_ms());
}

void Forwarder::set_next_hops(const NextHopTable* table) noexcept {
    impl_->hops = table;
}
unsigned Forwarder::in_flight() const noexcept {
    return impl_->table.count();
}
void Forwarder::probed(std::uint16_t upstream, const ProbeFindings& findings) noexcept {
    impl_->choice.probed(upstream, findings);
}
const UpstreamHealth& Forwarder::health(std::uint16_t upstream) const noexcept {
    return impl_->choice.health(upstream);
}

}  // namespace steer
