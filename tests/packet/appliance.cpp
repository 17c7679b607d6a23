#include "packet/appliance.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>

#include "dataplane/stages/reply.h"

namespace steer::test {
namespace {

constexpr MacAddress kClientMac{0x02, 0xc1, 0, 0, 0, 1};
constexpr MacAddress kUpstreamMac{0x02, 0x53, 0, 0, 0, 1};
constexpr unsigned kUpstreams = 4;
constexpr int kUpstreamInterface = 7;
constexpr const char* kV4 = "10.0.0.1";
constexpr const char* kV6 = "2001:db8:1::1";
constexpr const char* kBroadcast4 = "10.0.255.255";

IpAddress address(const std::string& text) {
    return *IpAddress::parse(text);
}

std::string text_name(const Bytes& dns, std::size_t at) {
    std::string name;
    for (; dns.at(at) != 0; at += dns[at] + 1U) {
        if (!name.empty()) name += '.';
        name.append(dns.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                    dns.begin() + static_cast<std::ptrdiff_t>(at) + 1 + dns[at]);
    }
    return name;
}

std::size_t skip_name(const Bytes& dns, std::size_t at) {
    while (dns.at(at) != 0 && (dns[at] & 0xc0) == 0)
        at += dns[at] + 1U;
    return at + (dns[at] == 0 ? 1 : 2);
}

// A port by another name: ports of one name are queues of one device.
class Queue final : public Port {
  public:
    Queue(Port& port, bool one_device) : port_(port) {
        name_ = one_device ? "eth0" : port.name();
        mac_ = port.mac();
        if_index_ = port.if_index();
    }
    std::uint16_t rx(rte_mbuf** out, std::uint16_t n) noexcept override { return port_.rx(out, n); }
    std::uint16_t tx(rte_mbuf** packets, std::uint16_t n) noexcept override {
        return port_.tx(packets, n);
    }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return port_.pool(); }

  private:
    Port& port_;
};

}  // namespace

std::string Seen::qname() const {
    return text_name(dns, 12);
}

std::string Seen::last_address() const {
    return IpAddress::from_v4(&dns.at(dns.size() - 4)).to_string();
}

std::uint16_t Seen::qtype() const {
    return word(skip_name(dns, 12));
}

std::vector<std::uint32_t> Seen::ttls() const {
    std::vector<std::uint32_t> ttls;
    std::size_t at = skip_name(dns, 12) + 4;
    for (unsigned i = 0; i < answers(); ++i) {
        at = skip_name(dns, at);
        ttls.push_back(static_cast<std::uint32_t>(word(at + 4)) << 16 | word(at + 6));
        at += 10U + word(at + 8);
    }
    return ttls;
}

Appliance::Appliance(const ApplianceOptions& options) : options_(options) {
    static unsigned made = 0;
    ++made;
    const auto size = rte_rcu_qsbr_get_memsize(kMaxWorkers);
    shared_.qsbr = static_cast<rte_rcu_qsbr*>(rte_zmalloc(nullptr, size, RTE_CACHE_LINE_SIZE));
    BOOST_REQUIRE(shared_.qsbr != nullptr && rte_rcu_qsbr_init(shared_.qsbr, kMaxWorkers) == 0);
    lists_ = std::make_unique<ListStates>();
    for (ListId list = 0; list < kMaxLists; ++list)
        (*lists_)[list].away = false;
    buffers_ = std::make_unique<BufferPools>(options.small_buffers, 32);
    const std::array<std::uint8_t, 16> secret{1, 2,  3,  4,  5,  6,  7,  8,
                                              9, 10, 11, 12, 13, 14, 15, 16};
    hasher_ = std::make_unique<cache::KeyHasher>(secret);
    board_ = std::make_unique<RowBoard>(4096, shared_.qsbr);
    if (options.cache) {
        // So large that each worker writes a part of them.
        const std::uint32_t answers = options.workers == 1 ? 1024 : 4096 * options.workers;
        const std::array sizes{answers, answers};
        cache_ =
            std::make_unique<cache::Cache>(cache::CacheOptions{.budget_bytes = std::size_t{8} << 20,
                                                               .instance_sizes = sizes,
                                                               .shards = options.workers,
                                                               .workers = options.workers},
                                           shared_.qsbr);
    }
    shared_.buffers = buffers_.get();
    shared_.cache = cache_.get();
    shared_.hasher = hasher_.get();
    shared_.board = board_.get();
    shared_.lists = lists_.get();
    shared_.next_hops = &next_hops_;

    next_hops_.service_addresses = {address(kV4), address(kV6)};
    std::sort(next_hops_.service_addresses.begin(), next_hops_.service_addresses.end());
    next_hops_.own_addresses = next_hops_.service_addresses;
    next_hops_.broadcast_addresses = {address(kBroadcast4)};
    next_hops_.service_ports = {53};

    for (unsigned from = 0; from < options.workers; ++from) {
        const int if_index =
            kUpstreamInterface + (options.own_interfaces ? static_cast<int>(from) : 0);
        if (options.ports == 0 || from < options.ports) {
            ports_.push_back(std::make_unique<RingPort>(
                "p" + std::to_string(made) + "_" + std::to_string(from), if_index));
            queues_.push_back(std::make_unique<Queue>(ports_.back()->port(), options.one_device));
        }
        for (unsigned to = 0; to < options.workers; ++to) {
            between_.push_back(from == to
                                   ? nullptr
                                   : std::make_unique<Messages>(options.between_workers, nullptr));
        }
        to_stream_.push_back(std::make_unique<Messages>(options.to_stream, options.stream_sleeper));
        from_stream_.push_back(std::make_unique<Messages>(1024, nullptr));
        from_routers_.push_back(std::make_unique<Messages>(1024, nullptr));
        to_routers_.push_back(std::make_unique<Ring<Event>>(options.events, nullptr));
        notes_.push_back(std::make_unique<Ring<Note>>(16, nullptr));
        traces_.push_back(std::make_unique<Ring<TraceMessage>>(8, nullptr));
        records_.push_back(std::make_unique<RecordRing>(options.record_cells));
    }
    for (unsigned i = 0; i < kUpstreams; ++i) {
        next_hops_.by_upstream.push_back({.via = NextHop::Via::port,
                                          .if_index = kUpstreamInterface,
                                          .peer_mac = kUpstreamMac,
                                          .own_mac = ports_[0]->port().mac(),
                                          .source = address(kV4)});
    }
    for (unsigned i = 0; i < options.workers; ++i) {
        WorkerRings rings;
        for (unsigned other = 0; other < options.workers; ++other) {
            rings.to_worker[other] = between_[i * options.workers + other].get();
            rings.from_worker[other] = between_[other * options.workers + i].get();
        }
        rings.to_stream[0] = to_stream_[i].get();
        rings.from_stream[0] = from_stream_[i].get();
        rings.from_routers = from_routers_[i].get();
        rings.to_routers = to_routers_[i].get();
        rings.to_main = notes_[i].get();
        rings.traces = traces_[i].get();
        rings.records = records_[i].get();
        workers_.push_back(std::make_unique<Worker>(
            WorkerOptions{.index = i,
                          .workers = options.workers,
                          .idle = options.idle,
                          .spread = options.spread,
                          .max_parked = options.max_parked,
                          .max_parked_per_client = options.max_parked_per_client,
                          .max_in_flight = options.max_in_flight,
                          .over_quota = options.over_quota,
                          .random_case = options.random_case,
                          .random_seed = 42 + i},
            shared_, rings,
            i < ports_.size() ? std::vector<Port*>{queues_[i].get()} : std::vector<Port*>{},
            sleeper_, clock_));
    }
    if (std::getenv("STEER_RECORD_ALL") != nullptr) {
        are_all_recorded_ = true;
        shared_.record_query_bytes = shared_.record_response_bytes = UINT16_MAX;
        shared_.record_one_in = 1;
    }
}

Appliance::~Appliance() {
    // Whatever still waits gets its time; then nothing may be left.
    for (unsigned i = 0; i < 8 && parked() > 0; ++i)
        advance_ms(5000);
    turn();
    BOOST_CHECK_EQUAL(parked(), 0U);
    check_sums();
    (void)events();
    workers_.clear();
    BOOST_CHECK_EQUAL(buffers_->in_use(), 0U);
    for (const auto& p : ports_)
        BOOST_CHECK_EQUAL(p->mbufs_in_use(), 0U);
    cache_.reset();
    board_.reset();
    rte_free(shared_.qsbr);
}

const Snapshot& Appliance::publish(std::unique_ptr<Snapshot> snapshot) {
    snapshot->generation = static_cast<std::uint32_t>(snapshots_.size() + 1);
    snapshot->slot = static_cast<std::uint8_t>(snapshots_.size() % kMaxGenerations);
    snapshots_.push_back(std::move(snapshot));
    shared_.snapshot = snapshots_.back().get();
    return *snapshots_.back();
}

void Appliance::send(unsigned worker, const Bytes& frame) {
    BOOST_REQUIRE(ports_[worker]->send(frame));
}

void Appliance::ask(const DnsMessage& query, const Client& from) {
    const IpAddress client = address(from.address);
    send(from.worker, make_udp_frame({.from_mac = kClientMac,
                                      .to_mac = ports_[from.worker]->port().mac(),
                                      .vlans = from.vlans,
                                      .from = client,
                                      .to = address(client.is_v4() ? kV4 : kV6),
                                      .from_port = from.port,
                                      .to_port = 53,
                                      .payload = query.bytes()}));
}

void Appliance::ask(const std::string& name, std::uint16_t type, std::uint16_t id,
                    const Client& from) {
    ask(DnsMessage::query(id, name, type), from);
}

void Appliance::inject(const DnsMessage& query, std::uint64_t token, bool is_udp, unsigned worker,
                       const std::string& client, const QueryMetadata& metadata) {
    inject(query, token, is_udp ? ClientTransport::udp : ClientTransport::tcp, worker, client,
           metadata);
}

void Appliance::inject(const DnsMessage& query, std::uint64_t token, ClientTransport transport,
                       unsigned worker, const std::string& client, const QueryMetadata& metadata) {
    const std::string texts = metadata.server_name + metadata.url_path;
    Buffer* const b = buffers_->take(
        static_cast<std::uint32_t>(sizeof(InjectedQuery) + query.size() + texts.size()));
    BOOST_REQUIRE(b != nullptr);
    InjectedQuery head{};
    head.client = address(client);
    head.local = address(kV4);
    head.client_port = 40001;
    head.local_port = 53;
    head.max_size = transport == ClientTransport::udp ? 4096 : 65535;
    head.length = static_cast<std::uint32_t>(query.size());
    head.transport = transport;
    head.frontend = metadata.frontend;
    head.trace_id = metadata.trace_id;
    head.server_name_length = static_cast<std::uint8_t>(metadata.server_name.size());
    head.url_path_length = static_cast<std::uint8_t>(metadata.url_path.size());
    std::memcpy(b->data(), &head, sizeof head);
    std::memcpy(b->data() + sizeof head, query.bytes().data(), query.size());
    std::memcpy(b->data() + sizeof head + query.size(), texts.data(), texts.size());
    b->length = static_cast<std::uint32_t>(sizeof head + query.size() + texts.size());
    BOOST_REQUIRE(
        from_stream_[worker]->push({.kind = MessageKind::inject, .token = token, .buffer = b}));
}

void Appliance::reply(const Seen& query, const DnsMessage& response, std::optional<unsigned> by) {
    DnsMessage m = response;
    m.set(0, query.id());
    const UdpFrame& q = query.frame;
    send(by.value_or(query.worker), make_udp_frame({.from_mac = q.to_mac,
                                                    .to_mac = q.from_mac,
                                                    .vlans = q.vlans,
                                                    .from = q.to,
                                                    .to = q.from,
                                                    .from_port = q.to_port,
                                                    .to_port = q.from_port,
                                                    .payload = m.bytes()}));
}

void Appliance::reply(const Seen& query, std::uint32_t ttl_s,
                      const std::vector<std::string>& addresses) {
    DnsMessage m = DnsMessage::response(0, query.qname(), query.qtype());
    for (const auto& text : addresses) {
        const IpAddress a = address(text);
        const Bytes rdata =
            a.is_v4() ? Bytes(a.v4(), a.v4() + 4) : Bytes(a.bytes.begin(), a.bytes.end());
        m.record(DnsMessage::kAnswer, {0xc0, 12}, a.is_v4() ? 1 : 28, ttl_s, rdata);
    }
    reply(query, m);
}

void Appliance::reply_by_stream(const StreamAsk& query, const Bytes& response) {
    Buffer* const b = buffers_->take(static_cast<std::uint32_t>(response.size()));
    BOOST_REQUIRE(b != nullptr);
    std::copy(response.begin(), response.end(), b->data());
    b->length = static_cast<std::uint32_t>(response.size());
    BOOST_REQUIRE(from_stream_[query.worker]->push(
        {.kind = MessageKind::upstream_reply, .token = query.token, .buffer = b}));
}

void Appliance::acknowledge(const Event& e, Outcome outcome) {
    BOOST_REQUIRE(from_routers_[e.worker]->push({.kind = MessageKind::acknowledged,
                                                 .b = static_cast<std::uint32_t>(outcome),
                                                 .token = e.hold_token}));
}

void Appliance::turn() {
    for (unsigned quiet = 0; quiet < 2;) {
        bool moved = false;
        for (const auto& w : workers_)
            moved |= w->poll(clock_.now());
        moved |= sort_output();
        quiet = moved ? 0 : quiet + 1;
    }
}

bool Appliance::sort_output() {
    bool some = false;
    take_records();
    for (unsigned i = 0; i < ports_.size(); ++i) {
        for (const Frame& f : ports_[i]->receive_all()) {
            some = true;
            sort_frame(i, f);
        }
    }
    for (unsigned i = 0; i < workers_.size(); ++i) {
        Message m;
        while (to_stream_[i]->pop(&m, 1) == 1) {
            some = true;
            take_stream_message(m);
        }
    }
    return some;
}

void Appliance::sort_frame(unsigned worker, const Bytes& frame) {
    std::string wrong;
    const auto read = read_udp_frame(frame, wrong);
    BOOST_REQUIRE(read);
    BOOST_CHECK_EQUAL(wrong, "");
    Seen seen{worker, *read, read->payload};
    (read->from_port == 53 ? answers_ : upstream_queries_).push_back(std::move(seen));
}

void Appliance::take_stream_message(const Message& m) {
    if (m.kind == MessageKind::upstream_query) {
        const auto dns = m.buffer->bytes().subspan(sizeof(UpstreamQuery));
        stream_asks_.push_back({m.from, m.token, {dns.begin(), dns.end()}});
        release(m.buffer);
        return;
    }
    if (m.kind == MessageKind::notify) {
        const auto bytes = m.buffer->bytes().subspan(sizeof(InjectedQuery));
        notifies_.emplace_back(bytes.begin(), bytes.end());
        release(m.buffer);
        return;
    }
    BOOST_REQUIRE(m.kind == MessageKind::answer);
    Injected taken{.token = m.token, .answer = std::nullopt};
    if (m.buffer != nullptr) {
        const auto bytes = m.buffer->bytes();
        taken.answer = Seen{.worker = m.from, .frame = {}, .dns = {bytes.begin(), bytes.end()}};
        release(m.buffer);
    }
    injected_answers_.push_back(std::move(taken));
}

Seen Appliance::answer() {
    BOOST_REQUIRE_EQUAL(answers_.size(), 1U);
    return answers().front();
}

Seen Appliance::upstream_query() {
    BOOST_REQUIRE_EQUAL(upstream_queries_.size(), 1U);
    return upstream_queries().front();
}

std::vector<Event> Appliance::events() {
    std::vector<Event> all;
    Event e;
    for (const auto& ring : to_routers_) {
        while (ring->pop(&e, 1) == 1)
            all.push_back(e);
    }
    return all;
}

Event Appliance::event() {
    const auto all = events();
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    return all.front();
}

std::vector<Buffer*> Appliance::traces() {
    std::vector<Buffer*> all;
    TraceMessage m;
    for (const auto& ring : traces_) {
        while (ring->pop(&m, 1) == 1)
            all.push_back(m.buffer);
    }
    return all;
}

namespace {

enum Kind : unsigned { kReceived, kMovedHere, kInjectedQuery, kParkedQuery };

Kind kind_of(const QueryRecord& r) {
    if ((r.how & QueryRecord::kParked) != 0) return kParkedQuery;
    if ((r.how & QueryRecord::kInjected) != 0) return kInjectedQuery;
    return (r.how & QueryRecord::kMoved) != 0 ? kMovedHere : kReceived;
}

}  // namespace

void Appliance::take_records() {
    std::vector<RecordRing*> rings;
    for (const auto& ring : records_)
        rings.push_back(ring.get());
    QueryRecords(std::move(rings)).for_each([&](const QueryRecordView& r) {
        ++recorded_ends_[{kind_of(r.head), r.head.end}];
        if (!keeps_records_) return;
        recorded_.push_back(
            {r.head, {r.query.begin(), r.query.end()}, {r.response.begin(), r.response.end()}});
    });
}

Appliance::Recorded Appliance::record() {
    const auto all = records();
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    return all.front();
}

void Appliance::record_all() {
    keeps_records_ = true;
    shared_.record_query_bytes = shared_.record_response_bytes = UINT16_MAX;
    shared_.record_one_in = 1;
}

std::vector<Note> Appliance::notes() {
    std::vector<Note> all;
    Note n;
    for (const auto& ring : notes_) {
        while (ring->pop(&n, 1) == 1)
            all.push_back(n);
    }
    return all;
}

Seen Appliance::ask_and_answer(const std::string& name, std::uint32_t ttl_s,
                               const std::string& with) {
    ask(name);
    turn();
    reply(upstream_query(), ttl_s, {with});
    turn();
    return answer();
}

template <class E>
std::uint64_t Appliance::sum(E v) const {
    std::uint64_t n = 0;
    for (const auto& w : workers_)
        n += w->counters().get(v);
    return n;
}

std::uint64_t Appliance::count(Verdict v) const {
    return sum(v);
}
std::uint64_t Appliance::count(Moved v) const {
    return sum(v);
}
std::uint64_t Appliance::count(steer::Injected v) const {
    return sum(v);
}
std::uint64_t Appliance::count(PendingOutcome v) const {
    return sum(v);
}
std::uint64_t Appliance::count(Stat v) const {
    return sum(v);
}

unsigned Appliance::parked() const {
    unsigned n = 0;
    for (const auto& w : workers_)
        n += w->parked();
    return n;
}

void Appliance::check_sums() const {
    std::uint64_t verdicts = 0, injected = 0, ends = 0, by_slot = 0;
    for (const auto& w : workers_) {
        const Counters& c = w->counters();
        std::uint64_t hits = 0, misses = 0, stale = 0;
        for (const CacheLookups& lookups : c.caches) {
            hits += lookups.hits.get();
            misses += lookups.misses.get();
            stale += lookups.stale.get();
        }
        BOOST_CHECK_EQUAL(hits, c.get(Stat::cache_hits));
        BOOST_CHECK_EQUAL(misses, c.get(Stat::cache_misses));
        BOOST_CHECK_EQUAL(stale, c.get(Stat::cache_stale_answers));
        std::uint64_t moved = 0;
        for (const auto& n : c.verdicts)
            verdicts += n.get();
        for (const auto& n : c.moved)
            moved += n.get();
        BOOST_CHECK_EQUAL(moved, c.get(Stat::moved_queries));
        for (const auto& n : c.injected)
            injected += n.get();
        for (const auto& n : c.pending_outcomes)
            ends += n.get();
    }
    for (const auto& counts : shared_.parked) {
        for (const auto& n : counts.by_slot)
            by_slot += n;
    }
    BOOST_CHECK_EQUAL(verdicts, count(Stat::rx_packets));
    BOOST_CHECK_EQUAL(injected, count(Stat::injected_queries));
    BOOST_CHECK_EQUAL(ends + parked(), count(Stat::parked_total));
    BOOST_CHECK_EQUAL(by_slot, parked());
    check_ends();
    if (are_all_recorded_) check_records();
}

// Every client's query that arrived has ended once, or waits.
void Appliance::check_ends() const {
    std::uint64_t queries = 0, ended = 0, timed = 0, replies = 0;
    for (const auto& w : workers_) {
        const QueryCounters& q = w->query_counters();
        for (const auto& n : q.transports)
            queries += n.get();
        for (std::size_t i = 0; i < q.ends.size(); ++i) {
            ended += q.ends[i].get();
            if (i % dns::kRcodeColumns < dns::kNoReplyColumn) replies += q.ends[i].get();
        }
        for (const auto& histogram : q.latency) {
            for (const auto& n : histogram.buckets)
                timed += n.get();
        }
    }
    std::uint64_t outcomes = 0;
    for (const auto& row : kPendingOutcomes)
        outcomes += count(row.which);
    outcomes -= count(PendingOutcome::refreshed) + count(PendingOutcome::branch_over);
    std::uint64_t waited = 0, errors = 0, unsent = 0;
    for (const Verdict v : {Verdict::forwarded, Verdict::held})
        waited += count(v) + count(moved_for(v)) + count(injected_for(v));
    for (const Verdict v :
         {Verdict::answered_error, Verdict::refused_client, Verdict::refused_norecurse,
          Verdict::servfail_quota, Verdict::truncated_quota, Verdict::bad_cookie,
          Verdict::truncated_cookie, Verdict::limited_truncated, Verdict::limited_refused,
          Verdict::limited_servfail})
        errors += count(v) + count(moved_for(v)) + count(injected_for(v));
    for (const Verdict v : {Verdict::drop_tx_full, Verdict::drop_ring_full})
        unsent += count(v);
    unsent += count(Moved::drop_tx_full) + count(steer::Injected::drop_ring_full);
    BOOST_CHECK_EQUAL(queries, ended + waited - outcomes);
    if (unsent == 0) BOOST_CHECK_EQUAL(timed + errors, replies);
}

std::uint64_t Appliance::recorded_as(unsigned kind, EndRow end) const {
    const auto found = recorded_ends_.find({kind, end});
    return found == recorded_ends_.end() ? 0 : found->second;
}

// Each has one record with its end. Frames of other kinds than queries have some verdicts, too.
void Appliance::check_records() const {
    BOOST_REQUIRE_EQUAL(count(Stat::records_lost), 0U);
    for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
        const auto v = static_cast<Verdict>(i);
        const EndRow row = row_of(v);
        const bool goes_on =
            v == Verdict::forwarded || v == Verdict::held || v == Verdict::query_moved;
        const std::uint64_t received = recorded_as(kReceived, row);
        if (goes_on) {
            BOOST_CHECK_EQUAL(received, 0U);
        } else if (kInjectedByVerdict[i] != steer::Injected::count_ &&
                   v != Verdict::drop_ring_full && v != Verdict::drop_no_buffer &&
                   v != Verdict::drop_source_port) {
            BOOST_CHECK_MESSAGE(received == count(v),
                                kVerdicts[v].label << ": " << received << ", " << count(v));
        } else {
            BOOST_CHECK_LE(received, count(v));
        }
        if (kMovedByVerdict[i] != Moved::count_ && !goes_on)
            BOOST_CHECK_EQUAL(recorded_as(kMovedHere, row), count(moved_for(v)));
        if (kInjectedByVerdict[i] != steer::Injected::count_ && !goes_on)
            BOOST_CHECK_EQUAL(recorded_as(kInjectedQuery, row), count(injected_for(v)));
    }
    for (const auto& outcome : kPendingOutcomes) {
        const PendingOutcome e = outcome.which;
        const bool has_client = e != PendingOutcome::refreshed && e != PendingOutcome::branch_over;
        BOOST_CHECK_MESSAGE(recorded_as(kParkedQuery, row_of(e)) == (has_client ? count(e) : 0U),
                            outcome.label << " of parked queries");
    }
}

}  // namespace steer::test
