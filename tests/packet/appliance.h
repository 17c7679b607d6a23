// The dataplane as one object for tests: whole Workers on ring ports in one thread, everything that
// they share, and the far sides of all of it in the test's hands: clients and upstreams (frames),
// `streams` and `routers` (rings), the clock. Built without anything of control.
//
// The network: each worker has a port (or the first few: options.ports); on its wire are clients (192.0.2.0/24, 2001:db8::/64), the
// appliance (10.0.0.1, 2001:db8:1::1), and upstreams 198.51.100.53, .54 and so on (Upstream::id
// counts from 0).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/stages/tracer.h"
#include "dataplane/worker.h"
#include "packet/programs.h"
#include "support/dns_message.h"
#include "support/ring_port.h"
#include "support/udp_frame.h"

namespace steer::test {

inline constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28;

struct ApplianceOptions {
    unsigned workers = 1;
    unsigned max_parked = 1024;
    unsigned max_parked_per_client = 256;
    unsigned max_in_flight = 512;
    OverQuota over_quota = OverQuota::drop;
    RandomCase random_case = RandomCase::never;
    unsigned small_buffers = 4096;
    unsigned events = 1024;     // size of the rings to routers
    unsigned to_stream = 1024;  // ... and to streams
    Sleeper* stream_sleeper = nullptr;
    unsigned between_workers = 1024;
    unsigned ports = 0;   // workers from this one on have none; 0: each has one
    bool spread = false;  // WorkerOptions::spread
    Idle idle = Idle::adaptive;
    bool one_device = false;  // the ports are queues of one device
    bool cache = true;
    unsigned record_cells = 1U << 14;  // of a worker's ring
    bool own_interfaces = false;  // worker i's port is of interface 7 + i; upstreams are behind 7
};

// A message that was sent from a port (or to streams) and its DNS header as far as tests check it.
struct Seen {
    unsigned worker = 0;
    UdpFrame frame;
    Bytes dns;

    [[nodiscard]] std::uint16_t id() const { return word(0); }
    [[nodiscard]] std::uint16_t flags() const { return word(2); }
    [[nodiscard]] unsigned rcode() const { return flags() & 15; }
    [[nodiscard]] bool truncated() const { return (flags() & 0x0200) != 0; }
    [[nodiscard]] unsigned answers() const { return word(6); }
    [[nodiscard]] unsigned additional() const { return word(10); }
    [[nodiscard]] std::string qname() const;
    [[nodiscard]] std::uint16_t qtype() const;
    // TTLs of the answer section, in order.
    [[nodiscard]] std::vector<std::uint32_t> ttls() const;
    // Of an answer that ends with an A record: without EDNS.
    [[nodiscard]] std::string last_address() const;

  private:
    [[nodiscard]] std::uint16_t word(std::size_t at) const {
        return static_cast<std::uint16_t>(dns.at(at) << 8 | dns.at(at + 1));
    }
};

struct Client {
    std::string address = "192.0.2.10";
    std::uint16_t port = 40000;
    std::vector<std::uint16_t> vlans{};
    unsigned worker = 0;  // whose port its frames come to
};

// What goes with an injected query.
struct QueryMetadata {
    std::uint16_t frontend = 0;
    std::string server_name, url_path;
    std::uint64_t trace_id = 0;
};

class Appliance {
  public:
    explicit Appliance(const ApplianceOptions& options = {});
    ~Appliance();  // checks that no buffer, mbuf or parked record is left
    Appliance(const Appliance&) = delete;
    Appliance& operator=(const Appliance&) = delete;

    // In force from the next turn on; the one before is kept until the end.
    const Snapshot& publish(std::unique_ptr<Snapshot> snapshot);

    // Frames and messages in. Nothing happens before turn().
    void send(unsigned worker, const Bytes& frame);
    void ask(const DnsMessage& query, const Client& from = {});
    void ask(const std::string& name, std::uint16_t type = 1, std::uint16_t id = 1,
             const Client& from = {});
    // A query over TCP (or the kernel's UDP) from `streams`.
    void inject(const DnsMessage& query, std::uint64_t token, ClientTransport transport,
                unsigned worker = 0, const std::string& client = "192.0.2.10",
                const QueryMetadata& metadata = {});
    void inject(const DnsMessage& query, std::uint64_t token, bool is_udp = false,
                unsigned worker = 0, const std::string& client = "192.0.2.10",
                const QueryMetadata& metadata = {});
    // The upstream's reply to what asked: same id and question, to the worker `by`'s port.
    void reply(const Seen& query, const DnsMessage& response,
               std::optional<unsigned> by = std::nullopt);
    // ... with these addresses (A or AAAA as it was asked).
    void reply(const Seen& query, std::uint32_t ttl_s, const std::vector<std::string>& addresses);
    // What a kernel socket got in reply to what `streams` was to ask.
    struct StreamAsk {
        unsigned worker;
        std::uint64_t token;
        Bytes dns;
    };
    void reply_by_stream(const StreamAsk& query, const Bytes& response);
    void acknowledge(const Event& e, Outcome outcome = Outcome::installed);

    // Turns all workers until nothing moves any more, then sorts what was sent.
    void turn();
    void advance_ms(std::uint64_t ms) {
        clock_.ms += ms;
        turn();
    }

    // Only checks what was sent: for workers that run on threads of their own.
    bool sort_output();

    // What was sent since the last call.
    std::vector<Seen> answers() { return std::exchange(answers_, {}); }
    Seen answer();  // requires exactly one
    std::vector<Seen> upstream_queries() { return std::exchange(upstream_queries_, {}); }
    Seen upstream_query();  // requires exactly one
    std::vector<StreamAsk> stream_asks() { return std::exchange(stream_asks_, {}); }
    // NOTIFYs that went to `streams`, without their heads.
    std::vector<Bytes> notifies() { return std::exchange(notifies_, {}); }
    std::vector<Event> events();
    Event event();  // requires exactly one
    std::vector<Note> notes();
    std::vector<Buffer*> traces();  // for the caller to release
    // A record with its own copies of the messages.
    struct Recorded {
        QueryRecord head;
        Bytes query, response;
    };
    // What was sent since the last call, after record_all().
    std::vector<Recorded> records() { return std::exchange(recorded_, {}); }
    Recorded record();  // requires exactly one
    // Records every query from now on, whole messages.
    void record_all();
    void record_none() {
        are_all_recorded_ = false;
        shared_.record_one_in = 0;
    }
    // Takes what is in the rings; turn() does so, too.
    void take_records();
    struct Injected {
        std::uint64_t token;
        std::optional<Seen> answer;  // none: dropped
    };
    std::vector<Injected> injected_answers() { return std::exchange(injected_answers_, {}); }

    // Asks, lets upstream answer, takes the answer.
    Seen ask_and_answer(const std::string& name, std::uint32_t ttl_s, const std::string& address);

    [[nodiscard]] std::uint64_t count(Verdict v) const;  // over all workers
    [[nodiscard]] std::uint64_t count(Moved v) const;
    [[nodiscard]] std::uint64_t count(steer::Injected v) const;
    [[nodiscard]] std::uint64_t count(PendingOutcome v) const;
    [[nodiscard]] std::uint64_t count(Stat v) const;
    // Of the first worker.
    [[nodiscard]] const CacheLookups& lookups(std::uint16_t cache) const {
        return workers_.front()->counters().caches[cache];
    }
    // Every table's sum is what went in; parked ones that still wait are counted.
    // With STEER_RECORD_ALL in the environment, every query is recorded, and records are part of the sums.
    void check_sums() const;

    Worker& worker(unsigned i = 0) { return *workers_[i]; }
    Shared& shared() { return shared_; }
    RowBoard& board() { return *board_; }
    ListStates& lists() { return *lists_; }
    [[nodiscard]] unsigned parked() const;
    [[nodiscard]] Now now() const { return {clock_.ms}; }
    NextHopTable& next_hops() { return next_hops_; }
    RingPort& port(unsigned worker = 0) { return *ports_[worker]; }
    [[nodiscard]] unsigned buffers_in_use() const { return buffers_->in_use(); }

  private:
    class HandClock final : public Clock {
      public:
        Now now() override { return {ms}; }
        std::uint64_t ms = 1'000'000;
    };
    using Messages = Ring<Message>;

    void sort_frame(unsigned worker, const Bytes& frame);
    void take_stream_message(const Message& m);
    template <class E>
    [[nodiscard]] std::uint64_t sum(E v) const;
    void check_ends() const;
    void check_records() const;
    [[nodiscard]] std::uint64_t recorded_as(unsigned kind, EndRow end) const;

    ApplianceOptions options_;
    HandClock clock_;
    Shared shared_;
    std::unique_ptr<ListStates> lists_;
    std::unique_ptr<BufferPools> buffers_;
    std::unique_ptr<cache::KeyHasher> hasher_;
    std::unique_ptr<RowBoard> board_;
    std::unique_ptr<cache::Cache> cache_;
    NextHopTable next_hops_;
    Sleeper sleeper_;
    std::vector<std::unique_ptr<RingPort>> ports_;
    std::vector<std::unique_ptr<Port>> queues_;       // what the workers have of them
    std::vector<std::unique_ptr<Messages>> between_;  // [from * workers + to]
    std::vector<std::unique_ptr<Messages>> to_stream_, from_stream_, from_routers_;
    std::vector<std::unique_ptr<Ring<Event>>> to_routers_;
    std::vector<std::unique_ptr<Ring<Note>>> notes_;
    std::vector<std::unique_ptr<Ring<TraceMessage>>> traces_;
    std::vector<std::unique_ptr<RecordRing>> records_;
    bool keeps_records_ = false;     // for records()
    bool are_all_recorded_ = false;  // from the start: then they are compared with the verdicts
    std::map<std::pair<unsigned, EndRow>, std::uint64_t> recorded_ends_;  // by kind of work
    std::vector<Recorded> recorded_;
    std::vector<std::unique_ptr<Snapshot>> snapshots_;
    std::vector<std::unique_ptr<Worker>> workers_;

    std::vector<Seen> answers_, upstream_queries_;
    std::vector<Bytes> notifies_;
    std::vector<StreamAsk> stream_asks_;
    std::vector<Injected> injected_answers_;
};

}  // namespace steer::test
