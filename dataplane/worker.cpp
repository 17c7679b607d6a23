#include "dataplane/worker.h"

#include <rte_debug.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "dataplane/cache/cache_writer.h"
#include "dataplane/event/claims.h"
#include "dataplane/event/shared_watch.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/limits/limiter.h"
#include "dataplane/policy/executor.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/capture.h"
#include "dataplane/stages/classify.h"
#include "dataplane/stages/cookies.h"
#include "dataplane/stages/covered.h"
#include "dataplane/stages/find_entries.h"
#include "dataplane/stages/idle.h"
#include "dataplane/stages/inject.h"
#include "dataplane/stages/limit.h"
#include "dataplane/stages/lookup.h"
#include "dataplane/stages/own_addresses.h"
#include "dataplane/stages/packet_cache.h"
#include "dataplane/stages/packet_cache_stage.h"
#include "dataplane/stages/parked_pool.h"
#include "dataplane/stages/parse.h"
#include "dataplane/stages/query_ends.h"
#include "dataplane/stages/reply.h"
#include "dataplane/stages/resolver.h"
#include "dataplane/stages/software_rss.h"
#include "dataplane/stages/stage_clock.h"
#include "dataplane/stages/tracer.h"
#include "dataplane/stages/transmit.h"
#include "dataplane/stages/upstream_sender.h"

namespace steer {
namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "worker: %s\n", what);
    std::abort();
}

unsigned share_of(unsigned all, unsigned percent) {
    return std::max(static_cast<unsigned>(std::uint64_t{all} * percent / 100), 1U);
}

unsigned count_streams(const WorkerRings& rings) {
    const auto end = std::find(rings.to_stream.begin(), rings.to_stream.end(), nullptr);
    return static_cast<unsigned>(end - rings.to_stream.begin());
}

// Lanes of Transmit to other workers; none if there is only one worker.
std::span<Ring<Message>* const> rings_to_others(const WorkerOptions& options,
                                                const WorkerRings& rings) {
    return std::span{rings.to_worker}.first(options.workers > 1 ? options.workers : 0);
}

// Releases what an unread message owns.
void give_back(const Message& m) {
    if (m.kind == MessageKind::upstream_frame || m.kind == MessageKind::query_frame ||
        m.kind == MessageKind::send_frame) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(m.pointer));
    }
    release(m.buffer);
    if (m.kind == MessageKind::reply) release(reinterpret_cast<Buffer*>(m.token));
}

void drain(Ring<Message>* ring) {
    Message m;
    while (ring != nullptr && ring->pop(&m, 1) == 1)
        give_back(m);
}

}  // namespace

struct Worker::Impl final : ForwardSink {
    Impl(const WorkerOptions& worker_options, Shared& what_is_shared,
         const WorkerRings& worker_rings, std::vector<Port*> worker_ports, Sleeper& worker_sleeper,
         Clock& worker_clock);
    ~Impl() override;

    bool turn(Now at) noexcept;
    void run() noexcept;

    // The stages that are not a file of their own.
    void begin_turn(Now at) noexcept;
    bool receive_from_ports() noexcept;
    bool receive_from_streams() noexcept;
    bool read_messages() noexcept;
    void end_turn() noexcept;

    void serve(Burst& b) noexcept;
    [[nodiscard]] const NameRules* rules_in_force() const noexcept;
    void settle_ended(const Burst& b, Port& port) noexcept;
    void take_replies(const Burst& b) noexcept;
    void take_moved_reply(rte_mbuf* m) noexcept;
    void take_moved_queries(std::span<const Message> messages) noexcept;
    void on_worker_message(const Message& m) noexcept;
    void join_owners() noexcept;
    [[nodiscard]] std::uint64_t next_deadline_ms() const noexcept;
    void go_online() noexcept;
    void go_offline() noexcept;
    [[nodiscard]] std::uint64_t queries_received() const noexcept;
    void nap() noexcept;

    // ForwardSink
    bool send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                    std::span<const std::uint8_t> dns) noexcept override;
    bool send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                        Buffer* query) noexcept override;
    bool send_to_worker(unsigned worker, const Message& m) noexcept override;
    void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept override;
    void on_trail(const Parked& parked, const Buffer& trail) noexcept override;

    const WorkerOptions options;
    Shared& shared;
    const WorkerRings rings;
    const std::vector<Port*> ports;
    Sleeper& sleeper;
    Clock& clock;
    const PortRange upstream_ports;
    const unsigned streams;     // how many there are
    std::size_t first_own = 0;  // of Shared::port_owners
    std::atomic<bool> stopping{false};
    bool online = false;
    Now now{};  // of this turn

    Counters counters;
    Capture capture;
    Transmit transmit;
    SoftwareRss software_rss;
    QueryEnds query_ends;
    UpstreamSender sender;
    CacheWriter cache_writer;
    Executor executor;
    Claims claims;
    SharedWatch shared_watch;
    ParkedPool pool;
    Tracer tracer;
    Cookies cookies;
    Replier replier;
    Limiter limiter;
    Forwarder forwarder;
    Resolver resolver;
    PacketCache packet_cache;
    RuleWatch rule_watch;
    OwnAddresses ours;
    Sleep sleep;

    const Snapshot* snapshot = nullptr;
    const NextHopTable* next_hops = nullptr;
    Burst burst;
    std::array<Message, kBurst> popped;  // messages of one ring
};

Worker::Impl::Impl(const WorkerOptions& worker_options, Shared& what_is_shared,
                   const WorkerRings& worker_rings, std::vector<Port*> worker_ports,
                   Sleeper& worker_sleeper, Clock& worker_clock)
    : options(worker_options),
      shared(what_is_shared),
      rings(worker_rings),
      ports(std::move(worker_ports)),
      sleeper(worker_sleeper),
      clock(worker_clock),
      upstream_ports{options.first_upstream_port, options.last_upstream_port},
      streams(count_streams(rings)),
      capture(options.index, rings.frames, shared.capture, counters),
      transmit(options.index, ports, rings_to_others(options, rings), counters, &capture),
      software_rss(options, ports, rings, counters),
      query_ends(options.index, shared, rings.records, counters),
      sender(options.index,
             {ports, rings, shared.port_owners, *shared.buffers, transmit, counters, streams}),
      cache_writer(options.index, shared.cache, rings.to_worker, counters),
      executor(options.index, shared.cache, *shared.hasher, *shared.buffers, cache_writer,
               rings.to_main, counters),
      claims(options.index, *shared.board, *shared.lists, rings.to_routers, counters),
      shared_watch(*shared.hasher, *shared.board, *shared.lists, rings.to_routers, counters),
      pool({options.max_parked, options.max_parked_per_client,
            share_of(options.max_parked, options.suffix_percent)},
           options.index, *shared.hasher, shared.parked[options.index]),
      tracer(options.index, options.traces_from, *shared.buffers, rings.traces, shared.trace_filter,
             now),
      cookies(counters),
      replier(options.index, ports, shared.port_owners, rings, *shared.buffers, transmit, tracer,
              query_ends, cookies, counters),
      limiter(options.index, false, shared.hasher->of_name({}).low),
      forwarder({.worker = options.index,
                 .workers = options.workers,
                 .first_port = options.first_upstream_port,
                 .last_port = options.last_upstream_port,
                 .max_in_flight = options.max_in_flight,
                 .max_per_suffix = share_of(options.max_in_flight, options.suffix_percent),
                 .random_case = options.random_case,
                 .random_seed = options.random_seed},
                *shared.buffers, *this, shared.loops, counters),
      resolver({*shared.hasher, *shared.buffers, executor, claims, shared_watch, pool, forwarder,
                replier, limiter, tracer, shared.loops, counters},
               {options.max_parked, options.over_quota}),
      packet_cache(shared.hasher->of_name({}).high),
      sleep(ports, sleeper) {
    require(options.index < options.workers && options.workers <= kMaxWorkers,
            "its index is not an index of a worker");
    require(options.max_parked > 0 && options.max_parked < (1U << 24) - 1,
            "max_parked is above what a token can name");
    require(ports.size() + kMaxWorkers <= 256, "it has more ports than a packet can name");
    join_owners();
    for (Port* p : ports)
        p->set_sleeper(sleeper);
    if (shared.qsbr != nullptr) rte_rcu_qsbr_thread_register(shared.qsbr, options.index);
}

// The workers' threads have ended; messages still waiting for this one go back to their pools.
Worker::Impl::~Impl() {
    for (Ring<Message>* ring : rings.from_worker)
        drain(ring);
    for (Ring<Message>* ring : rings.from_stream)
        drain(ring);
    go_offline();
    if (shared.qsbr != nullptr) rte_rcu_qsbr_thread_unregister(shared.qsbr, options.index);
}

// Safe: workers are constructed one after the other.
void Worker::Impl::join_owners() noexcept {
    auto& owners = shared.port_owners;
    first_own = owners.size();
    for (Port* p : ports) {
        Shared::PortOwner me{.if_index = p->if_index(),
                             .worker = static_cast<std::uint8_t>(options.index),
                             .index = static_cast<std::uint8_t>(owners.size() - first_own),
                             .port = p};
        for (Shared::PortOwner& other : owners) {
            if (other.port->name() != p->name()) continue;
            me.queues = ++other.queues;
        }
        owners.push_back(me);
    }
}

// ---- the loop

bool Worker::Impl::turn(Now at) noexcept {
    begin_turn(at);
    stage_ends(Stage::turn);
    bool busy = receive_from_ports();
    busy |= receive_from_streams();
    busy |= read_messages();
    forwarder.tick(now);
    resolver.tick(shared.retire_generation.load(std::memory_order_relaxed), now);
    stage_ends(Stage::messages);
    busy |= transmit.flush();
    replier.wake_streams();
    stage_ends(Stage::transmit);
    busy |= cache_writer.turn(now);
    stage_ends(Stage::cache_writer);
    query_ends.end_turn(busy);
    capture.end_turn();
    end_turn();
    return busy;
}

void Worker::Impl::serve(Burst& b) noexcept {
    find_entries(b, *snapshot);
    tracer.inspect(b, *snapshot, now);
    if (b.cookie_ends != 0) cookies.check_ends(b);
    if (snapshot->limits_queries()) [[unlikely]] {
        limit_queries(b, *snapshot, limiter, replier, now);
        if (b.traced != 0) tracer.after_parse(b, now);
    }
    b.watched = shared_watch.wants_hits(*snapshot, b.live_count, now);
    if (!snapshot->nsid.empty()) [[unlikely]]
        b.watched |= any_asks_nsid(b);
    const NameRules* const rules = rules_in_force();
    rule_watch.begin(rules, packet_cache);
    if (!cookies.are_required()) [[likely]]
        answer_from_packet_cache(b, *snapshot, packet_cache, shared.cache, resolver, counters, now);
    if (b.traced != 0) [[unlikely]]
        tracer.after_packet_cache(b, *snapshot, executor, now, [&](const Packet& p) {
            return shared.cache != nullptr ? foresee(p, *snapshot, packet_cache, *shared.cache)
                                           : TracePacketCache::not_udp;
        });
    stage_ends(Stage::answer);
    if (b.live_count == 0 && b.traced == 0) return;
    parse(b, *snapshot, replier, limiter, now);
    if (b.traced != 0) [[unlikely]]
        tracer.after_parse(b, now);
    if (b.with_cookie != 0 || cookies.are_required()) cookies.check(b, replier, limiter, now);
    mark_covered(b, rules);
    stage_ends(Stage::parse);
    lookup(b, *snapshot, shared.cache, *shared.hasher, executor, resolver, packet_cache, now);
    stage_ends(Stage::lookup);
    resolver.resolve(b, *snapshot, now);
    if (b.traced != 0) [[unlikely]]
        tracer.after_program(b, *snapshot, executor, now);
    stage_ends(Stage::answer);
}

const NameRules* Worker::Impl::rules_in_force() const noexcept {
    const LiveRules* const live = snapshot->rules.get();
    return live == nullptr ? nullptr : live->table.load(std::memory_order_acquire);
}

void Worker::Impl::begin_turn(Now at) noexcept {
    if (!online) go_online();
    now = at;
    snapshot = shared.snapshot.load(std::memory_order_acquire);
    if (snapshot != nullptr && snapshot->scratches.size() <= options.index) {
        require(false, "a snapshot was published that equip() has not seen");
    }
    next_hops = shared.next_hops.load(std::memory_order_acquire);
    forwarder.set_next_hops(next_hops);
    replier.use(next_hops);
    query_ends.begin_turn(now, snapshot);
    cookies.begin_turn(shared.cookie_keys.load(std::memory_order_acquire), snapshot, now,
                       {pool.in_use(), options.max_parked},
                       {forwarder.in_flight(), options.max_in_flight});
    capture.begin_turn(now);
}

void Worker::Impl::end_turn() noexcept {
    if (shared.qsbr != nullptr) rte_rcu_qsbr_quiescent(shared.qsbr, options.index);
}

bool Worker::Impl::receive_from_ports() noexcept {
    if (snapshot == nullptr) return false;  // there is no configuration yet
    bool some = false;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        std::array<rte_mbuf*, kBurst> received;
        const std::uint16_t n = ports[i]->rx(received.data(), kBurst);
        stage_ends(Stage::rx);
        if (n == 0) continue;
        some = true;
        counters.add(Stat::rx_packets, n);
        if (capture.is_on()) [[unlikely]]
            capture.inspect({received.data(), n}, *ports[i], static_cast<unsigned>(i), false);
        ours.use(next_hops);
        burst.clear();
        classify({received.data(), n}, *ports[i], static_cast<std::uint8_t>(i), ours,
                 upstream_ports, burst);
        settle_ended(burst, *ports[i]);
        take_replies(burst);
        if (software_rss.is_for(shared.port_owners[first_own + i].queues))
            software_rss.spread(burst);
        query_ends.received(ClientTransport::udp, burst.live_count);
        stage_ends(Stage::classify);
        serve(burst);
    }
    return some;
}

// The packets that classify() ended: to the kernel, or dropped.
void Worker::Impl::settle_ended(const Burst& b, Port& port) noexcept {
    for (unsigned i = 0; i < b.ended_count; ++i) {
        const auto [m, verdict] = b.ended[i];
        if (verdict == Verdict::punted && port.punt(m)) {
            counters.add(verdict);
            continue;
        }
        counters.add(verdict == Verdict::punted ? Verdict::drop_no_kernel : verdict);
        rte_pktmbuf_free(m);
    }
}

// Upstreams' replies: each goes to the worker that owns the destination port.
void Worker::Impl::take_replies(const Burst& b) noexcept {
    std::array<rte_mbuf*, kBurst> read;
    unsigned read_count = 0;
    for (unsigned i = 0; i < b.reply_count; ++i) {
        const UpstreamFrame& f = b.replies[i];
        const unsigned owner = forwarder.owner_of_port(f.destination_port);
        if (owner != options.index) {
            const Message m{.kind = MessageKind::upstream_frame,
                            .from = static_cast<std::uint8_t>(options.index),
                            .pointer = f.mbuf};
            const bool moved = send_to_worker(owner, m);
            counters.add(moved ? Verdict::upstream_moved : Verdict::drop_ring_full);
            if (!moved) rte_pktmbuf_free(f.mbuf);
            continue;
        }
        counters.add(
            forwarder.on_datagram(f.source, f.source_port, f.destination_port, f.dns, now));
        read[read_count++] = f.mbuf;
    }
    rte_pktmbuf_free_bulk(read.data(), read_count);
}

// The receiving worker counted its verdict.
void Worker::Impl::take_moved_reply(rte_mbuf* m) noexcept {
    const UpstreamFrame f = reread_upstream_frame(m);
    const Verdict v =
        forwarder.on_datagram(f.source, f.source_port, f.destination_port, f.dns, now);
    counters.add(Stat::moved_replies);
    if (v != Verdict::upstream_reply) counters.add(Stat::moved_replies_dropped);
    rte_pktmbuf_free(m);
}

// Queries that another worker received. All messages of a ring come from one worker.
void Worker::Impl::take_moved_queries(std::span<const Message> messages) noexcept {
    burst.clear();
    for (const Message& m : messages) {
        if (m.kind == MessageKind::query_frame) rte_prefetch0(m.pointer);
    }
    for (const Message& m : messages) {
        if (m.kind != MessageKind::query_frame) continue;
        rte_prefetch0(rte_pktmbuf_mtod(static_cast<rte_mbuf*>(m.pointer), const void*));
    }
    for (const Message& m : messages) {
        if (m.kind != MessageKind::query_frame) continue;
        add_moved_query(m, transmit.lane_of_worker(m.from), burst);
    }
    if (burst.live_count == 0) return;
    counters.add(Stat::moved_queries, burst.live_count);
    query_ends.received(ClientTransport::udp, burst.live_count);
    serve(burst);
}

// ---- messages

bool Worker::Impl::receive_from_streams() noexcept {
    if (snapshot == nullptr) return false;
    bool some = false;
    for (unsigned s = 0; s < streams; ++s) {
        if (rings.from_stream[s] == nullptr) continue;
        const unsigned n = rings.from_stream[s]->pop(popped.data(), kBurst);
        if (n == 0) continue;
        some = true;
        burst.clear();
        for (unsigned i = 0; i < n; ++i) {
            if (popped[i].kind == MessageKind::inject) {
                counters.add(Stat::injected_queries);
                query_ends.received(
                    reinterpret_cast<const InjectedQuery*>(popped[i].buffer->data())->transport, 1);
                add_injected(popped[i], burst, next_hops, replier);
            } else {
                forwarder.on_message(popped[i], now);
            }
        }
        serve(burst);
    }
    return some;
}

// Not before the first snapshot: a moved query may come as soon as its sender has one.
bool Worker::Impl::read_messages() noexcept {
    if (snapshot == nullptr) return false;
    bool some = false;
    for (unsigned w = 0; w < options.workers; ++w) {
        if (rings.from_worker[w] == nullptr) continue;
        const unsigned n = rings.from_worker[w]->pop(popped.data(), kBurst);
        some = some || n > 0;
        for (unsigned i = 0; i < n; ++i)
            on_worker_message(popped[i]);
        if (n > 0) take_moved_queries({popped.data(), n});
    }
    if (rings.from_routers != nullptr) {
        const unsigned n = rings.from_routers->pop(popped.data(), kBurst);
        some = some || n > 0;
        for (unsigned i = 0; i < n; ++i) {
            resolver.acknowledged(popped[i].token, static_cast<Outcome>(popped[i].b), now);
        }
    }
    return some;
}

void Worker::Impl::on_worker_message(const Message& m) noexcept {
    switch (m.kind) {
        case MessageKind::upstream_frame:
            return take_moved_reply(static_cast<rte_mbuf*>(m.pointer));
        case MessageKind::query_frame:
            return;  // after the whole burst
        case MessageKind::send_frame: {
            auto* const frame = static_cast<rte_mbuf*>(m.pointer);
            return transmit.put_for_other(frame->port, frame);
        }
        case MessageKind::send_upstream:
            return sender.send_for_other(m, next_hops);
        case MessageKind::insert:
            return cache_writer.insert(m.buffer, now);
        case MessageKind::ask:
        case MessageKind::reply:
        case MessageKind::upstream_reply:
            return forwarder.on_message(m, now);
        case MessageKind::none:
        case MessageKind::inject:
        case MessageKind::answer:
        case MessageKind::upstream_query:
        case MessageKind::notify:
        case MessageKind::acknowledged:
            break;
    }
    rte_panic("a worker was sent a message that is not for workers: kind %u\n",
              static_cast<unsigned>(m.kind));
}

// ---- what the forwarder wants

bool Worker::Impl::send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                              std::span<const std::uint8_t> dns) noexcept {
    return sender.send(hop, source_port, to, dns);
}

bool Worker::Impl::send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                                  Buffer* query) noexcept {
    return sender.by_kernel(token, to, via, query);
}

bool Worker::Impl::send_to_worker(unsigned worker, const Message& m) noexcept {
    return worker < options.workers && rings.to_worker[worker] != nullptr &&
           rings.to_worker[worker]->push(m);
}

void Worker::Impl::answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept {
    resolver.answered(*parked, end, answer, now);
}

void Worker::Impl::on_trail(const Parked& parked, const Buffer& trail) noexcept {
    if (const TraceRef trace = tracer.find(parked.trace, parked.path.traced_as))
        copy_trail(trace, trail);
}

// ---- idle

void Worker::Impl::go_online() noexcept {
    if (shared.qsbr != nullptr) rte_rcu_qsbr_thread_online(shared.qsbr, options.index);
    online = true;
}

void Worker::Impl::go_offline() noexcept {
    if (shared.qsbr != nullptr && online) rte_rcu_qsbr_thread_offline(shared.qsbr, options.index);
    online = false;
}

std::uint64_t Worker::Impl::next_deadline_ms() const noexcept {
    return std::min(forwarder.next_deadline_ms(), resolver.next_deadline_ms(now));
}

std::uint64_t Worker::Impl::queries_received() const noexcept {
    return counters.get(Stat::rx_packets) + counters.get(Stat::moved_queries) +
           counters.get(Stat::injected_queries);
}

void Worker::Impl::nap() noexcept {
    counters.add(Stat::sleeps);
    counters.add(Stat::naps);
    go_offline();
    Sleep::nap();
}

void Worker::Impl::run() noexcept {
    unsigned empty_turns = 0;
    unsigned sleeps = 0;  // in a row
    LoadNaps load;
    if (options.idle == Idle::adaptive) Sleep::be_punctual();
    while (!stopping.load(std::memory_order_relaxed)) {
        if (turn(clock.now())) {
            empty_turns = sleeps = 0;
            continue;
        }
        if (options.idle == Idle::spin) continue;
        rte_pause();
        if (options.idle == Idle::pause) continue;
        if (++empty_turns == Sleep::kTurnsUnderLoad && !sleep.naps() &&
            load.wants(queries_received())) {
            load.pause(queries_received(), true);
            nap();
            empty_turns = 0;
            continue;
        }
        if (empty_turns < sleep.empty_turns()) continue;
        sleeper.going_to_sleep();
        sleep.arm();
        if (turn(clock.now()) || stopping.load(std::memory_order_relaxed)) {  // the last check
            sleep.disarm();
            sleeper.awake();
            empty_turns = sleeps = 0;
            continue;
        }
        counters.add(Stat::sleeps);
        if (sleep.naps()) counters.add(Stat::naps);
        load.pause(queries_received(), false);
        go_offline();
        sleep.until(next_deadline_ms(), now, ++sleeps);
        empty_turns = sleep.empty_turns() - 2;  // one check before the next sleep
    }
    go_offline();
}

// ---- Worker

Worker::Worker(const WorkerOptions& options, Shared& shared, const WorkerRings& rings,
               std::vector<Port*> ports, Sleeper& sleeper, Clock& clock) {
    require(shared.hasher != nullptr && shared.buffers != nullptr && shared.board != nullptr &&
                shared.lists != nullptr,
            "a shared part is missing");
    impl_ = std::make_unique<Impl>(options, shared, rings, std::move(ports), sleeper, clock);
}

Worker::~Worker() = default;

bool Worker::poll(Now now) noexcept {
    return impl_->turn(now);
}

void Worker::run() noexcept {
    impl_->run();
}

void Worker::stop() noexcept {
    impl_->stopping.store(true, std::memory_order_relaxed);
    impl_->sleeper.wake();
}

const Counters& Worker::counters() const noexcept {
    return impl_->counters;
}

const QueryCounters& Worker::query_counters() const noexcept {
    return impl_->query_ends.counters();
}

unsigned Worker::parked() const noexcept {
    return impl_->pool.in_use();
}

void Worker::probed(std::uint16_t upstream, const ProbeFindings& findings) noexcept {
    impl_->forwarder.probed(upstream, findings);
}

const UpstreamHealth& Worker::upstream_health(std::uint16_t upstream) const noexcept {
    return impl_->forwarder.health(upstream);
}

}  // namespace steer
