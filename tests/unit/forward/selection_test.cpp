// Whose reply is taken when several upstreams are asked at the same time (response_selection).
#include <boost/test/unit_test.hpp>

#include "world.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr ReplyOf kNxDomain{.rcode = dns::kNxDomain, .addresses = 0};
constexpr ReplyOf kNoData{.addresses = 0};
constexpr ReplyOf kServFail{.rcode = dns::kServFail, .addresses = 0};

// A question that three upstreams were asked at once.
struct Asked : World {
    explicit Asked(ResponseSelection selection, unsigned upstreams = 3) : World(upstreams) {
        snapshot->groups[0].concurrent = static_cast<std::uint8_t>(upstreams);
        snapshot->groups[0].selection = selection;
        ask("www.example");
        BOOST_TEST_REQUIRE(station().frames.size() == upstreams);
    }
    void says(unsigned upstream, const ReplyOf& what) {
        BOOST_TEST((answer(station().frames[upstream], what) == Verdict::upstream_reply));
    }
    [[nodiscard]] bool is_over() { return !station().answers.empty(); }
    int rcode() {
        BOOST_TEST_REQUIRE(station().answers.size() == 1U);
        BOOST_TEST((station().answers[0].end == UpstreamResult::answered));
        return station().answers[0].rcode;
    }
    unsigned records() { return station().answers.at(0).ancount; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(selection)

BOOST_AUTO_TEST_CASE(balanced_gives_a_positive_reply_100_ms) {
    Asked w(ResponseSelection::balanced);
    w.says(1, kNxDomain);
    BOOST_TEST(!w.is_over());
    w.now.ms += 99;
    w.tick();
    BOOST_TEST(!w.is_over());
    w.says(0, {});
    BOOST_TEST(w.rcode() == 0);
    BOOST_TEST(w.records() == 1U);
    BOOST_TEST(w.stat(Stat::upstream_negative_held) == 1U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(balanced_takes_the_negative_reply_after_100_ms) {
    Asked w(ResponseSelection::balanced);
    w.says(1, kNxDomain);
    w.wait(104);
    BOOST_TEST(w.rcode() == dns::kNxDomain);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(balanced_takes_the_last_negative_one_when_all_have_replied) {
    Asked w(ResponseSelection::balanced);
    w.says(1, kNxDomain);
    w.says(0, kServFail);
    BOOST_TEST(!w.is_over());
    w.says(2, kNoData);
    BOOST_TEST(w.rcode() == 0);
    BOOST_TEST(w.records() == 0U);
}

BOOST_AUTO_TEST_CASE(balanced_takes_a_positive_reply_at_once) {
    Asked w(ResponseSelection::balanced);
    w.says(2, {});
    BOOST_TEST(w.rcode() == 0);
}

BOOST_AUTO_TEST_CASE(fastest_takes_the_first_answer_and_no_failure) {
    Asked negative(ResponseSelection::fastest);
    negative.says(2, kNxDomain);
    BOOST_TEST(negative.rcode() == dns::kNxDomain);
    Asked failure(ResponseSelection::fastest);
    failure.says(2, kServFail);
    BOOST_TEST(!failure.is_over());
    failure.says(0, kNoData);
    BOOST_TEST(failure.rcode() == 0);
}

BOOST_AUTO_TEST_CASE(prefer_positive_waits_for_all) {
    Asked w(ResponseSelection::prefer_positive);
    w.says(0, kNxDomain);
    w.says(1, kNxDomain);
    w.now.ms += 1'000;
    w.tick();
    BOOST_TEST(!w.is_over());
    w.says(2, {});
    BOOST_TEST(w.rcode() == 0);
    Asked none(ResponseSelection::prefer_positive);
    none.says(0, kNxDomain);
    none.wait(1'900);
    BOOST_TEST(!none.is_over());
    none.wait(200);  // the others' time is over
    BOOST_TEST(none.rcode() == dns::kNxDomain);
}

BOOST_AUTO_TEST_CASE(consensus_needs_two_equal_answers) {
    Asked w(ResponseSelection::consensus);
    w.says(0, kNxDomain);
    w.says(1, kNoData);
    BOOST_TEST(!w.is_over());
    w.says(2, kNxDomain);
    BOOST_TEST(w.rcode() == dns::kNxDomain);
    Asked two(ResponseSelection::consensus);
    two.says(0, kNoData);
    two.says(2, kNoData);
    BOOST_TEST(two.rcode() == 0);
    Asked positive(ResponseSelection::consensus);
    positive.says(0, kNoData);
    positive.says(2, {});
    BOOST_TEST(positive.records() == 1U);
    Asked split(ResponseSelection::consensus, 2);
    split.says(0, kNxDomain);
    split.says(1, kNoData);
    BOOST_TEST(split.rcode() == 0);
}

BOOST_AUTO_TEST_CASE(a_single_upstream_needs_no_selection) {
    World w(2);
    w.snapshot->groups[0].selection = ResponseSelection::prefer_positive;
    w.ask("www.example");
    w.answer(w.station().frames[0], kNxDomain);
    BOOST_TEST(w.station().answers.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_truncated_reply_is_not_negative) {
    Asked w(ResponseSelection::prefer_positive);
    w.says(0, {.addresses = 0, .flags = dns::kTc});
    BOOST_TEST(w.is_over());
}

BOOST_AUTO_TEST_CASE(questions_with_another_selection_are_not_shared) {
    World w(2);
    auto other = make_snapshot(2);
    w.snapshot->groups[0].concurrent = other->groups[0].concurrent = 2;
    other->groups[0].selection = ResponseSelection::fastest;
    w.ask("www.example");
    Parked* const second = w.park("www.example", 0, dns::kA);
    second->snapshot = other.get();
    w.ask(second);
    BOOST_TEST(w.station().forwarder.in_flight() == 2U);
    w.wait(6'000);
}

BOOST_AUTO_TEST_SUITE_END()
