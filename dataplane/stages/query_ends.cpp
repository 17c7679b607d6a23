#include "dataplane/stages/query_ends.h"

#include <rte_cycles.h>
#include <rte_memcpy.h>

#include <algorithm>
#include <cstring>

#include "dataplane/dns/answer.h"

namespace steer {
namespace {

LatencyPath latency_path(AnswerPath path) noexcept {
    switch (path) {
        case AnswerPath::packet_cache:
        case AnswerPath::cache:
            return LatencyPath::cache;
        case AnswerPath::stale:
            return LatencyPath::stale;
        case AnswerPath::forwarded:
            return LatencyPath::forwarded;
        case AnswerPath::local:
        case AnswerPath::error:
        case AnswerPath::count_:
            break;
    }
    return LatencyPath::local;
}

std::uint64_t waited_us(const Parked& p, Now now) noexcept {
    const std::uint64_t received_us = p.started_us();
    return now.micros() > received_us ? now.micros() - received_us : 0;
}

bool was_held(const Parked& p) noexcept {
    return p.state == Parked::State::held || p.state == Parked::State::waits_ring;
}

// `kept` and `upstream` are up to date when an answer leaves.
AnswerPath path_of(const Parked& p) noexcept {
    if (p.kept.stale_ttl_s != KeptResponse{}.stale_ttl_s) return AnswerPath::stale;
    if (p.upstream != Parked::kNotAsked) return AnswerPath::forwarded;
    return p.kept.kept_in != KeptResponse{}.kept_in ? AnswerPath::cache : AnswerPath::local;
}

std::uint32_t limited(std::uint64_t number) noexcept {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX));
}

// All that a record has of a client; MAC and VLAN would need a third cell.
void set_client(QueryRecord& head, const ClientFacts& client) noexcept {
    head.client = client.address;
    head.client_port = client.port;
    head.transport = client.transport;
    head.entry = client.entry;
}

bool is_from_cache(AnswerPath path) noexcept {
    return path == AnswerPath::packet_cache || path == AnswerPath::cache;
}

}  // namespace

QueryEnds::QueryEnds(unsigned worker, const Shared& shared, RecordRing* ring, Counters& counters)
    : shared_(shared),
      ring_(ring),
      counters_(counters),
      worker_(static_cast<std::uint8_t>(worker)),
      ns_per_cycle_(1e9 / static_cast<double>(rte_get_tsc_hz())),
      query_(std::make_unique<KeptQuery>()) {}

void QueryEnds::begin_turn(Now now, const Snapshot* snapshot) noexcept {
    now_ = now;
    snapshot_ = snapshot;
    begun_tsc_ = rte_rdtsc();
    one_in_ = ring_ == nullptr ? 0 : shared_.record_one_in.load(std::memory_order_relaxed);
    if (one_in_ == 0) {
        until_due_ = UINT32_MAX;
        return;
    }
    if (until_due_ > one_in_) until_due_ = 1;
    query_bytes_ = shared_.record_query_bytes.load(std::memory_order_relaxed);
    response_bytes_ = shared_.record_response_bytes.load(std::memory_order_relaxed);
}

std::uint64_t QueryEnds::turn_ns() const noexcept {
    return static_cast<std::uint64_t>(static_cast<double>(rte_rdtsc() - begun_tsc_) *
                                      ns_per_cycle_);
}

void QueryEnds::end_turn(bool busy) noexcept {
    if (ring_ != nullptr) ring_->publish();
    if (!busy) {
        if (unfolded_ > 0) fold();
        return;
    }
    const std::uint64_t cycles = rte_rdtsc() - begun_tsc_;
    totals_.busy_cycles.add(cycles);
    const auto us = static_cast<std::uint64_t>(static_cast<double>(cycles) * ns_per_cycle_) / 1000;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
        if (paths_[i] == 0) continue;
        totals_.of(latency_path(static_cast<AnswerPath>(i))).add(us, paths_[i]);
        paths_[i] = 0;
    }
    if (++unfolded_ == kTurns) fold();
}

void QueryEnds::fold() noexcept {
    unfolded_ = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
        if (ends_[i] == 0) continue;
        totals_.ends[i].add(ends_[i]);
        ends_[i] = 0;
    }
    for (std::size_t i = 0; i < hits_.size(); ++i) {
        if (hits_[i] == 0) continue;
        counters_.caches[i].hits.add(hits_[i]);
        hits_[i] = 0;
    }
}

void QueryEnds::answered(const Parked& p, std::uint8_t rcode) noexcept {
    totals_.ends[dns::type_row_of(dns::counted_as(p.qtype)) + std::size_t{rcode}].add();
    totals_.of(was_held(p) ? LatencyPath::held : latency_path(path_of(p))).add(waited_us(p, now_));
    count_decision(*p.snapshot, p.program);
}

[[gnu::noinline]] void QueryEnds::count_decided(const Snapshot& snapshot,
                                                const ProgramState& state) noexcept {
    const PolicyDecision decision = decision_of(snapshot, state);
    if (decision == PolicyDecision::blocked) counters_.add(Stat::queries_blocked);
    if (decision == PolicyDecision::allowed) counters_.add(Stat::queries_allowed);
    if (decision == PolicyDecision::rewritten) counters_.add(Stat::queries_rewritten);
    if (decision == PolicyDecision::rejected) counters_.add(Stat::queries_rejected);
}

// ---- records

void QueryEnds::keep_query(const Packet& p) noexcept {
    const std::size_t question_end = p.query.question_end;
    if (question_is_in(question_end, question_end)) return;  // any reply has it
    kept_ = p.dns_length;
    std::memcpy(query_->data(), p.dns, kept_);
}

void QueryEnds::fill(QueryRecord& head, EndRow end, AnswerPath path, const SentReply& reply,
                     std::uint64_t since_ns) const noexcept {
    head.end = end;
    head.path = path;
    head.worker = worker_;
    head.ended_ns = now_.micros() * 1000 + since_ns;
    head.stands_for = one_in_;
    head.response_length = static_cast<std::uint16_t>(reply.message.size());
    head.rcode = reply.rcode;
    head.ede = reply.ede ? static_cast<std::uint16_t>(*reply.ede) : QueryRecord::kNone;
    head.decided_at = ProgramState::kNowhere;
    head.part = ProgramState::kNoPart;
    head.decision = path != AnswerPath::error                ? PolicyDecision::forwarded
                    : end == row_of(Verdict::refused_client) ? PolicyDecision::refused
                                                             : PolicyDecision::error;
}

void QueryEnds::fill_state(QueryRecord& head, const Snapshot& snapshot,
                           const ProgramState& state) noexcept {
    head.tag_set = state.tag_set;
    head.set_marks(state.marks);
    const bool is_claimed = head.path != AnswerPath::error;
    head.list_count = is_claimed ? std::min<std::uint8_t>(state.list_count, QueryRecord::kMaxLists)
                                 : std::uint8_t{0};
    for (unsigned i = 0; i < head.list_count; ++i)
        head.lists[i] = snapshot.lists[state.lists[i]].id_for(head.client);
    if (head.path == AnswerPath::error && !state.dropped) return;
    head.decision = decision_of(snapshot, state);
    head.decided_at = decided_at(state);
    if (head.decided_at == ProgramState::kNowhere) return;
    head.part = state.part;
    head.serial = serial_of(snapshot, head.decided_at, head.part);
}

void QueryEnds::fill_plain_hit(QueryRecord& head, const cache::Entry& hit) const noexcept {
    head.cache = hit.instance;
    head.tag_set = static_cast<std::uint32_t>(hit.tags.load(std::memory_order_relaxed));
    head.list_count = hit.list_count;
    std::copy_n(hit.lists.begin(), head.list_count, head.lists.begin());
    const bool is_allowed = plan_ != nullptr && plan_->is_allowed;
    if (plan_ != nullptr) {
        head.set_marks(plan_->hit_marks);
        head.decided_at = plan_->passed_by;
        for (unsigned l = 0; l < plan_->hit_list_count; ++l) {
            const ListId id = snapshot_->lists[plan_->hit_lists[l]].id_for(head.client);
            const auto end = head.lists.begin() + head.list_count;
            if (std::find(head.lists.begin(), end, id) == end &&
                head.list_count < QueryRecord::kMaxLists)
                head.lists[head.list_count++] = id;
        }
    }
    head.decision = decision_of_passed(is_allowed, false, head.list_count != 0);
}

QueryRecord* QueryEnds::record(const Packet& p, bool moved, EndRow end, const AnswerSource& source,
                               const SentReply& reply) noexcept {
    QueryRecord head{};
    const std::uint64_t since_ns = turn_ns();
    fill(head, end, source.path, reply, since_ns);
    head.duration_us = limited(since_ns / 1000);
    head.generation = snapshot_ != nullptr ? snapshot_->generation : 0;
    set_client(head, p.client);
    head.local = p.destination;
    head.local_port = p.destination_port;
    head.upstream = QueryRecord::kNone;
    head.cache = source.cache;
    if (p.injected != nullptr) {
        head.how = QueryRecord::kInjected;
    } else if (moved) {
        head.how = QueryRecord::kMoved;
    }
    const bool is_kept = kept_ > 0;
    const std::span<const std::uint8_t> query{is_kept ? query_->data() : p.dns,
                                              is_kept ? std::exchange(kept_, 0) : p.dns_length};
    head.query_length = static_cast<std::uint16_t>(query.size());
    if (p.query.question_end != 0) {
        head.flags = p.query.flags;  // the message may be the reply by now
        head.qname_len = p.query.qname_len;
        head.qtype = p.query.qtype;
        head.qclass = p.query.qclass;
        head.udp_size = p.query.edns.present ? p.query.edns.udp_size : std::uint16_t{0};
    } else if (query.size() >= dns::kHeaderSize) {
        head.flags = dns::load_be16(&query[2]);
    }
    const ProgramState* const state = source.state != nullptr ? source.state : state_;
    if (state != nullptr) {
        fill_state(head, *snapshot_, *state);
    } else if (p.found != nullptr && is_from_cache(source.path)) {
        fill_plain_hit(head, *p.found);
    }
    return write(head, query, p.query.question_end, reply.message);
}

QueryRecord* QueryEnds::record(const Parked& p, EndRow end, const SentReply& reply) noexcept {
    QueryRecord head{};
    const bool is_answered = reply.rcode != QueryRecord::kNone;
    fill(head, end, is_answered ? path_of(p) : AnswerPath::error, reply, turn_ns());
    head.duration_us = limited(waited_us(p, now_));
    head.generation = p.snapshot->generation;
    set_client(head, p.path.client);
    head.how = QueryRecord::kParked;
    if (p.path.kind == ReturnPath::Kind::stream) {
        head.how |= QueryRecord::kInjected;
    } else if (p.path.worker != worker_) {
        head.how |= QueryRecord::kMoved;
    }
    if (was_held(p)) head.how |= QueryRecord::kHeld;
    head.local = p.path.local;
    head.local_port = p.path.local_port;
    head.upstream = p.upstream;
    if (head.upstream == Parked::kAsked) head.upstream = QueryRecord::kNone;
    head.cache = p.kept.kept_in;
    head.flags = p.flags;
    head.qname_len = p.qname_len;
    head.qtype = p.qtype;
    head.qclass = p.qclass;
    head.udp_size = p.edns.present ? p.edns.udp_size : std::uint16_t{0};
    fill_state(head, *p.snapshot, p.program);
    const std::span<const std::uint8_t> query{query_->data(), write_query(p)};
    head.query_length = static_cast<std::uint16_t>(query.size());
    return write(head, query, dns::kHeaderSize + p.qname_len + 4U, reply.message);
}

// As the client sent it, except for options that are not kept.
std::size_t QueryEnds::write_query(const Parked& p) noexcept {
    const std::span<const std::uint8_t> qname{p.qname.data(), p.qname_len};
    const std::span<const std::uint8_t> ecs{p.qname.data() + p.qname_len, p.edns.ecs_len};
    std::uint8_t* const message = query_->data();
    const std::size_t n = dns::write_query(*query_, p.id, qname, p.qtype, p.qclass, false, false,
                                           p.edns.present, p.edns.dnssec_ok, ecs);
    dns::store_be16(message + 2, p.flags);
    constexpr std::size_t kToSize = 3;  // the OPT's name and type
    if (p.edns.present) {
        dns::store_be16(message + dns::kHeaderSize + p.qname_len + 4 + kToSize, p.edns.udp_size);
    }
    return n;
}

QueryRecord* QueryEnds::write(QueryRecord& head, std::span<const std::uint8_t> query,
                              std::size_t question_end,
                              std::span<const std::uint8_t> response) noexcept {
    if (question_is_in(response.size(), question_end)) {
        query = {};
    } else {
        const std::size_t least = question_end != 0 ? question_end : kUnreadable;
        query = query.first(std::min(query.size(), std::max<std::size_t>(least, query_bytes_)));
    }
    response = response.first(std::min<std::size_t>(response.size(), response_bytes_));
    head.query_bytes = static_cast<std::uint16_t>(query.size());
    head.response_bytes = static_cast<std::uint16_t>(response.size());
    head.lost = lost_;
    const unsigned cells = CellRing::cells_for(sizeof head + query.size() + response.size());
    auto* const place = static_cast<std::uint8_t*>(ring_->reserve(cells));
    if (place == nullptr) {
        ++lost_;
        counters_.add(Stat::records_lost);
        return nullptr;
    }
    lost_ = 0;
    counters_.add(Stat::records_written);
    head.cells = static_cast<std::uint16_t>(cells);
    std::memcpy(place, &head, sizeof head);
    // In line: calls of the C library would read more pages of code, which are cold.
    std::uint8_t* const behind = place + sizeof head;
    if (!query.empty()) rte_memcpy(behind, query.data(), query.size());
    if (!response.empty()) rte_memcpy(behind + query.size(), response.data(), response.size());
    return reinterpret_cast<QueryRecord*>(place);
}

}  // namespace steer
