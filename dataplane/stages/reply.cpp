#include "dataplane/stages/reply.h"

#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/frame_walk.h"
#include "dataplane/stages/frame.h"
#include "dataplane/stages/tracer.h"

namespace steer {
namespace {

constexpr std::size_t kOptRoom = 96;  // an OPT with an extended error, a client subnet and a cookie

std::size_t bytes_needed(const dns::Query& q, const dns::Answer& a, const dns::ReplyExtras* extras,
                         std::uint16_t max_size) {
    const std::size_t passed_on =
        extras != nullptr ? extras->options.size() + extras->ede_text.size() : 0;
    return std::min<std::size_t>(q.question_end + a.body_len + kOptRoom + passed_on,
                                 std::max(max_size, dns::kClassicUdpSize));
}

PendingOutcome truncated_end(PendingOutcome end) {
    return end == PendingOutcome::answered ? PendingOutcome::answered_truncated : end;
}

}  // namespace

Injected injected_for(Verdict v) noexcept {
    const Injected end = kInjectedByVerdict[static_cast<std::size_t>(v)];
    if (end == Injected::count_)
        rte_panic("an injected query has verdict %u\n", static_cast<unsigned>(v));
    return end;
}

Moved moved_for(Verdict v) noexcept {
    const Moved end = kMovedByVerdict[static_cast<std::size_t>(v)];
    if (end == Moved::count_) rte_panic("a moved query has verdict %u\n", static_cast<unsigned>(v));
    return end;
}

Replier::Replier(unsigned worker, std::span<Port* const> ports,
                 const std::vector<Shared::PortOwner>& owners, const WorkerRings& rings,
                 BufferPools& buffers, Transmit& transmit, Tracer& tracer, QueryEnds& query_ends,
                 Cookies& cookies, Counters& counters)
    : ports_(ports),
      owners_(owners),
      rings_(rings),
      buffers_(buffers),
      transmit_(transmit),
      tracer_(tracer),
      query_ends_(query_ends),
      cookies_(cookies),
      counters_(counters),
      worker_(static_cast<std::uint8_t>(worker)) {}

void Replier::count(const Packet& p, Verdict v) noexcept {
    if (p.injected != nullptr) {
        counters_.add(injected_for(v));
    } else if (is_moved(p)) {
        counters_.add(moved_for(v));
    } else {
        counters_.add(v);
    }
}

void Replier::free_query(Packet& p) noexcept {
    if (p.mbuf != nullptr) rte_pktmbuf_free(p.mbuf);
    if (p.injected != nullptr) release(p.injected);
    p.mbuf = nullptr;
    p.injected = nullptr;
}

QueryRecord* Replier::record(const Packet& p, Verdict v, const AnswerSource& source,
                             const SentReply& reply) noexcept {
    QueryRecord* const written = query_ends_.record(p, is_moved(p), row_of(v), source, reply);
    if (written != nullptr) written->trace_id = tracer_.id_of(p);
    return written;
}

QueryRecord* Replier::record(const Parked& p, PendingOutcome end, const SentReply& reply) noexcept {
    QueryRecord* const written = query_ends_.record(p, row_of(end), reply);
    if (written != nullptr) written->trace_id = tracer_.id_of(p);
    return written;
}

void Replier::end_without_answer(Packet& p, Verdict v) noexcept {
    p.end = v;
    count(p, v);
    query_ends_.dropped(p.query);
    if (query_ends_.is_due()) record(p, v, {AnswerPath::error}, {});
}

void Replier::drop(Packet& p, Verdict v) noexcept {
    end_without_answer(p, v);
    if (v == Verdict::drop_no_buffer || v == Verdict::drop_ring_full) {
        counters_.saw(v == Verdict::drop_no_buffer ? Overload::no_buffer : Overload::ring_full,
                      p.client.address, p.query.name());
    }
    if (p.injected != nullptr) (void)to_stream(p.stream, p.stream_token, nullptr);
    free_query(p);
}

void Replier::pass_notify(Packet& p) noexcept {
    const std::uint64_t second = rte_rdtsc() / rte_get_tsc_hz();
    if (std::exchange(notify_second_, second) != second) notifies_ = 0;
    if (++notifies_ > kMostNotifies) return drop(p, Verdict::drop_notify_rate);
    Ring<Message>* const ring = rings_.to_stream.front();
    Buffer* const out =
        ring == nullptr ? nullptr : buffers_.take(sizeof(InjectedQuery) + p.dns_length);
    if (out == nullptr) return drop(p, Verdict::drop_no_buffer);
    InjectedQuery header{};
    header.client = p.client.address;
    header.client_port = p.client.port;
    header.local = p.destination;
    header.local_port = p.destination_port;
    header.transport = ClientTransport::udp;
    header.length = p.dns_length;
    std::memcpy(out->data(), &header, sizeof header);
    std::memcpy(out->data() + sizeof header, p.dns, p.dns_length);
    out->length = static_cast<std::uint32_t>(sizeof header + p.dns_length);
    const Message m{.kind = MessageKind::notify, .from = worker_, .buffer = out};
    if (!ring->push(m)) {
        release(out);
        return drop(p, Verdict::drop_ring_full);
    }
    end_without_answer(p, Verdict::notify_passed);
    free_query(p);
}

void Replier::park(Packet& p, Verdict v) noexcept {
    count(p, v);
    free_query(p);
}

void Replier::remember_path(const Packet& p, ReturnPath& path) const noexcept {
    path.client = p.client;
    path.local = p.destination;
    path.local_port = p.destination_port;
    path.max_size = p.max_size;
    if (p.mbuf == nullptr) {
        path.kind = ReturnPath::Kind::stream;
        path.stream = p.stream;
        path.stream_token = p.stream_token;
        return;
    }
    path.kind = ReturnPath::Kind::port;
    path.port = p.port;
    path.worker = worker_;
    if (is_moved(p)) {
        path.worker = static_cast<std::uint8_t>(p.port - ports_.size());
        path.port = static_cast<std::uint8_t>(p.mbuf->port);
    }
    const std::uint8_t* const frame = rte_pktmbuf_mtod(p.mbuf, const std::uint8_t*);
    std::memcpy(path.local_mac.data(), frame, 6);
    read_link_facts(frame, p.l3_offset, path.client);
    path.tag_bytes = static_cast<std::uint8_t>(p.l3_offset - 14);
    std::memcpy(path.tags.data(), frame + 12, path.tag_bytes);
}

[[gnu::always_inline]] inline void Replier::send_turned(Packet& p, std::uint16_t frame,
                                                        Verdict v) noexcept {
    rte_mbuf* const m = p.mbuf;
    m->data_len = frame;
    m->pkt_len = frame;
    m->ol_flags = 0;
    p.mbuf = nullptr;
    if (routes_ != nullptr) [[unlikely]]
        return send_by_route(p, m, v);
    transmit_.put(p.port, m, v);
}

void Replier::send_in_place(Packet& p, std::size_t length, std::uint64_t sum, Verdict v) noexcept {
    send_turned(p,
                turn_around(rte_pktmbuf_mtod(p.mbuf, std::uint8_t*), p.l3_offset, p.is_v6,
                            static_cast<std::uint16_t>(length), sum),
                v);
}

// ---- `reply: route`

Replier::Outward Replier::outward(const IpAddress& client, std::uint8_t lane,
                                  int if_index) const noexcept {
    const NextHop* const hop = routes_->find(client);
    if (hop == nullptr || hop->via != NextHop::Via::port || hop->if_index == if_index)
        return {lane, hop};
    // A packet of another worker's port keeps its lane, so that its verdict stays in one table.
    if (lane < ports_.size()) {
        for (std::size_t i = 0; i < ports_.size(); ++i) {
            if (ports_[i]->if_index() == hop->if_index) return {static_cast<std::uint8_t>(i), hop};
        }
    }
    static constexpr NextHop kUnknown{};
    return {lane, &kUnknown};
}

Replier::Outward Replier::routed(const Packet& p) const noexcept {
    if (!is_moved(p)) return outward(p.client.address, p.port, ports_[p.port]->if_index());
    const auto owner =
        std::find_if(owners_.begin(), owners_.end(), [&](const Shared::PortOwner& o) {
            return o.worker == p.port - ports_.size() && o.index == p.mbuf->port;
        });
    return outward(p.client.address, p.port, owner->if_index);
}

void Replier::send_by_route(Packet& p, rte_mbuf* m, Verdict v) noexcept {
    p.mbuf = m;
    const Outward out = routed(p);
    p.mbuf = nullptr;
    apply(out, *m, p.l3_offset);
    transmit_.put(out.lane, m, v);
}

void Replier::apply(const Outward& out, rte_mbuf& m, std::uint8_t l3_offset) noexcept {
    if (out.hop == nullptr) return;
    if (out.hop->via != NextHop::Via::port) return counters_.add(Stat::replies_unrouted);
    write_link_layer(m, l3_offset, *out.hop);
    counters_.add(Stat::replies_routed);
}

Verdict Replier::answer(Packet& p, const dns::Answer& answer, const dns::ReplyOptions& options,
                        const AnswerSource& source) noexcept {
    if (source.state != nullptr) query_ends_.count_decision(*source.state);
    return is_plain(p) ? answer_plain(p, answer, options, source.path)
                       : answer_other(p, answer, options, source);
}

Verdict Replier::answer_other(Packet& p, const dns::Answer& answer,
                              const dns::ReplyOptions& options,
                              const AnswerSource& source) noexcept {
    return p.mbuf == nullptr ? answer_injected(p, answer, options, source)
                             : answer_recorded(p, answer, options, source);
}

// One function sends a cached answer, because calls would cost about 10 % of it.
[[gnu::flatten]] Verdict Replier::answer_plain(Packet& p, const dns::Answer& answer,
                                               const dns::ReplyOptions& options, AnswerPath path,
                                               const cache::Entry* hit) noexcept {
    QueryEnds& ends = query_ends_;  // a register: each store would make it read again
    ends.answered(p.query, answer.rcode, path);
    if (hit != nullptr) ends.hit(hit->instance);
    bool truncated = false;
    std::uint64_t sum = p.question_sum;
    const std::size_t n =
        dns::write_reply({p.dns, p.dns_room}, p.query, answer, options, truncated, &sum);
    const Verdict v = truncated ? Verdict::answered_truncated : Verdict::answered;
    send_in_place(p, n, sum, v);
    return v;
}

[[gnu::always_inline]] inline void Replier::count_ready(const ReadyReply& reply) noexcept {
    QueryEnds& ends = query_ends_;
    (void)ends.is_due();  // counts for sampling
    ends.answered(reply.end, AnswerPath::packet_cache);
    ends.hit(reply.cache);
}

[[gnu::always_inline]] inline void Replier::send_ready(Packet& p, const ReadyReply& reply,
                                                       std::size_t length) noexcept {
    send_turned(p,
                turn_around_by_change(rte_pktmbuf_mtod(p.mbuf, std::uint8_t*), p.l3_offset, p.is_v6,
                                      static_cast<std::uint16_t>(length), reply.change),
                Verdict::answered);
}

void Replier::answer_ready(Packet& p, const ReadyReply& reply, std::size_t question_end) noexcept {
    count_ready(reply);
    send_ready(p, reply, reply.write(p.dns, question_end));
}

// Its code is in one place, because it is cold: one query in many gets a record.
[[gnu::noinline, gnu::flatten]] void Replier::answer_ready_recorded(
    Packet& p, const ReadyReply& reply) noexcept {
    count_ready(reply);
    query_ends_.keep_query(p);
    const auto rcode = static_cast<std::uint16_t>(reply.end - p.query.type_row);
    const std::size_t n = reply.write(p.dns, p.query.question_end);
    transmit_.record_of_next(lane_of(p), record(p, Verdict::answered, {AnswerPath::packet_cache},
                                                {rcode, std::nullopt, {p.dns, n}}));
    send_ready(p, reply, n);
}

// As answer_plain(), and writes the query's record.
Verdict Replier::answer_recorded(Packet& p, const dns::Answer& answer,
                                 const dns::ReplyOptions& options,
                                 const AnswerSource& source) noexcept {
    query_ends_.answered(p.query, answer.rcode, source.path);
    query_ends_.keep_query(p);
    bool truncated = false;
    std::uint64_t sum = p.question_sum;
    const std::size_t n =
        dns::write_reply({p.dns, p.dns_room}, p.query, answer, options, truncated, &sum);
    const Verdict v = truncated ? Verdict::answered_truncated : Verdict::answered;
    transmit_.record_of_next(lane_of(p),
                             record(p, v, source, {answer.rcode, options.ede, {p.dns, n}}));
    send_in_place(p, n, sum, v);
    return v;
}

namespace {

// Writes the reply in `room`, which begins with the client's header and question. A truncated one never leaves over
// TCP, DoT or DoH, because the client has no way left to get the rest. Returns its length and response code.
struct StreamReply {
    std::size_t length;
    std::uint8_t rcode;
};
StreamReply write_stream_reply(std::span<std::uint8_t> room, const dns::Query& query,
                               const dns::Answer& answer, const dns::ReplyOptions& options,
                               bool& truncated) noexcept {
    const bool needs_all = options.max_size == dns::kMaxMessage;
    if (!needs_all || (answer.flags & dns::kTc) == 0) {
        const std::size_t length = dns::write_reply(room, query, answer, options, truncated);
        if (!needs_all || !truncated) return {length, answer.rcode};
    }
    truncated = false;
    return {dns::write_error_reply(room, query, dns::kServFail, dns::Ede::other), dns::kServFail};
}

}  // namespace

Verdict Replier::answer_injected(Packet& p, const dns::Answer& answer,
                                 const dns::ReplyOptions& options,
                                 const AnswerSource& source) noexcept {
    bool truncated = false;
    Buffer* const out =
        start_response(p.dns, {p.dns + dns::kHeaderSize, p.query.question_end - dns::kHeaderSize},
                       bytes_needed(p.query, answer, options.extras, p.max_size));
    if (out == nullptr) {
        drop(p, Verdict::drop_no_buffer);
        return Verdict::drop_no_buffer;
    }
    const StreamReply reply = write_stream_reply(out->room(), p.query, answer, options, truncated);
    out->length = static_cast<std::uint32_t>(reply.length);
    query_ends_.answered(p.query, reply.rcode, source.path);
    Verdict v = truncated ? Verdict::answered_truncated : Verdict::answered;
    QueryRecord* written = nullptr;
    if (query_ends_.is_due())
        written = record(p, v, source, {reply.rcode, options.ede, out->bytes()});
    const bool taken = to_stream(p.stream, p.stream_token, out);
    if (!taken) {
        v = Verdict::drop_ring_full;
        if (written != nullptr) written->end = row_of(v);
    }
    count(p, v);
    free_query(p);
    return v;
}

void Replier::answer_error(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede,
                           Verdict v) noexcept {
    answer_empty(p, rcode, ede, false, v);
}

void Replier::answer_truncated(Packet& p, Verdict v) noexcept {
    answer_empty(p, dns::kNoError, std::nullopt, true, v);
}

void Replier::answer_empty(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede,
                           bool truncated, Verdict v) noexcept {
    p.end = v;
    cookies_.complete(p);
    tracer_.refused(p, rcode, ede);
    if (p.mbuf == nullptr) return answer_empty_injected(p, rcode, ede, truncated, v);
    query_ends_.refused(p.query, rcode);
    const bool is_due = query_ends_.is_due();
    if (is_due) query_ends_.keep_query(p);
    const std::size_t n =
        dns::write_error_reply({p.dns, p.dns_room}, p.query, rcode, ede, truncated);
    if (is_due) {
        transmit_.record_of_next(lane_of(p),
                                 record(p, v, {AnswerPath::error}, {rcode, ede, {p.dns, n}}));
    }
    send_in_place(p, n, checksum_narrow(checksum_add(0, p.dns, n)), v);
}

void Replier::answer_empty_injected(Packet& p, std::uint16_t rcode, std::optional<dns::Ede> ede,
                                    bool truncated, Verdict v) noexcept {
    const std::size_t asked = std::max<std::size_t>(p.query.question_end, dns::kHeaderSize);
    Buffer* const out = start_response(p.dns, {p.dns + dns::kHeaderSize, asked - dns::kHeaderSize},
                                       asked + kOptRoom);
    if (out == nullptr) return drop(p, Verdict::drop_no_buffer);
    out->length = static_cast<std::uint32_t>(
        dns::write_error_reply(out->room(), p.query, rcode, ede, truncated));
    query_ends_.refused(p.query, rcode);
    QueryRecord* written = nullptr;
    if (query_ends_.is_due())
        written = record(p, v, {AnswerPath::error}, {rcode, ede, out->bytes()});
    const bool taken = to_stream(p.stream, p.stream_token, out);
    if (!taken && written != nullptr) written->end = EndRow::drop_ring_full;
    count(p, taken ? v : Verdict::drop_ring_full);
    free_query(p);
}

Buffer* Replier::start_response(const std::uint8_t* header, std::span<const std::uint8_t> question,
                                std::size_t bytes) noexcept {
    Buffer* const out = buffers_.take(static_cast<std::uint32_t>(bytes));
    if (out == nullptr) return nullptr;
    std::memcpy(out->data(), header, dns::kHeaderSize);
    std::memcpy(out->data() + dns::kHeaderSize, question.data(), question.size());
    return out;
}

bool Replier::to_stream(unsigned stream, std::uint64_t token, Buffer* response) noexcept {
    const Message m{
        .kind = MessageKind::answer, .from = worker_, .token = token, .buffer = response};
    Ring<Message>* const ring = rings_.to_stream[stream];
    if (ring == nullptr || !ring->push_quietly(m)) {
        release(response);
        return false;
    }
    streams_to_wake_ |= 1U << stream;
    return true;
}

void Replier::drop(const Parked& p, PendingOutcome end) noexcept {
    counters_.add(end);
    if (p.trace != 0) [[unlikely]]
        tracer_.ended(p, end);
    query_ends_.dropped(p);
    if (query_ends_.is_due()) record(p, end, {});
    if (p.path.kind == ReturnPath::Kind::stream)
        (void)to_stream(p.path.stream, p.path.stream_token, nullptr);
}

void Replier::answer(const Parked& p, const dns::Query& q, const dns::Answer& answer,
                     dns::ReplyOptions options, PendingOutcome end) noexcept {
    options.max_size = p.path.max_size;
    end = p.path.kind == ReturnPath::Kind::stream ? answer_by_stream(p, q, answer, options, end)
                                                  : answer_by_port(p, q, answer, options, end);
    if (p.trace != 0) [[unlikely]]
        tracer_.answered(p, answer, options, end);
}

namespace {

// Header and question of the response to a parked query, as the client sent them.
void write_question(std::uint8_t* message, const Parked& p) {
    dns::store_be16(message, p.id);
    std::memcpy(message + dns::kHeaderSize, p.qname.data(), p.qname_len);
    std::uint8_t* const after = message + dns::kHeaderSize + p.qname_len;
    dns::store_be16(after, p.qtype);
    dns::store_be16(after + 2, p.qclass);
}

}  // namespace

const Shared::PortOwner& Replier::owner_of(const ReturnPath& path) const noexcept {
    return *std::find_if(owners_.begin(), owners_.end(), [&](const Shared::PortOwner& o) {
        return o.worker == path.worker && o.index == path.port;
    });
}

rte_mempool* Replier::pool_of(const ReturnPath& path) const noexcept {
    return path.worker == worker_ ? ports_[path.port]->pool() : owner_of(path).port->pool();
}

PendingOutcome Replier::answer_by_port(const Parked& p, const dns::Query& q,
                                       const dns::Answer& answer, const dns::ReplyOptions& options,
                                       PendingOutcome end) noexcept {
    const ReturnPath& path = p.path;
    const FrameHeaders headers{.to_mac = path.client.mac,
                               .from_mac = path.local_mac,
                               .tags = {path.tags.data(), path.tag_bytes},
                               .to = path.client.address,
                               .from = path.local,
                               .to_port = path.client.port,
                               .from_port = path.local_port};
    rte_mbuf* const m = rte_pktmbuf_alloc(pool_of(path));
    const std::size_t needed =
        headers.size() + bytes_needed(q, answer, options.extras, options.max_size);
    if (m == nullptr || rte_pktmbuf_tailroom(m) < needed) {
        rte_pktmbuf_free(m);
        drop(p, PendingOutcome::drop_no_buffer);
        return PendingOutcome::drop_no_buffer;
    }
    std::uint8_t* const message = rte_pktmbuf_mtod(m, std::uint8_t*) + headers.size();
    write_question(message, p);
    bool truncated = false;
    const std::size_t room = rte_pktmbuf_tailroom(m) - headers.size();
    const auto length = static_cast<std::uint16_t>(
        dns::write_reply({message, room}, q, answer, options, truncated));
    write_headers(message, length, headers);
    m->data_len = static_cast<std::uint16_t>(headers.size() + length);
    m->pkt_len = m->data_len;
    m->port = path.port;
    auto lane = path.worker == worker_ ? path.port : transmit_.lane_of_worker(path.worker);
    if (routes_ != nullptr) [[unlikely]] {
        const Outward out = outward(path.client.address, lane, owner_of(path).if_index);
        lane = out.lane;
        apply(out, *m, static_cast<std::uint8_t>(dns::kEtherSize + path.tag_bytes));
    }
    if (truncated) end = truncated_end(end);
    query_ends_.answered(p, answer.rcode);
    if (query_ends_.is_due()) {
        transmit_.record_of_next(lane,
                                 record(p, end, {answer.rcode, options.ede, {message, length}}));
    }
    transmit_.put(lane, m, end);
    return end;
}

PendingOutcome Replier::answer_by_stream(const Parked& p, const dns::Query& q,
                                         const dns::Answer& answer,
                                         const dns::ReplyOptions& options,
                                         PendingOutcome end) noexcept {
    Buffer* const out = buffers_.take(
        static_cast<std::uint32_t>(bytes_needed(q, answer, options.extras, options.max_size)));
    if (out == nullptr) {
        drop(p, PendingOutcome::drop_no_buffer);
        return PendingOutcome::drop_no_buffer;
    }
    write_question(out->data(), p);
    bool truncated = false;
    const StreamReply reply = write_stream_reply(out->room(), q, answer, options, truncated);
    out->length = static_cast<std::uint32_t>(reply.length);
    if (truncated) end = truncated_end(end);
    query_ends_.answered(p, reply.rcode);
    QueryRecord* written = nullptr;
    if (query_ends_.is_due()) written = record(p, end, {reply.rcode, options.ede, out->bytes()});
    const bool taken = to_stream(p.path.stream, p.path.stream_token, out);
    if (!taken) {
        end = PendingOutcome::drop_tx_full;
        if (written != nullptr) written->end = row_of(end);
    }
    counters_.add(end);
    return end;
}

}  // namespace steer
