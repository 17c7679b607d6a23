#include "dataplane/policy/admit.h"

#include <boost/test/unit_test.hpp>

#include "dataplane/cache/cache.h"

using namespace steer;

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
    settings.raised_to_s = 60;
    settings.max_positive_ttl_s = 600;
    BOOST_TEST(cacheable_for_s(positive(0), settings) == 60U);
    BOOST_TEST(cacheable_for_s(positive(300), settings) == 300U);
    BOOST_TEST(cacheable_for_s(positive(86400), settings) == 600U);
}

// As in ForgeDNS: the setting does not raise TTLs.
BOOST_AUTO_TEST_CASE(answers_below_min_positive_ttl_are_sent_unchanged_and_not_cached) {
    CacheInstance settings;
    settings.min_positive_ttl_s = 60;
    BOOST_TEST(cacheable_for_s(positive(0), settings) == 0U);
    BOOST_TEST(cacheable_for_s(positive(59), settings) == 0U);
    BOOST_TEST(cacheable_for_s(positive(60), settings) == 60U);
    BOOST_TEST(ttl_limits(positive(59), settings).least_s == 0U);
    BOOST_TEST(cacheable_for_s(negative(dns::kNxDomain, 20, true), settings) == 20U);
}

BOOST_AUTO_TEST_CASE(truncated_and_failed_answers_are_not_cached) {
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

BOOST_AUTO_TEST_CASE(failures_are_cached_for_some_time_if_configured) {
    CacheInstance settings;
    settings.failure_ttl_s = 5;
    for (std::uint8_t rcode = 0; rcode < 16; ++rcode) {
        const auto answer = dns::empty_answer(rcode);
        const bool failure =
            rcode != dns::kNoError && rcode != dns::kNxDomain && rcode != dns::kYxDomain;
        BOOST_TEST(is_failure(answer) == failure, "rcode " << int{rcode});
        if (failure) BOOST_TEST(cacheable_for_s(answer, settings) == 5U);
    }
    BOOST_TEST(cacheable_for_s(dns::empty_answer(dns::kYxDomain), settings) == 0U);
}

// RFC 9520 3.2: for a second at least.
BOOST_AUTO_TEST_CASE(brief_failures_are_cached_for_a_second) {
    for (const std::uint32_t configured_s : {0U, 1U, 5U, 300U}) {
        CacheInstance settings;
        settings.failure_ttl_s = configured_s;
        auto answer = dns::empty_answer(dns::kServFail);
        BOOST_TEST(cacheable_for_s(answer, settings) == configured_s);
        answer.is_brief = true;
        BOOST_TEST(cacheable_for_s(answer, settings) == std::min(configured_s, 1U));
    }
}

BOOST_AUTO_TEST_CASE(limits_of_an_old_answer_count_from_now) {
    CacheInstance settings;
    settings.raised_to_s = 60;
    settings.max_positive_ttl_s = 600;
    BOOST_TEST(cacheable_for_s(positive(86400), settings, 1000) == 1600U);
    BOOST_TEST(cacheable_for_s(positive(1010), settings, 1000) == 1060U);
    const auto limits = ttl_limits(positive(300), settings, 10);
    BOOST_TEST(limits.least_s == 70U);
    BOOST_TEST(limits.most_s == 610U);
    settings.min_positive_ttl_s = 60;
    BOOST_TEST(cacheable_for_s(positive(1059), settings, 1000) == 0U);
    BOOST_TEST(cacheable_for_s(positive(1061), settings, 1000) == 1061U);
    settings.max_positive_ttl_s = UINT32_MAX;
    BOOST_TEST(ttl_limits(positive(300), settings, 10).most_s == UINT32_MAX);
    BOOST_TEST(ttl_limits(negative(3, 300, true), settings).most_s == 300U);
}

BOOST_AUTO_TEST_CASE(stale_and_popular_answers_are_checked_for_a_refresh) {
    CacheInstance settings;
    const auto attend = [&](const dns::Answer& a, std::uint32_t life_s) {
        return refresh_check_after_s(a, settings, life_s);
    };
    BOOST_TEST(attend(positive(300), 300) == cache::kNoRefreshCheck);
    BOOST_TEST(attend(dns::empty_answer(dns::kServFail), 5) == 0U);  // says why
    settings.stale.most_s = 1000;
    BOOST_TEST(stale_for_s(positive(300), settings.stale) == 1000U);
    BOOST_TEST(stale_for_s(negative(3, 300, true), settings.stale) == 1000U);
    BOOST_TEST(stale_for_s(dns::empty_answer(dns::kServFail), settings.stale) == 0U);
    BOOST_TEST(attend(positive(300), 300) == 300U);
    settings.stale.positive_only = true;
    BOOST_TEST(stale_for_s(negative(3, 300, true), settings.stale) == 0U);
    settings.prefetch_percent = 10;
    BOOST_TEST(prefetch_window_s(settings, 300) == 30U);
    BOOST_TEST(prefetch_window_s(settings, 10) == 1U);
    BOOST_TEST(prefetch_window_s(settings, 9) == 0U);
    BOOST_TEST(attend(positive(300), 300) == 0U);  // counts hits first
}

BOOST_AUTO_TEST_CASE(negative_answers_live_for_the_time_of_their_soa) {
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
