// Questions that come back: equal ones that wait together, and loops that a test proves.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "world.h"

using namespace steer;
using namespace steer::test;

BOOST_AUTO_TEST_SUITE(loops)

namespace {

constexpr std::uint8_t kDigits = forward::LoopLabel::kDigits;
const IpAddress kStranger = *IpAddress::parse("192.0.2.77");

// Equal questions of one client, which may have the upstream's address.
Parked* ask_from(World& w, const IpAddress& client, std::string_view name = "www.example") {
    Parked* const parked = w.park(name, 0, dns::kA);
    parked->path.client.address = client;
    w.ask(parked);
    return parked;
}

Bytes name_of(const Bytes& query) {
    std::size_t end = dns::kHeaderSize;
    while (query[end] != 0)
        end += query[end] + 1U;
    return {query.begin() + dns::kHeaderSize, query.begin() + static_cast<std::ptrdiff_t>(end) + 1};
}

bool is_test(const Bytes& query) {
    return query[dns::kHeaderSize] == kDigits;
}

// The frames of the test that was sent last: below the root, and below the name.
struct SentTest {
    Frame root, below;
};
SentTest last_test(World& w) {
    std::vector<Frame> found;
    for (const Frame& f : w.station().frames) {
        if (is_test(f.dns)) found.push_back(f);
    }
    BOOST_REQUIRE(found.size() >= 2);
    return {found[found.size() - 2], found.back()};
}
std::size_t tests_sent(World& w) {
    return w.stat(Stat::loop_tests);
}

bool comes_back(World& w, const Frame& f, const IpAddress& from) {
    return w.loops().take_back(name_of(f.dns), from);
}

// A router that sends all back, on the address of upstream 0.
void prove_for_all(World& w, std::string_view name = "www.example") {
    w.ask(name);
    ask_from(w, upstream_address(0), name);
    const SentTest test = last_test(w);
    BOOST_REQUIRE(comes_back(w, test.root, upstream_address(0)));
    BOOST_REQUIRE(comes_back(w, test.below, upstream_address(0)));
    w.wait(500);
    BOOST_REQUIRE(w.stat(Stat::loops_proved) == 2U);
}

// The upstream's reply to each query for the name that it got.
void answer_all(World& w, std::string_view name, const ReplyOf& what = {}) {
    const std::vector<Frame> frames = w.station().frames;
    for (const Frame& f : frames) {
        if (name_of(f.dns) == wire_name(name)) w.answer(f, what);
    }
}

std::size_t looped(World& w) {
    return static_cast<std::size_t>(std::ranges::count_if(
        w.station().answers, [](const Answered& a) { return a.end == UpstreamResult::looped; }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(equal_questions_from_the_upstreams_address_wait_together) {
    World w;
    w.snapshot->groups[0].total_timeout_ms = 5'000;
    w.snapshot->upstreams[0].timeout_ms = 5'000;
    for (int i = 0; i < 1'000; ++i)
        ask_from(w, upstream_address(0));
    w.wait(3'000);  // a slow upstream: it does not answer the test's questions either
    BOOST_TEST(w.station().answers.empty());
    answer_all(w, "www.example");
    w.wait(10);
    BOOST_TEST(w.station().answers.size() == 1'000U);
    for (const Answered& a : w.station().answers)
        BOOST_TEST(a.rcode == 0);
    BOOST_TEST(tests_sent(w) == 1U);
    BOOST_TEST(w.stat(Stat::loops_proved) == 0U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_first_question_and_other_addresses_test_no_upstream) {
    World w;
    ask_from(w, upstream_address(0));
    ask_from(w, kStranger);
    ask_from(w, kStranger, "other.example");
    BOOST_TEST(w.station().frames.size() == 2U);
    BOOST_TEST(tests_sent(w) == 0U);
}

BOOST_AUTO_TEST_CASE(a_test_asks_below_the_root_and_below_the_name) {
    World w;
    ask_from(w, kStranger);
    ask_from(w, upstream_address(0));
    const SentTest test = last_test(w);
    const Bytes root = name_of(test.root.dns), below = name_of(test.below.dns);
    BOOST_TEST(root.size() == 2 * (kDigits + 1U) + 1);  // two labels
    BOOST_TEST(root[kDigits + 1U] == kDigits);
    const Bytes parent = wire_name("www.example");
    BOOST_TEST(Bytes(below.begin() + kDigits + 1, below.end()) == parent);
    BOOST_TEST(!std::equal(root.begin(), root.begin() + kDigits + 1, below.begin()));
    // The labels of the next test are others.
    w.wait(60'000);
    ask_from(w, kStranger);
    ask_from(w, upstream_address(0));
    BOOST_TEST(name_of(last_test(w).root.dns) != root);
}

BOOST_AUTO_TEST_CASE(the_label_replaces_first_labels_of_a_name_without_room) {
    World w;
    const std::string full = std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                             std::string(60, 'c') + "." + std::string(60, 'd') + ".example";
    ask_from(w, kStranger, full);
    ask_from(w, upstream_address(0), full);
    const Bytes below = name_of(last_test(w).below.dns);
    BOOST_TEST(below.size() <= dns::kMaxName);
    const Bytes parent = wire_name(std::string_view(full).substr(61));
    BOOST_TEST(Bytes(below.begin() + kDigits + 1, below.end()) == parent);
}

BOOST_AUTO_TEST_CASE(a_label_is_known_in_any_place_and_other_labels_are_not) {
    World w;
    ask_from(w, kStranger);
    ask_from(w, upstream_address(0));
    const Bytes name = name_of(last_test(w).root.dns);
    BOOST_TEST(w.loops().take_back(name, kStranger));
    for (std::size_t i = 1; i <= kDigits; ++i) {
        Bytes other = name;
        other[i] = other[i] == '0' ? '1' : '0';
        BOOST_TEST(!w.loops().take_back(other, kStranger));
    }
    BOOST_TEST(!w.loops().take_back(wire_name(std::string(kDigits, '0')), kStranger));
    BOOST_TEST(!w.loops().take_back(wire_name(std::string(kDigits, 'x')), kStranger));
    BOOST_TEST(!w.loops().take_back(wire_name("."), kStranger));
    Bytes cut(kDigits, 'a');
    cut[0] = kDigits;
    BOOST_TEST(!w.loops().take_back(cut, kStranger));
}

BOOST_AUTO_TEST_CASE(a_proved_loop_ends_returned_questions) {
    World w;
    Parked* const first = w.ask("www.example");
    Parked* const back = ask_from(w, upstream_address(0));
    Parked* const other = ask_from(w, kStranger);
    const SentTest test = last_test(w);
    BOOST_TEST(comes_back(w, test.root, upstream_address(0)));
    w.wait(499);
    BOOST_TEST(w.station().answers.empty());  // nothing is refused for an address
    w.wait(251);
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST(w.station().answers[0].parked == back);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::looped));
    // The next one ends at once, also for another name; the first ones go on.
    w.ask("other.example");
    Parked* const again = ask_from(w, upstream_address(0), "other.example");
    w.tick();
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST(w.station().answers[1].parked == again);
    answer_all(w, "www.example", {.rcode = dns::kServFail, .addresses = 0});
    BOOST_REQUIRE(w.station().answers.size() == 4);
    BOOST_TEST(w.station().answers[2].parked == first);
    BOOST_TEST(w.station().answers[3].parked == other);
    BOOST_TEST(w.stat(Stat::upstream_loops) == 2U);
}

BOOST_AUTO_TEST_CASE(a_question_comes_back_from_the_address_that_the_label_had) {
    World w;
    w.ask("www.example");
    ask_from(w, upstream_address(0));
    BOOST_TEST(comes_back(w, last_test(w).root, kStranger));
    w.wait(750);
    BOOST_TEST(looped(w) == 1U);
    w.ask("other.example");
    ask_from(w, kStranger, "other.example");
    ask_from(w, *IpAddress::parse("192.0.2.78"), "other.example");
    w.tick();
    BOOST_TEST(looped(w) == 2U);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_answers_all_the_same_does_not_loop) {
    for (const std::uint8_t rcode : {dns::kNoError, dns::kNxDomain}) {
        World w;
        w.ask("www.example");
        ask_from(w, upstream_address(0));
        const SentTest test = last_test(w);
        BOOST_TEST(comes_back(w, test.root, upstream_address(0)));
        BOOST_TEST(comes_back(w, test.below, upstream_address(0)));
        w.wait(400);
        for (const Frame& f : {test.root, test.below})
            BOOST_TEST((w.answer(f, {.rcode = rcode, .addresses = 0}) == Verdict::upstream_reply));
        w.wait(2'000);
        BOOST_TEST(w.stat(Stat::loops_proved) == 0U);
        BOOST_TEST(looped(w) == 0U);
        answer_all(w, "www.example");
        BOOST_TEST(w.station().answers.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(failures_late_answers_and_answers_of_others_do_not_save_an_upstream) {
    World w;
    w.ask("www.example");
    ask_from(w, upstream_address(0));
    const SentTest test = last_test(w);
    BOOST_TEST(comes_back(w, test.root, upstream_address(0)));
    BOOST_TEST(comes_back(w, test.below, upstream_address(0)));
    Frame other = test.root;  // a reply to another name
    other.dns[dns::kHeaderSize + 1] ^= 1;
    BOOST_TEST((w.answer(other, {.rcode = dns::kNxDomain, .addresses = 0}) ==
                Verdict::drop_upstream_malformed));
    w.answer(test.below, {.rcode = dns::kServFail, .addresses = 0});
    w.now.ms += 501;
    w.answer(test.root, {.rcode = dns::kNxDomain, .addresses = 0});
    w.wait(300);
    BOOST_TEST(w.stat(Stat::loops_proved) == 2U);
}

BOOST_AUTO_TEST_CASE(a_label_below_a_name_proves_a_loop_of_that_name_and_those_below_alone) {
    World w;
    w.ask("www.owner.example");
    ask_from(w, upstream_address(0), "www.owner.example");
    const SentTest test = last_test(w);
    w.answer(test.root, {.rcode = dns::kNxDomain, .addresses = 0});
    BOOST_TEST(comes_back(w, test.below, kStranger));  // the owner sent it
    w.wait(750);
    BOOST_TEST(looped(w) == 1U);
    for (const char* const name : {"owner.example", "mail.owner.example", "xwww.owner.example",
                                   "example", "www.other.example"}) {
        w.ask(name);
        ask_from(w, upstream_address(0), name);
    }
    w.tick();
    BOOST_TEST(looped(w) == 1U);
    w.ask("a.www.owner.example");
    ask_from(w, upstream_address(0), "a.www.owner.example");
    w.tick();
    BOOST_TEST(looped(w) == 2U);
}

BOOST_AUTO_TEST_CASE(a_question_that_comes_back_is_asked_of_the_next_upstream) {
    World w(2);
    w.snapshot->groups[0].policy = UpstreamPolicy::order;
    prove_for_all(w);
    w.wait(250);
    BOOST_TEST(looped(w) == 0U);
    const Frame next = w.station().frames.back();
    BOOST_TEST(next.upstream == 1U);
    BOOST_TEST((name_of(next.dns) == wire_name("www.example")));
    w.answer(next);
    BOOST_REQUIRE(w.station().answers.size() == 2);
    BOOST_TEST(w.station().answers[1].rcode == 0);
    // From now on at once.
    w.ask("other.example");
    ask_from(w, upstream_address(0), "other.example");
    BOOST_TEST(w.station().frames.back().upstream == 1U);
    // If that one fails, too, there is no other.
    w.answer(w.station().frames.back(), {.rcode = dns::kServFail, .addresses = 0});
    w.wait(250);
    BOOST_TEST(looped(w) == 1U);
}

BOOST_AUTO_TEST_CASE(a_loop_over_tcp_and_channels_is_proved) {
    for (const Channel channel : {Channel::datagrams, Channel::stream}) {
        World w;
        w.snapshot->upstreams[0].channel = channel;
        w.ask("www.example");
        ask_from(w, upstream_address(0));
        BOOST_REQUIRE(w.station().kernel.size() == 3);
        for (std::size_t i : {1U, 2U}) {
            BOOST_TEST((w.station().kernel[i].via == UpstreamVia::channel));
            BOOST_TEST(w.loops().take_back(name_of(w.station().kernel[i].dns), kStranger));
        }
        w.answer_kernel(w.station().kernel[2], {.rcode = dns::kNxDomain, .addresses = 0});
        w.fail_kernel(w.station().kernel[1], ECONNREFUSED);
        w.wait(750);
        BOOST_TEST(w.stat(Stat::loops_proved) == 1U);
        BOOST_TEST(w.stat(Stat::upstream_failures) == 0U);  // a test says nothing about health
        BOOST_TEST(looped(w) == 1U);
        w.answer_kernel(w.station().kernel[0]);
        BOOST_TEST(w.station().answers.size() == 2U);
        BOOST_TEST(w.buffers_in_use() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(an_upstream_is_tested_once_a_minute) {
    World w;
    for (unsigned i = 0; i < 59; ++i) {
        const std::string name = "n" + std::to_string(i) + ".example";
        w.ask(name);
        ask_from(w, upstream_address(0), name);
        w.wait(1'000);
    }
    BOOST_TEST(tests_sent(w) == 1U);
    w.wait(1'000);
    w.ask("again.example");
    ask_from(w, upstream_address(0), "again.example");
    BOOST_TEST(tests_sent(w) == 2U);
}

BOOST_AUTO_TEST_CASE(names_of_a_loop_are_tested_ten_times_a_second) {
    World w;
    const auto loops_below = [&](const std::string& name) {
        const std::size_t before = tests_sent(w);
        w.ask(name);
        ask_from(w, upstream_address(0), name);
        if (tests_sent(w) == before) return false;
        const SentTest test = last_test(w);
        w.answer(test.root, {.rcode = dns::kNxDomain, .addresses = 0});
        return comes_back(w, test.below, upstream_address(0));
    };
    BOOST_TEST(loops_below("n.zone.example"));
    w.wait(500);
    for (unsigned i = 0; i < 19; ++i) {
        loops_below("n" + std::to_string(i) + ".zone.example");
        w.wait(50);
    }
    BOOST_TEST(tests_sent(w) == 11U);
    // Eight in a row that prove nothing end that.
    for (unsigned i = 0; i < 100; ++i) {
        const std::string name = "m" + std::to_string(i) + ".example";
        w.ask(name);
        ask_from(w, upstream_address(0), name);
        w.wait(3'000);
    }
    BOOST_TEST(tests_sent(w) < 11U + 8 + 8);
}

BOOST_AUTO_TEST_CASE(a_loop_is_proved_again_each_minute) {
    World w;
    prove_for_all(w);
    w.wait(59'600);
    // The old proof holds until the new one is there.
    w.ask("next.example");
    ask_from(w, upstream_address(0), "next.example");
    BOOST_TEST(tests_sent(w) == 2U);
    w.tick();
    BOOST_TEST(looped(w) == 2U);
    const SentTest test = last_test(w);
    BOOST_TEST(comes_back(w, test.root, upstream_address(0)));
    w.wait(2'000);
    w.ask("third.example");
    ask_from(w, upstream_address(0), "third.example");
    w.tick();
    BOOST_TEST(looped(w) == 3U);
    // An upstream that loops no more.
    w.wait(58'500);
    w.ask("fourth.example");
    ask_from(w, upstream_address(0), "fourth.example");
    BOOST_TEST(tests_sent(w) == 3U);
    w.wait(2'000);
    w.ask("fifth.example");
    ask_from(w, upstream_address(0), "fifth.example");
    w.tick();
    BOOST_TEST(looped(w) == 4U);
}

BOOST_AUTO_TEST_CASE(a_hundred_names_of_a_loop_end_within_a_second) {
    World w(1, 1, {.max_in_flight = 256});
    for (unsigned i = 0; i < 50; ++i) {
        const std::string name = "n" + std::to_string(i) + ".example";
        w.ask(name);
        ask_from(w, upstream_address(0), name);
        w.wait(4);
    }
    BOOST_TEST(comes_back(w, last_test(w).root, upstream_address(0)));
    BOOST_TEST(tests_sent(w) == 1U);
    w.wait(760);
    BOOST_TEST(looped(w) == 50U);
}

BOOST_AUTO_TEST_CASE(workers_share_a_proof) {
    World w(1, 2);
    prove_for_all(w);
    w.hash_salt = 1;
    for (const IpAddress& client : {kStranger, upstream_address(0)}) {
        Parked* const parked = w.park("other.example", 1, dns::kA);
        parked->path.client.address = client;
        w.ask(parked);
    }
    w.station(1).forwarder.tick(w.now);
    BOOST_REQUIRE(w.station(1).answers.size() == 1);
    BOOST_TEST((w.station(1).answers[0].end == UpstreamResult::looped));
}

BOOST_AUTO_TEST_SUITE_END()
