// Samples (dataplane/stages/sample.h): one query in so many, however it is answered, and none unless they are wanted.
#include "dataplane/stages/sample.h"

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

struct Sampled {
    Sampled() { appliance.publish(cache_forward()); }
    void want(std::uint32_t one_in) { appliance.shared().sample_one_in.store(one_in); }
    void ask_some(unsigned n) {
        for (unsigned i = 0; i < n; ++i)
            appliance.ask("www.example.org", 1, static_cast<std::uint16_t>(++asked));
        appliance.turn();
        (void)appliance.answers();
    }
    // The ids of the queries that were taken.
    std::vector<unsigned> taken() {
        std::vector<unsigned> ids;
        for (const Sample& s : appliance.samples()) {
            BOOST_TEST(s.stands_for == appliance.shared().sample_one_in.load());
            BOOST_TEST(s.client.to_string() == "192.0.2.10");
            ids.push_back(s.message[0] << 8U | s.message[1]);
        }
        return ids;
    }

    Appliance appliance;
    unsigned asked = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(samples, Sampled)

BOOST_AUTO_TEST_CASE(queries_are_sampled_only_on_request) {
    appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    ask_some(5);
    BOOST_TEST(appliance.samples().empty());
    want(1);
    ask_some(1);
    want(0);
    ask_some(5);
    BOOST_TEST(appliance.samples().size() == 1U);
}

BOOST_AUTO_TEST_CASE(hits_of_cache_and_memo_are_sampled_as_received) {
    want(1);
    appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    BOOST_TEST(appliance.samples().size() == 1U);
    ask_some(1);  // from the cache
    ask_some(1);  // by the packet cache
    BOOST_TEST(appliance.count(Stat::packet_cache_hits) == 1U);
    const auto from_cache = appliance.samples();
    BOOST_TEST(from_cache.size() == 2U);
    for (const Sample& s : from_cache) {
        BOOST_TEST(s.length == 12 + 17 + 4);
        BOOST_TEST(std::string(s.message.begin() + 13, s.message.begin() + 16) == "www");
        BOOST_TEST(s.lost == 0U);
    }
    appliance.inject(DnsMessage::query(9, "www.example.org", 1), 7);
    appliance.turn();
    (void)appliance.injected_answers();
    BOOST_TEST(appliance.samples().size() == 1U);
}

BOOST_AUTO_TEST_CASE(one_query_in_n_is_sampled_over_bursts_of_any_size) {
    appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    want(7);
    std::vector<unsigned> all;
    for (const unsigned n : {1U, 5U, 30U, 2U, 32U, 7U, 3U, 31U, 1U, 14U}) {
        ask_some(n);
        for (const unsigned id : taken())
            all.push_back(id);
    }
    BOOST_REQUIRE(all.size() == (asked + 6) / 7);
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(all[i] == 1 + 7 * i);
    // Fewer are passed by than the last time said, if more are wanted.
    want(2);
    ask_some(2);
    BOOST_TEST(appliance.samples().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_next_sample_counts_samples_lost_to_a_full_ring) {
    appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    want(1);
    ask_some(20);  // 7 fit
    auto taken = appliance.samples();
    BOOST_TEST(taken.size() == 7U);
    ask_some(2);
    taken = appliance.samples();
    BOOST_REQUIRE(taken.size() == 2U);
    BOOST_TEST(taken[0].lost == 13U);
    BOOST_TEST(taken[1].lost == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
