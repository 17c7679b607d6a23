// People who sign in: the password's file, limits of tries, sessions, links, and the certificate that
// the daemon makes for itself.
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "control/api/login/login.h"
#include "control/api/login/password.h"
#include "control/api/rpc/page_service.h"
#include "control/host/net/own_certificate.h"
#include "dataplane/base/clock.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::ops;

namespace {

constexpr std::uint64_t kStart = 1'000'000;  // ms

IpAddress address(const std::string& text) {
    return *IpAddress::parse(text);
}

mode_t mode_of(const std::string& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 ? found.st_mode & 0777U : 0U;
}

// A Login whose helper thread is waited for.
struct SignIn {
    SignIn() { BOOST_REQUIRE(login.load(folder.path.string())); }

    Login::Outcome try_with(const std::string& password, const std::string& from = "192.0.2.7") {
        std::vector<Login::Outcome> ends;
        login.try_password(address(from), password,
                           [&](const Login::Outcome& one) { ends.push_back(one); });
        while (ends.empty())
            io.run_one_for(std::chrono::seconds(10));
        return ends.front();
    }
    void set(const std::string& password, std::uint64_t session = 0) {
        bool is_done = false;
        login.set_password(password, session, [&](const Result<void>& done) {
            BOOST_TEST(done.has_value());
            is_done = true;
        });
        while (!is_done)
            io.run_one_for(std::chrono::seconds(10));
    }

    test::TempFolder folder;
    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        io.get_executor()};
    BootClock clock;
    Login login{io, clock};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(login)

// ---- sessions

BOOST_AUTO_TEST_CASE(a_session_is_known_by_its_secret_for_12_hours) {
    Sessions sessions;
    const std::string secret = sessions.begin(address("192.0.2.7"), "password", kStart);
    BOOST_TEST(secret.size() == 43U);
    BOOST_REQUIRE(sessions.use(secret, kStart + 1) != nullptr);
    BOOST_TEST(sessions.use(secret, kStart + 1)->number == 1U);
    BOOST_TEST(sessions.use(secret.substr(1), kStart + 1) == nullptr);
    BOOST_TEST(sessions.use("", kStart + 1) == nullptr);
    // Its use does not make it longer.
    BOOST_TEST(sessions.use(secret, kStart + kSessionMs - 1) != nullptr);
    BOOST_TEST(sessions.has(1, kStart + kSessionMs - 1));
    BOOST_TEST(!sessions.has(1, kStart + kSessionMs));
    BOOST_TEST(sessions.use(secret, kStart + kSessionMs) == nullptr);
}

BOOST_AUTO_TEST_CASE(secrets_and_numbers_of_sessions_are_new_each_time) {
    Sessions sessions;
    std::set<std::string> secrets;
    std::set<std::uint64_t> numbers;
    for (unsigned i = 0; i < 1000; ++i) {
        const std::string secret = sessions.begin(address("192.0.2.7"), "password", kStart);
        secrets.insert(secret);
        numbers.insert(sessions.use(secret, kStart)->number);
    }
    BOOST_TEST(secrets.size() == 1000U);
    BOOST_TEST(numbers.size() == 1000U);
    BOOST_TEST(sessions.list(kStart).size() == kMostSessions);
}

BOOST_AUTO_TEST_CASE(without_room_the_session_goes_that_was_unused_longest) {
    Sessions sessions;
    std::vector<std::string> secrets;
    for (std::size_t i = 0; i < kMostSessions; ++i)
        secrets.push_back(sessions.begin(address("192.0.2.7"), "password", kStart + i));
    sessions.use(secrets[0], kStart + kMostSessions);
    sessions.begin(address("192.0.2.8"), "link", kStart + kMostSessions);
    BOOST_TEST(sessions.use(secrets[0], kStart + kMostSessions) != nullptr);
    BOOST_TEST(sessions.use(secrets[1], kStart + kMostSessions) == nullptr);
}

BOOST_AUTO_TEST_CASE(logout_ends_one_session_and_a_new_password_all_others) {
    Sessions sessions;
    const auto begin = [&] { return sessions.begin(address("192.0.2.7"), "password", kStart); };
    const auto one = begin(), two = begin(), three = begin();
    const std::string link = sessions.new_link(kStart);
    BOOST_TEST(sessions.end(1));
    BOOST_TEST(!sessions.end(1));
    BOOST_TEST(sessions.use(one, kStart) == nullptr);
    BOOST_TEST(sessions.end_others(3) == 1U);
    BOOST_TEST(sessions.use(two, kStart) == nullptr);
    BOOST_TEST(sessions.use(three, kStart) != nullptr);
    BOOST_TEST(!sessions.take_link(link, kStart));
}

BOOST_AUTO_TEST_CASE(a_link_is_valid_once_and_for_ten_minutes) {
    Sessions sessions;
    const std::string used = sessions.new_link(kStart), old = sessions.new_link(kStart);
    BOOST_TEST(!sessions.take_link(used + "x", kStart));
    BOOST_TEST(sessions.take_link(used, kStart + kLinkMs - 1));
    BOOST_TEST(!sessions.take_link(used, kStart + kLinkMs - 1));
    BOOST_TEST(!sessions.take_link(old, kStart + kLinkMs));
    const std::string first = sessions.new_link(kStart);
    for (std::size_t i = 0; i < kMostLinks; ++i)
        sessions.new_link(kStart);
    BOOST_TEST(!sessions.take_link(first, kStart));
}

// ---- tries

BOOST_AUTO_TEST_CASE(an_address_has_five_tries_and_then_one_each_half_minute) {
    LoginLimits limits;
    const auto client = address("192.0.2.7");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(limits.take(client, kStart));
    BOOST_TEST(!limits.take(client, kStart));
    BOOST_TEST(limits.wait_s(client, kStart) == 30U);
    BOOST_TEST(!limits.take(client, kStart + kTryPauseMs - 1));
    BOOST_TEST(limits.take(client, kStart + kTryPauseMs));
    BOOST_TEST(!limits.take(client, kStart + kTryPauseMs));
    limits.give_back(client, kStart + kTryPauseMs);
    BOOST_TEST(limits.take(client, kStart + kTryPauseMs));
}

BOOST_AUTO_TEST_CASE(addresses_of_one_ipv6_site_share_their_tries) {
    LoginLimits limits;
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(limits.take(address("2001:db8::" + std::to_string(i + 1)), kStart));
    BOOST_TEST(!limits.take(address("2001:db8::99"), kStart));
    BOOST_TEST(limits.take(address("2001:db8:0:1::1"), kStart));
}

BOOST_AUTO_TEST_CASE(strangers_lock_out_neither_loopback_nor_who_signed_in_before) {
    LoginLimits limits;
    const auto owner = address("192.0.2.7");
    BOOST_TEST(limits.take(owner, kStart));
    limits.give_back(owner, kStart);
    std::size_t taken = 0;
    for (unsigned i = 0; i < 20'000; ++i) {  // more than the table holds
        const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(i >> 16U),
                                               static_cast<std::uint8_t>(i >> 8U),
                                               static_cast<std::uint8_t>(i)};
        taken += limits.take(IpAddress::from_v4(four.data()), kStart) ? 1U : 0U;
    }
    BOOST_TEST(taken == static_cast<std::size_t>(kTriesOfAll) - 1);
    BOOST_TEST(!limits.take(address("198.51.100.1"), kStart));
    BOOST_TEST(limits.wait_s(address("198.51.100.1"), kStart) == 1U);
    BOOST_TEST(limits.take(owner, kStart));
    BOOST_TEST(limits.take(address("127.0.0.1"), kStart));
    BOOST_TEST(limits.take(address("::1"), kStart));
    BOOST_TEST(limits.take(address("198.51.100.1"), kStart + kTryOfAllMs));
}

BOOST_AUTO_TEST_CASE(all_of_loopback_has_the_tries_of_one_address) {
    LoginLimits limits;
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(limits.take(address("127.0.0." + std::to_string(i + 1)), kStart));
    BOOST_TEST(!limits.take(address("127.9.9.9"), kStart));
    BOOST_TEST(!limits.take(address("::1"), kStart));
    BOOST_TEST(limits.take(address("127.0.0.1"), kStart + kLoopbackPauseMs));
}

BOOST_AUTO_TEST_CASE(many_sites_with_tries_left_over_time_fit_the_table) {
    LoginLimits limits;
    std::uint64_t now = kStart;
    for (unsigned i = 0; i < 3 * kMaxTrySites; ++i, now += kTryOfAllMs) {
        const std::array<std::uint8_t, 4> four{10, static_cast<std::uint8_t>(i >> 16U),
                                               static_cast<std::uint8_t>(i >> 8U),
                                               static_cast<std::uint8_t>(i)};
        BOOST_TEST(limits.take(IpAddress::from_v4(four.data()), now));
        limits.give_back(IpAddress::from_v4(four.data()), now);
    }
    BOOST_TEST(limits.take(address("127.0.0.1"), now));
}

// ---- the password

BOOST_AUTO_TEST_CASE(a_password_is_hashed_with_yescrypt_and_a_salt_of_its_own) {
    const std::string password = "correct horse ẞ";
    const auto one = hash_of_password(password), other = hash_of_password(password);
    BOOST_REQUIRE(one);
    BOOST_REQUIRE(other);
    BOOST_TEST(one->starts_with("$y$"));
    BOOST_TEST(*one != *other);
    BOOST_TEST(is_password(password, *one));
    BOOST_TEST(!is_password("correct horse", *one));
    BOOST_TEST(!is_password(password, ""));
    BOOST_TEST(!is_password(password, "$y$damaged"));
}

BOOST_AUTO_TEST_CASE(passwords_that_cannot_be_typed_or_guessed_too_easily_are_refused) {
    BOOST_TEST(why_not_a_password("1234567").find("8 characters") != std::string::npos);
    BOOST_TEST(why_not_a_password("12345678") == "");
    BOOST_TEST(why_not_a_password(std::string(128, 'x')) == "");
    BOOST_TEST(why_not_a_password(std::string(129, 'x')).find("128 bytes") != std::string::npos);
    // crypt(3) would end at it, so that any text behind it would be right.
    BOOST_TEST(why_not_a_password(std::string("12345678\0x", 10)).find("control characters") !=
               std::string::npos);
    BOOST_TEST(!is_password(std::string("12345678\0x", 10), *hash_of_password("12345678")));
}

BOOST_AUTO_TEST_CASE(the_file_is_for_its_owner_and_a_damaged_one_lets_no_one_in) {
    test::TempFolder folder;
    const std::string place = (folder.path / "page").string();
    BOOST_TEST(*load_password(place) == "");
    const auto hash = hash_of_password("a password");
    BOOST_REQUIRE(save_password(place, *hash));
    BOOST_TEST(mode_of(place) == 0700U);
    BOOST_TEST(mode_of(password_file(place)) == 0600U);
    BOOST_TEST(*load_password(place) == *hash);
    for (const char* const text :
         {"admin:", "", "root:$y$x$y", "admin:plain", "admin:$y$a:b", "\xff"}) {
        std::ofstream(password_file(place)) << text;
        const auto damaged = load_password(place);
        BOOST_REQUIRE(!damaged);
        BOOST_TEST(damaged.error().text.find("set another with `steerctl page password`") !=
                   std::string::npos);
    }
    std::ofstream(password_file(place)) << std::string(2000, 'x');
    BOOST_TEST(!load_password(place));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_named) {
    const auto saved = save_password("/proc/nowhere", "$y$x");
    BOOST_REQUIRE(!saved);
    BOOST_TEST(saved.error().text.find("/proc/nowhere/password cannot be written") !=
               std::string::npos);
}

// ---- signing in

BOOST_AUTO_TEST_CASE(only_the_right_password_begins_a_session) {
    SignIn world;
    BOOST_TEST((world.try_with("a password").end == Login::End::no_password));
    world.set("a password");
    BOOST_TEST((world.try_with("another one").end == Login::End::wrong));
    const auto good = world.try_with("a password");
    BOOST_TEST((good.end == Login::End::good));
    const auto now = world.login.now_ms();
    BOOST_REQUIRE(world.login.sessions().use(good.secret, now) != nullptr);
    BOOST_TEST(world.login.sessions().use(good.secret, now)->number == good.number);
}

BOOST_AUTO_TEST_CASE(a_new_password_ends_the_other_sessions_and_survives_a_restart) {
    SignIn world;
    world.set("a password");
    const auto mine = world.try_with("a password"), other = world.try_with("a password");
    world.set("a new password", mine.number);
    const auto now = world.login.now_ms();
    BOOST_TEST(world.login.sessions().use(mine.secret, now) != nullptr);
    BOOST_TEST(world.login.sessions().use(other.secret, now) == nullptr);
    Login restarted(world.io, world.clock);
    BOOST_REQUIRE(restarted.load(world.folder.path.string()));
    BOOST_TEST(restarted.has_password());
    BOOST_TEST(restarted.sessions().use(mine.secret, now) == nullptr);
    BOOST_TEST((world.try_with("a password").end == Login::End::wrong));
    BOOST_TEST((world.try_with("a new password").end == Login::End::good));
}

BOOST_AUTO_TEST_CASE(tries_beyond_the_queue_are_refused_at_once_and_loopback_has_its_own) {
    SignIn world;
    world.set("a password");
    std::vector<Login::End> ends;
    const auto note = [&](const Login::Outcome& one) { ends.push_back(one.end); };
    for (unsigned i = 0; i < kMostWaiting + 1; ++i)
        world.login.try_password(address("192.0.2." + std::to_string(i + 1)), "wrong one", note);
    BOOST_REQUIRE(ends.size() == 1U);
    BOOST_TEST((ends[0] == Login::End::busy));
    world.login.try_password(address("127.0.0.1"), "a password", note);
    BOOST_TEST(ends.size() == 1U);
    while (ends.size() < kMostWaiting + 2)
        world.io.run_one_for(std::chrono::seconds(10));
    BOOST_TEST((ends.back() == Login::End::good));
}

BOOST_AUTO_TEST_CASE(a_link_signs_in_without_a_password) {
    SignIn world;
    const std::string link = world.login.sessions().new_link(world.login.now_ms());
    BOOST_TEST((world.login.try_link(address("192.0.2.7"), "x").end == Login::End::wrong));
    BOOST_TEST((world.login.try_link(address("192.0.2.7"), link).end == Login::End::good));
    BOOST_TEST((world.login.try_link(address("192.0.2.7"), link).end == Login::End::wrong));
}

BOOST_AUTO_TEST_SUITE_END()

// ---- the certificate that the daemon makes

namespace {

constexpr std::int64_t kNowS = 1'790'000'000, kDay = 86'400;

stream::CertificateNames names_of(const std::string& name) {
    return {{name, "localhost"}, {address("192.0.2.1"), address("2001:db8::1")}};
}

std::string kept(const stream::TlsFiles& files, const stream::CertificateNames& wanted,
                 std::int64_t now_s, std::string* why = nullptr) {
    const auto one = stream::keep_own_certificate(files, wanted, names_of("dns1.example"), now_s);
    BOOST_REQUIRE(one);
    BOOST_TEST(one->problem == "");
    if (why != nullptr) *why = one->renewed;
    return one->certificate.facts.sha256;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(own_certificate)

BOOST_AUTO_TEST_CASE(it_has_the_names_and_addresses_and_is_kept_with_its_key) {
    test::TempFolder folder;
    const auto files = stream::own_certificate_files((folder.path / "page").string());
    const auto made = stream::keep_own_certificate(files, {}, names_of("dns1.example"), kNowS);
    BOOST_REQUIRE(made);
    BOOST_TEST(made->renewed == "there was none");
    BOOST_TEST(mode_of(files.key) == 0600U);
    BOOST_TEST(mode_of((folder.path / "page").string()) == 0700U);
    X509* const own = made->certificate.own.get();
    for (const char* const name : {"dns1.example", "localhost"})
        BOOST_TEST(X509_check_host(own, name, 0, 0, nullptr) == 1);
    for (const char* const ip : {"192.0.2.1", "2001:db8::1"})
        BOOST_TEST(X509_check_ip_asc(own, ip, 0) == 1);
    BOOST_TEST(X509_check_ip_asc(own, "192.0.2.2", 0) == 0);
    BOOST_TEST(made->certificate.facts.sha256.size() == 32U * 3 - 1);
    BOOST_TEST(EVP_PKEY_get_bits(made->certificate.key.get()) == 256);
    const auto read = stream::read_certificate(files);
    BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().text));
    BOOST_TEST(read->facts.sha256 == made->certificate.facts.sha256);
    BOOST_TEST(read->facts.ends_s - read->facts.begins_s == stream::kOwnLifeS);
}

BOOST_AUTO_TEST_CASE(it_stays_until_thirty_days_before_its_end) {
    test::TempFolder folder;
    const auto files = stream::own_certificate_files(folder.path.string());
    const std::string first = kept(files, {}, kNowS);
    const std::int64_t end = kNowS - kDay + stream::kOwnLifeS;
    BOOST_TEST(kept(files, {}, end - stream::kOwnRenewalS) == first);
    std::string why;
    const std::string second = kept(files, {}, end - stream::kOwnRenewalS + 1, &why);
    BOOST_TEST(second != first);
    BOOST_TEST(why == "it expires in 29 days");
    BOOST_TEST(kept(files, {}, end) == second);
    BOOST_TEST(kept(files, {}, end + 2 * stream::kOwnLifeS, &why) != second);
    BOOST_TEST(why == "it has expired");
}

BOOST_AUTO_TEST_CASE(it_is_made_again_for_a_wanted_name_and_after_a_clock_that_was_ahead) {
    test::TempFolder folder;
    const auto files = stream::own_certificate_files(folder.path.string());
    const std::string first = kept(files, {{"dns1.example"}, {}}, kNowS);
    BOOST_TEST(kept(files, {{"dns1.example"}, {address("192.0.2.1")}}, kNowS) == first);
    std::string why;
    BOOST_TEST(kept(files, {{"dns2.example"}, {}}, kNowS, &why) != first);
    BOOST_TEST(why == "it lacks dns2.example");
    kept(files, {}, kNowS - 100 * kDay, &why);
    BOOST_TEST(why == "it is not valid yet: the clock was ahead");
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_replaced_and_without_a_folder_it_is_in_memory) {
    test::TempFolder folder;
    const auto files = stream::own_certificate_files(folder.path.string());
    kept(files, {}, kNowS);
    std::ofstream(files.cert) << "-----BEGIN CERTIFICATE-----\nnonsense\n";
    std::string why;
    const std::string second = kept(files, {}, kNowS, &why);
    BOOST_TEST(why.find("cannot be understood") != std::string::npos);
    BOOST_TEST(kept(files, {}, kNowS) == second);
    const auto lost = stream::keep_own_certificate(stream::own_certificate_files("/proc/nowhere"),
                                                   {}, names_of("dns1.example"), kNowS);
    BOOST_REQUIRE(lost);
    BOOST_TEST(lost->problem.find("/proc/nowhere/own.pem cannot be written") != std::string::npos);
    BOOST_TEST(lost->certificate.own != nullptr);
}

BOOST_AUTO_TEST_CASE(names_that_would_begin_another_extension_are_left_out) {
    const auto made = stream::make_own_certificate(
        {{"a.example,DNS:evil.example", "b.example", "b.example"}, {}}, kNowS);
    BOOST_REQUIRE(made);
    BOOST_TEST(X509_check_host(made->own.get(), "evil.example", 0, 0, nullptr) == 0);
    BOOST_TEST(X509_check_host(made->own.get(), "b.example", 0, 0, nullptr) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(the_page_has_a_url_for_each_name_and_each_address_that_is_served) {
    const stream::CertificateNames machine{
        {"dns1", "localhost"},
        {address("127.0.0.1"), address("2001:db8::1"), address("192.0.2.1"), address("::1")}};
    const auto urls = [&](const std::string& listen, bool tls,
                          std::vector<std::string> names = {}) {
        config::RpcServer settings{.listen = {address(listen), 9154}};
        settings.own_certificate = tls;
        std::string all;
        for (const std::string& url : page_urls(settings, names, machine))
            all += url + " ";
        return all;
    };
    BOOST_TEST(urls("::", true) == "https://192.0.2.1:9154/ https://[2001:db8::1]:9154/ ");
    BOOST_TEST(urls("0.0.0.0", true) == "https://192.0.2.1:9154/ ");
    BOOST_TEST(urls("127.0.0.1", false) == "http://127.0.0.1:9154/ ");
    BOOST_TEST(urls("2001:db8::1", true, {"dns1.example"}) ==
               "https://dns1.example:9154/ https://[2001:db8::1]:9154/ ");
}
