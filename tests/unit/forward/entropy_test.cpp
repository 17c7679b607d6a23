// Ids and source ports of upstream queries, through the forwarder itself: uniform, without
// correlation, and reused as often as chance says. With the seeds here the results never change;
// one run takes its key from the system. STEER_DRAWS=10000000 is the long form (suite `slow`).
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <set>

#include "sender.h"
#include "support/uniformity.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr double kMost = 6;  // standard deviations
constexpr std::uint16_t kFirstPort = 10'240;
constexpr unsigned kPorts = 16'384;

// All statistics of one kind of sender.
class Judge {
  public:
    Judge(unsigned ports, unsigned step) : ports_(ports), step_(step), port_bins_(ports) {}

    void add(std::uint16_t port, std::uint16_t id) {
        ids_.add(id);
        if (has_last_) {
            id_pairs_.add((last_id_ >> 8) << 8 | id >> 8);
            low_id_pairs_.add((last_id_ & 255U) << 8 | (id & 255U));
            id_serial_.add(last_id_, id);
        }
        if (port != 0) {
            const unsigned index = (port - kFirstPort) / step_;
            port_bins_.add(index);
            port_with_id_.add((index * 256 / ports_) << 8 | (id & 255U));
            port_and_id_.add(index, id);
            if (has_last_) {
                port_pairs_.add((last_index_ * 256 / ports_) << 8 | index * 256 / ports_);
                port_serial_.add(last_index_, index);
            }
            last_index_ = index;
        }
        last_id_ = id;
        has_last_ = true;
    }
    void check(bool has_ports) const {
        BOOST_TEST(std::abs(ids_.deviations()) < kMost);
        BOOST_TEST(std::abs(id_pairs_.deviations()) < kMost);
        BOOST_TEST(std::abs(low_id_pairs_.deviations()) < kMost);
        BOOST_TEST(std::abs(id_serial_.deviations()) < kMost);
        BOOST_TEST((port_bins_.total() > 0) == has_ports);
        if (!has_ports) return;
        BOOST_TEST(std::abs(port_bins_.deviations()) < kMost);
        BOOST_TEST(std::abs(port_pairs_.deviations()) < kMost);
        BOOST_TEST(std::abs(port_with_id_.deviations()) < kMost);
        BOOST_TEST(std::abs(port_serial_.deviations()) < kMost);
        BOOST_TEST(std::abs(port_and_id_.deviations()) < kMost);
    }

  private:
    unsigned ports_, step_;
    bool has_last_ = false;
    unsigned last_id_ = 0, last_index_ = 0;
    Uniformity ids_{65'536}, id_pairs_{65'536}, low_id_pairs_{65'536};
    Uniformity port_bins_, port_pairs_{65'536}, port_with_id_{65'536};
    Correlation id_serial_, port_serial_, port_and_id_;
};

ForwarderOptions seeded(std::uint64_t seed, unsigned worker = 0, unsigned workers = 1) {
    ForwarderOptions options;
    options.worker = worker;
    options.workers = workers;
    options.max_in_flight = 64;
    options.random_seed = seed;
    return options;
}

void draw(Sender& sender, Judge& judge, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        sender.ask();
        judge.add(sender.sent.port, sender.sent.id);
        sender.answer();
    }
    BOOST_TEST(sender.answered_with_buffer == count);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(entropy)

// Every driver's port sends what the forwarder wrote: af_xdp, memif, tap, pcap, DPDK.
BOOST_AUTO_TEST_CASE(ids_and_ports_of_a_port_are_uniform_and_do_not_correlate) {
    Sender sender(seeded(4), "www.example");
    Judge judge(kPorts, 1);
    draw(sender, judge, draws(1'000'000));
    judge.check(true);
}

BOOST_AUTO_TEST_CASE(so_they_are_with_random_case) {
    ForwarderOptions options = seeded(5);
    options.random_case = RandomCase::learned;
    Sender sender(options, "www.example");
    Judge judge(kPorts, 1);
    draw(sender, judge, draws(200'000));
    judge.check(true);
}

BOOST_AUTO_TEST_CASE(so_they_are_on_a_worker_that_has_a_quarter_of_the_ports) {
    Sender sender(seeded(6, 3, 4), "www.example");
    // 10240 is a multiple of 4: this worker's first port is 10243.
    Judge judge(kPorts / 4, 4);
    draw(sender, judge, draws(200'000));
    judge.check(true);
}

BOOST_AUTO_TEST_CASE(so_they_are_with_a_key_of_the_system) {
    Sender sender(seeded(0), "www.example");
    Judge judge(kPorts, 1);
    draw(sender, judge, draws(200'000));
    judge.check(true);
}

// The kernel chooses the port (unit_stream tests that), streams' sessions another id.
BOOST_AUTO_TEST_CASE(ids_of_queries_by_kernel_sockets_and_channels_are_uniform) {
    const std::pair<NextHop::Via, Channel> kinds[] = {
        {NextHop::Via::kernel, Channel::none},
        {NextHop::Via::nothing, Channel::datagrams},
        {NextHop::Via::nothing, Channel::stream},
    };
    for (const auto& [via, channel] : kinds) {
        Sender sender(seeded(7), "www.example", via, channel);
        Judge judge(kPorts, 1);
        draw(sender, judge, draws(1'000'000) / 5);
        judge.check(false);
    }
}

// Consecutive queries take their ports with repetition: of n draws out of n ports, n (1 - 1/e)
// differ. A sender that avoids used ports would tell an attacker which ones are left.
BOOST_AUTO_TEST_CASE(ports_are_reused_as_often_as_chance_says) {
    Sender sender(seeded(8), "www.example");
    for (unsigned round = 0; round < 8; ++round) {
        std::set<std::uint16_t> seen;
        for (unsigned i = 0; i < kPorts; ++i) {
            sender.ask();
            seen.insert(sender.sent.port);
            sender.answer();
        }
        const double expected = kPorts * (1 - std::exp(-1.0));
        const double deviation = std::sqrt(kPorts * (std::exp(-1.0) - 2 * std::exp(-2.0)));
        BOOST_TEST(std::abs(static_cast<double>(seen.size()) - expected) < kMost * deviation);
    }
}

// Of queries in flight no two have the same port and id. With two ports, chance draws a pair that
// is taken some five times in this test.
BOOST_AUTO_TEST_CASE(queries_in_flight_never_share_port_and_id) {
    ForwarderOptions options;
    options.first_port = 2000;
    options.last_port = 2001;
    World w(1, 1, options);
    std::set<std::pair<std::uint16_t, std::uint16_t>> taken;
    for (unsigned round = 0; round < 400; ++round) {
        taken.clear();
        w.station().frames.clear();
        for (unsigned i = 0; i < 60; ++i)
            w.ask("n" + std::to_string(round) + "-" + std::to_string(i) + ".example");
        BOOST_REQUIRE(w.station().frames.size() == 60U);
        const auto frames = w.station().frames;
        for (const Frame& frame : frames)
            BOOST_TEST_REQUIRE(taken.emplace(frame.source_port, id_of(frame.dns)).second);
        for (const Frame& frame : frames)
            w.answer(frame);
        BOOST_TEST_REQUIRE(w.station().answers.size() == 60U);
        w.station().answers.clear();
    }
}

BOOST_AUTO_TEST_SUITE_END()
