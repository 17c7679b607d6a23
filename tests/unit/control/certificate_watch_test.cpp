// Certificates that end are reported in time, by a clock that the test turns.
#include "control/observe/health/certificate_watch.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using steer::CertificateEnd;
using steer::CertificateWatch;

namespace {

constexpr std::int64_t kDay = 86'400, kEnd = 1'800'000'000;  // 2027-01-15 08:00 UTC
const CertificateEnd kOurs{"the certificate dot.pem", "renew it", kEnd};

}  // namespace

BOOST_AUTO_TEST_SUITE(certificate_watch)

BOOST_AUTO_TEST_CASE(each_warning_is_logged_once) {
    CertificateWatch watch;
    std::vector<std::string> logged;
    for (std::int64_t now = kEnd - 30 * kDay; now <= kEnd + 2 * kDay; now += 60) {
        for (const auto& sentence : watch.check(std::vector{kOurs}, now))
            logged.push_back(std::to_string((now - kEnd) / 60) + " " + sentence);
    }
    const std::string date = "2027-01-15 08:00 UTC; renew it";
    const std::vector<std::string> expected{
        "-30240 the certificate dot.pem expires in 21 days, on " + date,
        "-10080 the certificate dot.pem expires in 7 days, on " + date,
        "-1440 the certificate dot.pem expires in 1 day, on " + date,
        "1 the certificate dot.pem expired on " + date,
        "1440 the certificate dot.pem expired on " + date,
        "2880 the certificate dot.pem expired on " + date};
    BOOST_CHECK_EQUAL_COLLECTIONS(logged.begin(), logged.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_CASE(a_start_in_the_last_days_logs_one_warning) {
    CertificateWatch watch;
    const auto logged = watch.check(std::vector{kOurs}, kEnd - 3600);
    BOOST_REQUIRE_EQUAL(logged.size(), 1U);
    BOOST_TEST(logged[0].find("expires in less than a day") != std::string::npos);
    BOOST_TEST(watch.check(std::vector{kOurs}, kEnd - 1800).empty());
}

BOOST_AUTO_TEST_CASE(a_renewed_certificate_is_reported_again_before_its_end) {
    CertificateWatch watch;
    BOOST_TEST(watch.check(std::vector{kOurs}, kEnd - kDay).size() == 1U);
    CertificateEnd renewed = kOurs;
    renewed.ends_s += 90 * kDay;
    BOOST_TEST(watch.check(std::vector{renewed}, kEnd).empty());
    BOOST_TEST(watch.check(std::vector{renewed}, renewed.ends_s - 20 * kDay).size() == 1U);
    // A clock that is set back says nothing twice.
    BOOST_TEST(watch.check(std::vector{renewed}, kEnd).empty());
    BOOST_TEST(watch.check(std::vector{renewed}, renewed.ends_s - 20 * kDay).empty());
}

BOOST_AUTO_TEST_CASE(certificates_are_watched_separately) {
    CertificateWatch watch;
    const CertificateEnd theirs{"the certificate of upstream tls://1.1.1.1", "tell its operator",
                                kEnd - 5 * kDay};
    const auto logged = watch.check(std::vector{kOurs, theirs}, kEnd - 7 * kDay);
    BOOST_REQUIRE_EQUAL(logged.size(), 2U);
    BOOST_TEST(logged[1].find("upstream tls://1.1.1.1 expires in 2 days") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
