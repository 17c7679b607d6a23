// A worker on a thread of its own: asleep when there is nothing to do, awake when somebody wants it.
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "packet/appliance.h"

namespace steer::test {

BOOST_AUTO_TEST_SUITE(idle)

BOOST_AUTO_TEST_CASE(a_message_wakes_a_sleeping_worker_and_stop_ends_it) {
    Appliance a;
    SnapshotMaker m;
    m.add(Op::reject, dns::kNxDomain);
    m.add(Op::end);
    a.publish(m.finish());

    // A second worker beside the appliance's, without ports: like one of `driver: socket`.
    Sleeper sleeper(::eventfd(0, EFD_NONBLOCK));
    Ring<Message> to_worker(64, &sleeper), to_stream(64, nullptr);
    WorkerRings rings;
    rings.from_stream[0] = &to_worker;
    rings.to_stream[0] = &to_stream;
    BootClock clock;
    Worker worker({.index = 1, .workers = 2, .max_parked = 16}, a.shared(), rings, {}, sleeper,
                  clock);
    std::thread thread([&] { worker.run(); });

    for (std::uint64_t round = 1; round <= 3; ++round) {
        while (worker.counters().get(Stat::sleeps) < round)
            std::this_thread::yield();
        const auto query = DnsMessage::query(9, "www.other.example", 1);
        Buffer* const b = a.shared().buffers->take(1000);
        InjectedQuery head{};
        head.client = *IpAddress::parse("192.0.2.10");
        head.length = static_cast<std::uint32_t>(query.size());
        std::memcpy(b->data(), &head, sizeof head);
        std::memcpy(b->data() + sizeof head, query.bytes().data(), query.size());
        b->length = static_cast<std::uint32_t>(sizeof head + query.size());
        BOOST_REQUIRE(to_worker.push({.kind = MessageKind::inject, .token = round, .buffer = b}));
        Message answer;
        while (to_stream.pop(&answer, 1) == 0)
            std::this_thread::yield();
        BOOST_CHECK_EQUAL(answer.token, round);
        BOOST_CHECK_EQUAL(answer.buffer->data()[3] & 15, 3);
        release(answer.buffer);
    }
    worker.stop();
    thread.join();
    ::close(sleeper.event_fd());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
