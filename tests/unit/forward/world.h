// What the forwarder's tests stand on: a clock turned by hand, a configuration with some upstreams,
// one or two workers' forwarders whose messages travel through queues, and upstreams that are the
// test itself.
#pragma once

#include <array>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/forward/forwarder.h"

namespace steer::test {

using Bytes = std::vector<std::uint8_t>;

Bytes wire_name(std::string_view text);
IpAddress upstream_address(unsigned i);  // 203.0.113.(i + 1)

// A configuration: upstreams 0 .. n-1 in one group.
std::unique_ptr<Snapshot> make_snapshot(unsigned upstreams, std::uint8_t concurrent = 1);

// What an upstream makes of a query's bytes.
struct ReplyOf {
    std::uint8_t rcode = dns::kNoError;
    unsigned addresses = 1;   // A records 192.0.2.1 ...
    std::uint16_t flags = 0;  // more flags (TC)
    bool opt = false;
    std::uint8_t extended_rcode = 0;    // of the OPT: bits 4 to 11 (RFC 6891 6.1.3)
    const char* name_server = nullptr;  // of an NS record in the authority section, of the root
};
Bytes reply_to(const Bytes& query, const ReplyOf& what);
bool has_edns(const Bytes& query);
std::uint16_t id_of(const Bytes& message);

struct Frame {
    std::uint16_t source_port;
    std::uint16_t upstream;  // id
    Bytes dns;
};
struct KernelQuery {
    std::uint64_t token;
    std::uint16_t upstream;
    UpstreamVia via;
    UpstreamQuery header;
    Bytes dns;
};
struct Answered {
    Parked* parked;
    UpstreamResult end;
    int rcode = -1;  // -1: no buffer
    unsigned ancount = 0;
    bool truncated = false, authentic = false;
    std::uint32_t serial = 0;
};

// One worker: records what its forwarder sends.
class Station final : public ForwardSink {
  public:
    Station(BufferPools& buffers, forward::LoopBoard& loops, const ForwarderOptions& options);
    ~Station() override;

    bool send_frame(const NextHop& hop, std::uint16_t source_port, const Upstream& to,
                    std::span<const std::uint8_t> dns) noexcept override;
    bool send_by_kernel(std::uint64_t token, const Upstream& to, UpstreamVia via,
                        Buffer* query) noexcept override;
    bool send_to_worker(unsigned worker, const Message& m) noexcept override;
    void answered(Parked* parked, UpstreamResult end, Buffer* answer) noexcept override;

    std::vector<Frame> frames;
    std::vector<KernelQuery> kernel;
    std::vector<Answered> answers;
    std::array<std::deque<Message>, 2> out;  // by worker
    std::size_t ring_size = 1024;
    bool frames_have_room = true;
    unsigned frames_without_room = 0;  // number of the next frames that find none
    Counters counters;
    NextHopTable hops;
    Forwarder forwarder;
};

class World {
  public:
    explicit World(unsigned upstreams = 1, unsigned workers = 1,
                   const ForwarderOptions& options = {});
    ~World();

    // Parks a query on a worker and asks; the record lives as long as the world.
    Parked* ask(std::string_view name, unsigned worker = 0, std::uint16_t qtype = dns::kA);
    Parked* ask_over_tcp(std::string_view name);
    Parked* park(std::string_view name, unsigned worker, std::uint16_t qtype);
    void ask(Parked* parked, std::uint16_t group = 0);

    // The upstream answers a frame of station `worker`, as it should or with what is given.
    Verdict answer(const Frame& frame, const ReplyOf& what = {}, unsigned worker = 0);
    Verdict answer_with(const Frame& frame, const Bytes& reply, unsigned worker = 0);
    void answer_kernel(const KernelQuery& query, const ReplyOf& what = {}, unsigned worker = 0);
    void fail_kernel(const KernelQuery& query, int error, unsigned worker = 0);

    // Lets `ms` pass, from deadline to deadline.
    void wait(std::uint64_t ms);
    void deliver();  // messages between workers, in both directions, until there are none
    void tick();

    Station& station(unsigned worker = 0) { return *stations_[worker]; }
    std::uint64_t stat(Stat s, unsigned worker = 0) { return stations_[worker]->counters.get(s); }
    [[nodiscard]] unsigned buffers_in_use() const { return buffers_.in_use(); }
    forward::LoopBoard& loops() { return loops_; }

    std::unique_ptr<Snapshot> snapshot;
    Now now{1'000'000};
    std::uint64_t hash_salt = 0;  // into the upper half of the name's hash: chooses the owner

  private:
    BufferPools buffers_{512, 8};
    forward::LoopBoard loops_;
    std::vector<std::unique_ptr<Station>> stations_;
    std::vector<std::unique_ptr<Parked>> parked_;
};

}  // namespace steer::test
