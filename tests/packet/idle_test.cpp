// A worker on a thread of its own sleeps when it has no work, and wakes up for packets and messages.
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "dataplane/stages/idle.h"
#include "packet/appliance.h"

namespace steer::test {
namespace {

// A second worker beside the appliance's, without ports: like one of `driver: socket`.
class Portless {
  public:
    Portless() {
        SnapshotMaker m;
        m.add(Op::reject, dns::kNxDomain);
        m.add(Op::end);
        appliance_.publish(m.finish());
        rings_.from_stream[0] = &to_worker_;
        rings_.to_stream[0] = &to_stream_;
        worker_ = std::make_unique<Worker>(
            WorkerOptions{.index = 1, .workers = 2, .max_parked = 16}, appliance_.shared(), rings_,
            std::vector<Port*>{}, sleeper_, clock_);
        thread_ = std::thread([this] { worker_->run(); });
    }
    ~Portless() {
        worker_->stop();
        thread_.join();
        ::close(sleeper_.event_fd());
    }
    Portless(const Portless&) = delete;
    Portless& operator=(const Portless&) = delete;

    [[nodiscard]] std::uint64_t get(Stat s) const { return worker_->counters().get(s); }

    // Queries that come at once.
    void ask(unsigned queries) {
        const auto query = DnsMessage::query(9, "www.other.example", 1);
        for (std::uint64_t i = 1; i <= queries; ++i) {
            Buffer* const b = appliance_.shared().buffers->take(1000);
            InjectedQuery head{};
            head.client = *IpAddress::parse("192.0.2.10");
            head.length = static_cast<std::uint32_t>(query.size());
            std::memcpy(b->data(), &head, sizeof head);
            std::memcpy(b->data() + sizeof head, query.bytes().data(), query.size());
            b->length = static_cast<std::uint32_t>(sizeof head + query.size());
            BOOST_REQUIRE(to_worker_.push({.kind = MessageKind::inject, .token = i, .buffer = b}));
        }
        for (std::uint64_t i = 1; i <= queries; ++i) {
            Message answer;
            while (to_stream_.pop(&answer, 1) == 0)
                std::this_thread::yield();
            BOOST_CHECK_EQUAL(answer.token, i);
            BOOST_CHECK_EQUAL(answer.buffer->data()[3] & 15, 3);
            release(answer.buffer);
        }
    }

  private:
    Appliance appliance_;
    Sleeper sleeper_{::eventfd(0, EFD_NONBLOCK)};
    Ring<Message> to_worker_{64, &sleeper_}, to_stream_{64, nullptr};
    WorkerRings rings_;
    BootClock clock_;
    std::unique_ptr<Worker> worker_;
    std::thread thread_;
};

// How many of 1,000 pauses are naps, where a nap brings that many packets and a sleep so many.
unsigned naps_of(unsigned by_nap, unsigned by_sleep) {
    LoadNaps load;
    std::uint64_t received = 0;
    unsigned naps = 0;
    bool napping = false;
    for (unsigned pause = 0; pause < 1000; ++pause) {
        received += napping ? by_nap : by_sleep;
        napping = load.wants(received);
        load.pause(received, napping);
        naps += napping ? 1 : 0;
    }
    return naps;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(idle)

BOOST_AUTO_TEST_CASE(a_worker_naps_when_a_nap_gathers_more_packets) {
    BOOST_CHECK_GT(naps_of(6, 2), 700);
    BOOST_CHECK_LT(naps_of(6, 10), 50);  // tries
    BOOST_CHECK_LT(naps_of(2, 2), 50);
    BOOST_CHECK_EQUAL(naps_of(1, 1), 0);  // a query that is alone is woken for
}

// A port whose descriptor is always readable.
class RestlessPort final : public Port {
  public:
    RestlessPort() {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(fd_, &one, sizeof one) == sizeof one);
    }
    ~RestlessPort() override { ::close(fd_); }
    RestlessPort(const RestlessPort&) = delete;
    RestlessPort& operator=(const RestlessPort&) = delete;
    std::uint16_t rx(rte_mbuf** /*out*/, std::uint16_t /*n*/) noexcept override { return 0; }
    std::uint16_t tx(rte_mbuf** /*packets*/, std::uint16_t /*n*/) noexcept override { return 0; }
    [[nodiscard]] int wake_fd() const noexcept override { return fd_; }
    [[nodiscard]] rte_mempool* pool() const noexcept override { return nullptr; }

  private:
    int fd_ = ::eventfd(0, EFD_NONBLOCK);
};

BOOST_AUTO_TEST_CASE(wakeups_of_a_port_are_counted_if_no_work_followed) {
    Sleeper sleeper{::eventfd(0, EFD_NONBLOCK)};
    {
        RestlessPort port;
        const std::array<Port*, 1> ports{&port};
        Sleep sleep(ports, sleeper);
        const Now now = BootClock().now();
        sleep.until(now.ms + 1000, now, 1);
        BOOST_TEST(port.wakeups_without_work() == 0U);  // not known yet
        sleep.until(now.ms + 1000, now, 2);
        sleep.until(now.ms + 1000, now, 3);
        BOOST_TEST(port.wakeups_without_work() == 2U);
        // There was work before this sleep.
        sleep.until(now.ms + 1000, now, 1);
        BOOST_TEST(port.wakeups_without_work() == 2U);
    }
    ::close(sleeper.event_fd());
}

BOOST_AUTO_TEST_CASE(a_message_wakes_a_sleeping_worker_and_stop_ends_it) {
    Portless worker;
    for (std::uint64_t round = 1; round <= 3; ++round) {
        while (worker.get(Stat::sleeps) < round)
            std::this_thread::yield();
        worker.ask(1);
    }
    BOOST_CHECK_EQUAL(worker.get(Stat::naps), 0);
}

BOOST_AUTO_TEST_CASE(answers_of_a_turn_wake_a_sleeping_stream) {
    Sleeper stream{::eventfd(0, EFD_NONBLOCK)};
    {
        Appliance a({.stream_sleeper = &stream});
        SnapshotMaker m;
        m.add(Op::reject, dns::kNxDomain);
        m.add(Op::end);
        a.publish(m.finish());
        for (unsigned round = 1; round <= 2; ++round) {
            for (std::uint64_t token = 1; token <= 5; ++token)
                a.inject(DnsMessage::query(9, "www.other.example", 1), token);
            stream.going_to_sleep();
            a.turn();
            BOOST_CHECK_EQUAL(a.injected_answers().size(), 5U);
            std::uint64_t wakes = 0;
            BOOST_CHECK_EQUAL(::read(stream.event_fd(), &wakes, sizeof wakes),
                              static_cast<ssize_t>(sizeof wakes));
        }
    }
    ::close(stream.event_fd());
}

BOOST_AUTO_TEST_CASE(naps_under_load_lose_no_packet) {
    Portless worker;
    for (unsigned round = 0; round < 10'000 && worker.get(Stat::naps) == 0; ++round)
        worker.ask(8);
    BOOST_CHECK_GT(worker.get(Stat::naps), 0);
    const std::uint64_t sleeps = worker.get(Stat::sleeps) - worker.get(Stat::naps);
    while (worker.get(Stat::sleeps) - worker.get(Stat::naps) <= sleeps)
        std::this_thread::yield();  // nothing more comes: it waits to be woken
    worker.ask(1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
