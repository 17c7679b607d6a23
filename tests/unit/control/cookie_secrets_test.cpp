// The daemon's own secrets of cookies: their times, and what is stored of them.
#include "control/runtime/cookie_secrets.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

using namespace steer;

namespace {

constexpr std::int64_t kMadeS = 1'800'000'000, kDayS = 86'400;

boost::json::object stored(const CookieSecrets& secrets) {
    return boost::json::parse(secrets.to_json()).as_object();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cookie_secrets)

BOOST_AUTO_TEST_CASE(a_secret_is_replaced_and_the_one_before_is_accepted_for_a_time) {
    CookieSecrets secrets;
    BOOST_TEST(secrets.update(kMadeS, kDayS));
    const auto first = secrets.keys();
    BOOST_TEST(!first.has_other);
    BOOST_TEST((first.current != dns::CookieSecret{}));
    BOOST_TEST(!secrets.update(kMadeS + kDayS - 1, kDayS));
    BOOST_TEST(secrets.update(kMadeS + kDayS, kDayS));
    const auto second = secrets.keys();
    BOOST_TEST(second.has_other);
    BOOST_TEST((second.other == first.current));
    BOOST_TEST((second.current != first.current));
    // Until the last cookie of the first one has expired.
    BOOST_TEST(!secrets.update(kMadeS + kDayS + CookieSecrets::kOverlapS - 1, kDayS));
    BOOST_TEST(secrets.update(kMadeS + kDayS + CookieSecrets::kOverlapS, kDayS));
    BOOST_TEST(!secrets.keys().has_other);
    BOOST_TEST((secrets.keys().current == second.current));
}

BOOST_AUTO_TEST_CASE(secrets_survive_a_restart) {
    CookieSecrets before;
    before.update(kMadeS, kDayS);
    before.update(kMadeS + kDayS, kDayS);
    CookieSecrets after;
    BOOST_TEST(!!after.restore(stored(before), kMadeS + kDayS + 10));
    BOOST_TEST(!after.update(kMadeS + kDayS + 10, kDayS));
    BOOST_TEST((after.keys() == before.keys()));
    // Down for longer than a rollover: the old secret has no valid cookies.
    CookieSecrets late;
    BOOST_TEST(!!late.restore(stored(before), kMadeS + 9 * kDayS));
    BOOST_TEST(late.update(kMadeS + 9 * kDayS, kDayS));
    BOOST_TEST(!late.keys().has_other);
    BOOST_TEST((late.keys().current != before.keys().current));
}

BOOST_AUTO_TEST_CASE(damaged_secrets_are_replaced) {
    for (const char* text :
         {R"({"secrets":[]})", R"({"secrets":3})", R"({"secrets":[{"secret":"00","made_s":1}]})",
          R"({"secrets":[{"secret":"zz000000000000000000000000000000","made_s":1}]})",
          R"({"secrets":[{"secret":"00000000000000000000000000000000"}]})",
          R"({"secrets":[{"secret":"00000000000000000000000000000000","made_s":1900000000}]})"}) {
        CookieSecrets secrets;
        BOOST_TEST(!secrets.restore(boost::json::parse(text).as_object(), kMadeS), text);
        BOOST_TEST(secrets.update(kMadeS, kDayS));
    }
    CookieSecrets empty;
    BOOST_TEST(!!empty.restore({}, kMadeS));
}

BOOST_AUTO_TEST_CASE(the_first_secret_of_a_file_makes_cookies) {
    const config::CookieSecretBytes one{1}, two{2};
    BOOST_TEST(!cookie_keys({one}).has_other);
    const auto keys = cookie_keys({one, two});
    BOOST_TEST((keys.current == dns::CookieSecret::of(one)));
    BOOST_TEST((keys.other == dns::CookieSecret::of(two)));
    BOOST_TEST(keys.has_other);
}

BOOST_AUTO_TEST_SUITE_END()
