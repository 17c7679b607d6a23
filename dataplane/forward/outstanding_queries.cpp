#include "dataplane/forward/outstanding_queries.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "dataplane/dns/options.h"
#include "dataplane/policy/question.h"

namespace steer::forward {
namespace {

constexpr unsigned kAttemptsPerQuery = 2;

// Spreads the bits of `x` (the finalizer of SplitMix64).
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

std::uint32_t hash_of(std::uint16_t port, std::uint16_t id) {
    return static_cast<std::uint32_t>(mix((std::uint64_t{port} << 16) | id));
}

// Hash of the properties that make groups of different generations equal.
std::uint64_t digest(const Snapshot& snapshot, const UpstreamGroup& group) {
    std::uint64_t d = group.concurrent + (static_cast<std::uint64_t>(group.selection) << 8);
    for (const std::uint16_t i : group.members)
        d = d * 0x9e3779b97f4a7c15 + snapshot.upstreams[i].id + 1;
    return d;
}

bool same_upstreams(const Snapshot& a, std::uint16_t group_a, const Snapshot& b,
                    std::uint16_t group_b) {
    if (&a == &b && group_a == group_b) return true;
    const UpstreamGroup& x = a.groups[group_a];
    const UpstreamGroup& y = b.groups[group_b];
    const auto same = [&](std::uint16_t i, std::uint16_t j) {
        const Upstream& u = a.upstreams[i];
        const Upstream& v = b.upstreams[j];
        return u.id == v.id && u.port == v.port && u.address == v.address &&
               u.trust_ad == v.trust_ad && u.cookies == v.cookies;
    };
    return x.concurrent == y.concurrent && x.selection == y.selection &&
           std::equal(x.members.begin(), x.members.end(), y.members.begin(), y.members.end(), same);
}

std::vector<std::uint32_t> all_of(std::size_t n) {
    std::vector<std::uint32_t> list(n);
    std::iota(list.rbegin(), list.rend(), 0U);
    return list;
}

std::uint32_t take(std::vector<std::uint32_t>& list) {
    if (list.empty()) return kNone;
    const std::uint32_t i = list.back();
    list.pop_back();
    return i;
}

}  // namespace

void Waiters::push(Parked* parked) noexcept {
    parked->next_waiter = nullptr;
    if (last_ == nullptr) {
        first_ = parked;
    } else {
        last_->next_waiter = parked;
    }
    last_ = parked;
    ++count_;
}

Parked* Waiters::pop() noexcept {
    Parked* const parked = first_;
    if (parked == nullptr) return nullptr;
    first_ = parked->next_waiter;
    if (first_ == nullptr) last_ = nullptr;
    parked->next_waiter = nullptr;
    --count_;
    return parked;
}

void Waiters::append(Waiters& other) noexcept {
    if (other.first_ == nullptr) return;
    (last_ == nullptr ? first_ : last_->next_waiter) = other.first_;
    last_ = other.last_;
    count_ += other.count_;
    other = Waiters{};
}

std::span<const std::uint8_t> OutstandingQuery::name_as_sent(
    std::array<std::uint8_t, 256>& room) const noexcept {
    for (unsigned i = 0; i < qname_len; ++i) {
        const std::uint8_t c = qname[i];
        const bool capital = c >= 'a' && c <= 'z' && ((case_bits[i / 64] >> (i % 64)) & 1) != 0;
        room[i] = capital ? static_cast<std::uint8_t>(c - 'a' + 'A') : c;
    }
    return {room.data(), qname_len};
}

Question::Question(const Parked& parked, std::uint64_t name_hash) noexcept
    : snapshot(parked.snapshot),
      group(parked.group),
      qtype(parked.qtype),
      qclass(parked.qclass),
      dnssec_ok(parked.edns.present && parked.edns.dnssec_ok),
      checking_disabled((parked.flags & dns::kCd) != 0),
      qname_len(parked.qname_len),
      ecs_len(parked.ecs_asked) {
    dns::lower_case(parked.qname.data(), qname.data(), qname_len);
    std::copy_n(parked.qname.begin() + qname_len, ecs_len, qname.begin() + qname_len);
    if (parked.program.rewrites.count() > 0) rewrite(parked);
    const std::uint64_t kind = (std::uint64_t{qtype} << 32) | (std::uint64_t{qclass} << 16) |
                               (dnssec_ok ? 2U : 0U) | (checking_disabled ? 1U : 0U);
    std::uint64_t others = mix(kind + digest(*snapshot, snapshot->groups[group]));
    for (std::size_t i = qname_len; i < length(); ++i)
        others = mix(others + qname[i]);
    hash = static_cast<std::uint32_t>(mix(name_hash ^ others));
}

void Question::rewrite(const Parked& parked) noexcept {
    dns::Query q;
    q.qname_len = qname_len;
    q.edns.ecs_len = parked.edns.ecs_len;
    std::copy_n(qname.begin(), qname_len, q.qname.begin());
    std::copy_n(parked.qname.begin() + qname_len, q.edns.ecs_len, q.qname.begin() + qname_len);
    const Rewrites& rewrites = parked.program.rewrites;
    steer::rewrite(*snapshot, rewrites, rewrites.count(), parked.path.client.address, q);
    const bool is_disclosed = q.ecs_from != dns::EcsFrom::client || parked.ecs_asked != 0;
    qname_len = q.qname_len;
    ecs_len = is_disclosed ? q.edns.ecs_len : std::uint8_t{0};
    std::copy_n(q.qname.begin(), length(), qname.begin());
    if (parked.options_len > 0 && rewrites.options() != 0) add_options(parked);
}

void Question::add_options(const Parked& parked) noexcept {
    const std::uint8_t bits = parked.program.rewrites.options();
    const std::span<const std::uint8_t> all{
        parked.qname.data() + parked.qname_len + parked.edns.ecs_len, parked.options_len};
    const auto picked =
        dns::pick_options(all, std::span(qname).first(UINT8_MAX).subspan(length()),
                          [&](std::uint16_t code) { return snapshot->passes_option(bits, code); });
    options_len = static_cast<std::uint8_t>(picked.length);
    options_too_long = picked.too_long;
}

OutstandingQueries::OutstandingQueries(unsigned max_outstanding)
    : queries_(max_outstanding),
      attempts_(std::size_t{max_outstanding} * kAttemptsPerQuery),
      free_(all_of(queries_.size())),
      free_attempts_(all_of(attempts_.size())),
      by_question_(max_outstanding),
      by_name_(max_outstanding),
      by_port_and_id_(static_cast<unsigned>(attempts_.size())) {}

std::uint32_t OutstandingQueries::find(const Question& q) const noexcept {
    return by_question_.find(q.hash, [&](std::uint32_t i) {
        const OutstandingQuery& f = queries_[i];
        return f.qtype == q.qtype && f.qclass == q.qclass && f.dnssec_ok == q.dnssec_ok &&
               f.checking_disabled == q.checking_disabled && f.qname_len == q.qname_len &&
               f.ecs_len == q.ecs_len && f.options_len == q.options_len &&
               std::equal(q.qname.begin(), q.qname.begin() + q.length(), f.qname.begin()) &&
               same_upstreams(*f.snapshot, f.group, *q.snapshot, q.group);
    });
}

unsigned OutstandingQueries::find_requesting(std::uint32_t name_key,
                                             std::span<const std::uint8_t> name,
                                             std::uint16_t qtype, const IpAddress& server,
                                             std::uint16_t server_port,
                                             std::span<std::uint32_t> out) const noexcept {
    unsigned found = 0;
    (void)by_name_.find(name_key, [&](std::uint32_t i) {
        const OutstandingQuery& f = queries_[i];
        if (f.qtype != qtype || !std::ranges::equal(name, f.name())) return false;
        for (std::uint32_t a = f.attempts; a != kNone; a = attempts_[a].next) {
            if (attempts_[a].port != 0 && attempts_[a].address == server &&
                attempts_[a].address_port == server_port) {
                out[found++] = i;
                break;
            }
        }
        return found == out.size();
    });
    return found;
}

unsigned OutstandingQueries::variants(std::uint32_t outstanding, unsigned most) const noexcept {
    const OutstandingQuery& one = queries_[outstanding];
    unsigned found = 0;
    (void)by_name_.find(one.name_key, [&](std::uint32_t i) {
        const OutstandingQuery& f = queries_[i];
        if (f.qtype == one.qtype && !f.over_tcp && std::ranges::equal(f.name(), one.name()))
            ++found;
        return found == most;
    });
    return found;
}

void OutstandingQueries::append_to_ages(std::uint32_t outstanding) noexcept {
    OutstandingQuery& f = queries_[outstanding];
    f.is_first_half = ages_[1].count < queries_.size() / 2;
    Ages& ages = ages_[f.is_first_half ? 1 : 0];
    f.older = ages.newest;
    (ages.newest == kNone ? ages.oldest : queries_[ages.newest].newer) = outstanding;
    ages.newest = outstanding;
    ++ages.count;
}

void OutstandingQueries::remove_from_ages(std::uint32_t outstanding) noexcept {
    const OutstandingQuery& f = queries_[outstanding];
    Ages& ages = ages_[f.is_first_half ? 1 : 0];
    (f.older == kNone ? ages.oldest : queries_[f.older].newer) = f.newer;
    (f.newer == kNone ? ages.newest : queries_[f.newer].older) = f.older;
    --ages.count;
}

std::uint32_t OutstandingQueries::open(const Question& q, std::uint32_t name_key,
                                       std::uint64_t now_ms) noexcept {
    const std::uint32_t i = open_delivering();
    if (i == kNone) return kNone;
    OutstandingQuery& f = queries_[i];
    f.state = OutstandingQuery::State::requesting;
    f.snapshot = q.snapshot;
    f.group = q.group;
    f.qtype = q.qtype;
    f.qclass = q.qclass;
    f.dnssec_ok = q.dnssec_ok;
    f.checking_disabled = q.checking_disabled;
    f.qname_len = q.qname_len;
    f.ecs_len = q.ecs_len;
    f.options_len = q.options_len;
    std::copy_n(q.qname.begin(), q.length(), f.qname.begin());
    f.hash = q.hash;
    f.name_key = name_key;
    f.started_ms = now_ms;
    by_question_.insert(f.hash, i);
    by_name_.insert(f.name_key, i);
    append_to_ages(i);
    return i;
}

std::uint32_t OutstandingQueries::open_delivering() noexcept {
    const std::uint32_t i = take(free_);
    if (i == kNone) return kNone;
    queries_[i] = OutstandingQuery{};
    queries_[i].state = OutstandingQuery::State::delivering;
    return i;
}

void OutstandingQueries::stop_requesting(std::uint32_t outstanding) noexcept {
    leave_attempts(outstanding);
    by_question_.erase(queries_[outstanding].hash, outstanding);
    by_name_.erase(queries_[outstanding].name_key, outstanding);
    remove_from_ages(outstanding);
    queries_[outstanding].state = OutstandingQuery::State::delivering;
}

void OutstandingQueries::close(std::uint32_t outstanding) noexcept {
    queries_[outstanding].state = OutstandingQuery::State::free;
    free_.push_back(outstanding);
}

std::uint32_t OutstandingQueries::open_attempt(std::uint32_t outstanding, std::uint16_t port,
                                               std::uint16_t id, std::uint16_t test) noexcept {
    // Each new query gets its first attempt, so retries of others leave one for each free record.
    const bool is_first = test == 0 && queries_[outstanding].attempts == kNone;
    if (!is_first && free_attempts_.size() <= free_.size()) return kNone;
    const std::uint32_t i = take(free_attempts_);
    if (i == kNone) return kNone;
    const std::uint32_t serial = attempts_[i].serial + 1;
    attempts_[i] = Attempt{};
    Attempt& a = attempts_[i];
    a.serial = serial;
    a.outstanding = outstanding;
    a.port = port;
    a.id = id;
    a.test = test;
    if (test == 0) a.next = std::exchange(queries_[outstanding].attempts, i);
    if (port != 0) by_port_and_id_.insert(hash_of(port, id), i);
    return i;
}

void OutstandingQueries::close_attempt(std::uint32_t attempt) noexcept {
    Attempt& a = attempts_[attempt];
    if (a.test == 0) {
        std::uint32_t* at = a.outstanding == kNone ? &left_ : &queries_[a.outstanding].attempts;
        while (*at != attempt)
            at = &attempts_[*at].next;
        *at = a.next;
    }
    if (a.port != 0) by_port_and_id_.erase(hash_of(a.port, a.id), attempt);
    a.outstanding = kNone;
    a.measures = false;
    a.test = 0;
    free_attempts_.push_back(attempt);
}

void OutstandingQueries::leave_attempts(std::uint32_t outstanding) noexcept {
    while (queries_[outstanding].attempts != kNone) {
        const std::uint32_t i = queries_[outstanding].attempts;
        Attempt& a = attempts_[i];
        if (!a.measures) {
            close_attempt(i);
            continue;
        }
        queries_[outstanding].attempts = a.next;
        a.outstanding = kNone;
        a.next = left_;
        left_ = i;
    }
}

std::uint32_t OutstandingQueries::find_left_over(std::uint64_t now_ms) const noexcept {
    std::uint32_t i = left_;
    while (i != kNone && attempts_[i].deadline_ms > now_ms)
        i = attempts_[i].next;
    return i;
}

std::uint32_t OutstandingQueries::find_attempt(std::uint16_t port,
                                               std::uint16_t id) const noexcept {
    return by_port_and_id_.find(hash_of(port, id), [&](std::uint32_t i) {
        return attempts_[i].port == port && attempts_[i].id == id;
    });
}

std::uint64_t OutstandingQueries::token(std::uint32_t attempt) const noexcept {
    return (std::uint64_t{attempts_[attempt].serial} << 32) | attempt;
}

std::uint32_t OutstandingQueries::find_token(std::uint64_t token) const noexcept {
    const auto i = static_cast<std::uint32_t>(token);
    if (i >= attempts_.size()) return kNone;
    const Attempt& a = attempts_[i];
    const bool is_open = a.outstanding != kNone || a.measures || a.test != 0;
    return is_open && a.port == 0 && a.serial == token >> 32 ? i : kNone;
}

}  // namespace steer::forward
