#include "dataplane/cache/admit.h"

#include <boost/test/unit_test.hpp>

using namespace steer;
using cache::cacheable_for_s;

namespace {

dns::Answer positive(std::uint32_t ttl_s) {
    dns::Answer a{};
    a.min_ttl_s = ttl_s;
    a.ancount = a.ttl_count = 1;
    return a;
}
dns::Answer negative(std::uint8_t rcode, std::uint32_t ttl_s, bool has_soa) {
    dns::Answer a{};
    a.rcode = rcode;
    a.negative = true;
    a.has_soa = has_soa;
    a.min_ttl_s = ttl_s;
    a.ttl_count = ttl_s == 0 ? 0 : 1;
    return a;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(admit)

BOOST_AUTO_TEST_CASE(positive_answers_live_for_their_ttl) {
    CacheInstance settings;
    BOOST_TEST(cacheable_for_s(positive(300), settings) == 300U);
    BOOST_TEST(cacheable_for_s(positive(0), settings) == 0U);
    settings.min_positive_ttl_s = 60;
    settings.max_positive_ttl_s = 600;
    BOOST_TEST(cacheable_for_s(positive(0), settings) == 60U);
    BOOST_TEST(cacheable_for_s(positive(300), settings) == 300U);
    BOOST_TEST(cacheable_for_s(positive(86400), settings) == 600U);
}

BOOST_AUTO_TEST_CASE(truncated_and_failed_answers_are_not_kept) {
    CacheInstance settings;
    settings.min_positive_ttl_s = 60;
    auto truncated = positive(300);
    truncated.flags = dns::kTc;
    BOOST_TEST(cacheable_for_s(truncated, settings) == 0U);
    for (std::uint8_t rcode = 0; rcode < 16; ++rcode) {
        const auto life = cacheable_for_s(dns::empty_answer(rcode), settings);
        BOOST_TEST((life != 0) == (rcode == dns::kNoError || rcode == dns::kNxDomain),
                   "rcode " << int{rcode});
    }
}

BOOST_AUTO_TEST_CASE(negative_answers) {
    CacheInstance settings;
    for (const std::uint8_t rcode : {dns::kNoError, dns::kNxDomain}) {
        BOOST_TEST(cacheable_for_s(negative(rcode, 120, true), settings) == 120U);
        BOOST_TEST(cacheable_for_s(negative(rcode, 0, true), settings) == 0U);
        BOOST_TEST(cacheable_for_s(negative(rcode, 9000, true), settings) == 300U);
        BOOST_TEST(cacheable_for_s(negative(rcode, 0, false), settings) == 60U);
        BOOST_TEST(cacheable_for_s(negative(rcode, 20, false), settings) == 20U);  // a CNAME's
        BOOST_TEST(cacheable_for_s(negative(rcode, 200, false), settings) == 60U);
    }
    settings.max_negative_ttl_s = 30;
    BOOST_TEST(cacheable_for_s(negative(dns::kNxDomain, 0, false), settings) == 30U);
    settings.cache_negative = false;
    BOOST_TEST(cacheable_for_s(negative(dns::kNxDomain, 120, true), settings) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
