// Ids and ports of queries that leave by the kernel: sessions draw an id for each query, and the
// kernel a port for each socket. The key is the system's.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "control/streams/upstream/id_session.h"
#include "dataplane/dns/wire.h"
#include "support/uniformity.h"
#include "world.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr double kMostOff = 6;  // standard deviations

unsigned entropy_draws(unsigned usual) {
    const char* const text = std::getenv("STEER_DRAWS");
    return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : usual;
}

struct IdleWatcher final : stream::SessionWatcher {
    void on_room(stream::UpstreamSession&) override {}
    void on_ended(stream::UpstreamSession&, const std::string&) override {}
};

// The common part of DNS over TCP, TLS and a proxy's relay, without a connection.
class BareSession final : public stream::IdSession {
  public:
    BareSession(stream::StreamContext& context, stream::SessionWatcher& watcher)
        : IdSession(context, watcher, 1000) {}
    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override {
        const auto sent = add(query, deadline_ms, std::move(done), 0);
        last.assign(sent.begin(), sent.end());
    }
    bool reply(std::span<std::uint8_t> message) { return take_reply(message); }
    std::vector<std::uint8_t> last;

  private:
    void disconnect() override {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_entropy)

BOOST_AUTO_TEST_CASE(ids_of_sessions_are_uniform_and_do_not_correlate) {
    Sleeper sleeper{-1};
    BootClock clock;
    BufferPools buffers{16, 4};
    stream::StreamContext context{0, {{}, {}, &sleeper}, buffers, clock};
    IdleWatcher watcher;
    BareSession session(context, watcher);
    const Bytes query = make_query(0, "www.example");
    Bytes response = make_response(query, 1);
    Uniformity ids(65'536), pairs(65'536);
    Correlation serial;
    unsigned before = 0, done = 0;
    const unsigned count = entropy_draws(400'000);
    for (unsigned i = 0; i < count; ++i) {
        session.ask(query, UINT64_MAX, [&](const stream::SessionReply&) { ++done; });
        const unsigned id = dns::load_be16(session.last.data());
        ids.add(id);
        if (i > 0) {
            pairs.add((before & 0xff) << 8 | (id & 0xff));
            serial.add(before, id);
        }
        before = id;
        dns::store_be16(response.data(), static_cast<std::uint16_t>(id));
        BOOST_TEST_REQUIRE(session.reply(response));
    }
    BOOST_TEST(done == count);
    BOOST_TEST(std::abs(ids.deviations()) < kMostOff);
    BOOST_TEST(std::abs(pairs.deviations()) < kMostOff);
    BOOST_TEST(std::abs(serial.deviations()) < kMostOff);
}

// The kernel gives each query's socket a port of its range: uniform, apart from the id, and not by
// counting. Ports that other sockets have at the time are left out, which coarse bins do not show.
BOOST_AUTO_TEST_CASE(ports_of_kernel_sockets_are_uniform_and_do_not_correlate) {
    unsigned first = 32'768, last = 60'999;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
    constexpr unsigned kBins = 128, kCoarse = 32;
    const unsigned range = last - first + 1;
    StreamWorld w;
    Peer upstream = Peer::bound(stream::Transport::udp, address("127.0.0.1"));
    Uniformity ports(kBins), pairs(std::size_t{kCoarse} * kCoarse);
    Correlation serial;
    unsigned before = 0, seen = 0;
    const unsigned count = std::min(entropy_draws(20'000), 1'000'000U);
    for (unsigned i = 0; i < count; ++i) {
        w.ask_upstream(stream::Transport::udp, make_query(7, "www.example"), address("127.0.0.1"),
                       upstream.port(), i);
        std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
        BOOST_TEST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
        const unsigned port = asked->second.port();
        if (port < first || port > last) continue;
        ports.add((port - first) * kBins / range);
        if (seen++ > 0) {
            pairs.add((before - first) * kCoarse / range * kCoarse +
                      (port - first) * kCoarse / range);
            serial.add(before, port);
        }
        before = port;
        upstream.send_to(make_response(asked->first, 1), asked->second);
        BOOST_TEST_REQUIRE(w.until([&] { return w.replies.size() == 1; }));
        (void)StreamWorld::bytes_of(w.replies[0]);
        release(w.replies[0].buffer);
        w.replies.clear();
    }
    BOOST_TEST(seen == count);
    BOOST_TEST(std::abs(ports.deviations()) < kMostOff);
    BOOST_TEST(std::abs(pairs.deviations()) < kMostOff);
    BOOST_TEST(std::abs(serial.deviations()) < kMostOff);
}

// A probe has its name in random case, never in lower case alone, and its reply tells whether it
// returned.
BOOST_AUTO_TEST_CASE(a_probe_finds_out_whether_the_case_is_kept) {
    StreamWorld w;
    Peer upstream = Peer::bound(stream::Transport::udp, address("127.0.0.1"));
    const auto probe = [&](bool random_case, bool lowers) {
        std::optional<stream::ReplyCase> found;
        w.thread->probe({.upstream = 3,
                         .random_case = random_case,
                         .address = address("127.0.0.1"),
                         .port = upstream.port(),
                         .query = make_query(0, "a.root-servers.net")},
                        [&](const stream::ProbeReply& reply) { found = reply.name_case; });
        std::optional<std::pair<Bytes, stream::SocketAddress>> asked;
        BOOST_TEST_REQUIRE(w.until([&] { return (asked = upstream.receive_from()).has_value(); }));
        constexpr std::size_t kName = 20;
        const auto capitals =
            std::count_if(asked->first.begin() + dns::kHeaderSize,
                          asked->first.begin() + dns::kHeaderSize + kName,
                          [](std::uint8_t byte) { return byte >= 'A' && byte <= 'Z'; });
        BOOST_TEST((capitals > 0 && capitals < 15) == random_case);
        Bytes reply = make_response(asked->first, 1);
        if (lowers) dns::lower_case(&reply[dns::kHeaderSize], &reply[dns::kHeaderSize], kName);
        upstream.send_to(reply, asked->second);
        BOOST_TEST_REQUIRE(w.until([&] { return found.has_value(); }));
        return *found;
    };
    for (unsigned i = 0; i < 50; ++i) {
        BOOST_TEST((probe(true, false) == stream::ReplyCase::kept));
        BOOST_TEST((probe(true, true) == stream::ReplyCase::changed));
    }
    BOOST_TEST((probe(false, true) == stream::ReplyCase::unknown));
}

BOOST_AUTO_TEST_SUITE_END()
