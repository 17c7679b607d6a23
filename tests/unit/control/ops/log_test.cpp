// The log's copy in a file, its level, and a file that cannot be opened.
#include "control/api/log/log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "control/api/log/log_file.h"
#include "support/temp_folder.h"

namespace fs = std::filesystem;
using steer::config::RotationPeriod;

namespace {

constexpr auto kLong = std::chrono::seconds(60);

// What the log's threads have written to a file of the folder by now.
std::string logged(const steer::test::TempFolder& folder, const std::string& name) {
    BOOST_REQUIRE(steer::ops::flush_log(kLong));
    return folder.read(name);
}

// The last word of each line.
std::string words(const std::string& file) {
    BOOST_REQUIRE(steer::ops::flush_log(kLong));
    std::ifstream in(file);
    std::string all;
    for (std::string line; std::getline(in, line);)
        all += line.substr(line.rfind(' ') + 1) + " ";
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_setup)

BOOST_AUTO_TEST_CASE(log_lines_are_copied_to_the_file) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::warn, folder / "steerdns.log"}));
    spdlog::warn("router edge1 is away");
    spdlog::info("not this one");
    const std::string text = logged(folder, "steerdns.log");
    BOOST_CHECK(text.ends_with(" warning router edge1 is away\n"));
    BOOST_CHECK(text.find("not this one") == std::string::npos);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(text_of_other_machines_cannot_begin_a_line) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::warn, folder / "steerdns.log"}));
    spdlog::warn("router says {}", "no\r\n2026-01-01 00:00:00.000 error all is lost\x1b[2J\xff");
    spdlog::warn("router says {}", std::string(1 << 20, 'x'));
    const std::string text = logged(folder, "steerdns.log");
    BOOST_TEST(std::ranges::count(text, '\n') == 2);
    BOOST_TEST(text.find("no\\x0d\\x0a2026-01-01 00:00:00.000 error all is lost\\x1b[2J\\xff\n") !=
               text.npos);
    BOOST_TEST(text.size() < 5'000);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_log_file_that_was_renamed_is_created_again) {
    const steer::test::TempFolder folder;
    const std::string file = folder / "steerdns.log", old = file + ".1";
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::info, file}));
    spdlog::info("one");
    BOOST_REQUIRE(steer::ops::set_log_file(file));
    spdlog::info("two");
    fs::rename(file, old);
    spdlog::info("three");
    BOOST_REQUIRE(steer::ops::set_log_file(file));
    spdlog::info("four");
    BOOST_TEST(words(old) == "one two three ");
    BOOST_TEST(words(file) == "four ");

    // One that cannot be: the copy goes where it went.
    const auto refused = steer::ops::set_log_file("/dev/null/steerdns.log");
    BOOST_REQUIRE(!refused);
    spdlog::info("five");
    BOOST_REQUIRE(steer::ops::set_log_file(old));
    spdlog::info("six");
    BOOST_REQUIRE(steer::ops::set_log_file(""));
    spdlog::info("seven");
    BOOST_TEST(words(file) == "four five ");
    BOOST_TEST(words(old) == "one two three six ");
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_line_carries_date_zone_and_level) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::info, folder / "steerdns.log"}));
    spdlog::warn("router edge1 is away");
    const std::regex form(
        R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d warning router edge1 is away\n)");
    const std::string text = logged(folder, "steerdns.log");
    BOOST_TEST(std::regex_match(text, form), text);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_new_log_file_is_not_readable_by_other_users) {
    const steer::test::TempFolder folder;
    const std::string fresh = folder / "fresh.log", old = folder / "old.log";
    const mode_t before = ::umask(0);
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::info, fresh}));
    ::umask(before);
    struct stat found {};
    BOOST_REQUIRE_EQUAL(::stat(fresh.c_str(), &found), 0);
    BOOST_CHECK_EQUAL(found.st_mode & 07777U, 0640U);
    // The operator's own choice stays.
    std::ofstream(old) << "";
    fs::permissions(old, fs::perms(0600));
    BOOST_REQUIRE(steer::ops::set_log_file(old));
    BOOST_REQUIRE_EQUAL(::stat(old.c_str(), &found), 0);
    BOOST_CHECK_EQUAL(found.st_mode & 07777U, 0600U);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_written_to_the_file_whatever_the_level) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::off, folder / "steerdns.log"}));
    steer::ops::log_refusal("port 53 is taken");
    BOOST_CHECK(logged(folder, "steerdns.log").ends_with(" error port 53 is taken\n"));
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

// The clock is what the lines say.
BOOST_AUTO_TEST_CASE(a_log_file_is_renamed_at_the_first_line_of_the_next_period) {
    using namespace std::chrono;
    const steer::test::TempFolder folder;
    const std::string file = folder / "steerdns.log";
    const auto log = steer::ops::open_log_file(file, {RotationPeriod::daily, 2});
    log->set_pattern("%v");
    const auto say = [&](const char* text, system_clock::time_point at) {
        log->log(spdlog::details::log_msg(at, {}, "", spdlog::level::info, text));
        log->flush();
    };
    const system_clock::time_point noon = sys_days(2026y / 11 / 23) + 12h;
    say("one", noon);
    say("two", noon + 11h + 59min + 59s);
    BOOST_TEST(folder.read("steerdns.log") == "one\ntwo\n");
    say("three", noon + 12h);
    BOOST_TEST(folder.read("steerdns.log") == "three\n");
    BOOST_TEST(folder.read("steerdns.log.2026-11-23") == "one\ntwo\n");
    say("four", noon + days(3));
    say("five", noon + days(4));
    BOOST_TEST(folder.read("steerdns.log") == "five\n");
    BOOST_TEST(folder.read("steerdns.log.2026-11-26") == "four\n");
    BOOST_TEST(folder.read("steerdns.log.2026-11-24") == "three\n");
    BOOST_TEST(!fs::exists(file + ".2026-11-23"));  // two stay
    struct stat found {};
    BOOST_REQUIRE_EQUAL(::stat(file.c_str(), &found), 0);
    BOOST_CHECK_EQUAL(found.st_mode & 07777U, 0640U);
}

BOOST_AUTO_TEST_CASE(a_log_file_of_an_earlier_period_is_renamed_at_the_start) {
    using namespace std::chrono;
    const steer::test::TempFolder folder;
    const std::string file = folder / "steerdns.log";
    std::ofstream(file) << "old\n";
    const timespec old_times[2]{{1'793'491'200, 0}, {1'793'491'200, 0}};  // 2026-11-01 00:00
    BOOST_REQUIRE_EQUAL(::utimensat(AT_FDCWD, file.c_str(), old_times, 0), 0);
    const auto log = steer::ops::open_log_file(file, {RotationPeriod::hourly, 0});
    log->set_pattern("%v");
    log->log(
        spdlog::details::log_msg(sys_days(2026y / 11 / 2), {}, "", spdlog::level::info, "new"));
    log->flush();
    BOOST_TEST(folder.read("steerdns.log.2026-11-01-00") == "old\n");
    BOOST_TEST(folder.read("steerdns.log") == "new\n");
}

BOOST_AUTO_TEST_CASE(a_log_file_that_cannot_be_renamed_is_continued) {
    using namespace std::chrono;
    const steer::test::TempFolder folder;
    const std::string file = folder / "steerdns.log";
    const auto log = steer::ops::open_log_file(file, {RotationPeriod::minutely, 1});
    log->set_pattern("%v");
    const system_clock::time_point at = sys_days(2026y / 11 / 23);
    log->log(spdlog::details::log_msg(at, {}, "", spdlog::level::info, "one"));
    log->flush();
    fs::remove(file);  // nothing is left to rename
    log->log(spdlog::details::log_msg(at + 1min, {}, "", spdlog::level::info, "two"));
    log->flush();
    BOOST_TEST(folder.read("steerdns.log").starts_with("the log file was not rotated: "));
    BOOST_TEST(folder.read("steerdns.log").ends_with("\ntwo\n"));
}

BOOST_AUTO_TEST_CASE(periods_are_in_utc_and_weeks_begin_on_monday) {
    using namespace std::chrono;
    using steer::ops::period_of;
    const system_clock::time_point sunday = sys_days(2026y / 11 / 29) + 23h + 5min + 59s;
    BOOST_TEST(period_of(sunday, RotationPeriod::minutely) == "2026-11-29-23-05");
    BOOST_TEST(period_of(sunday, RotationPeriod::hourly) == "2026-11-29-23");
    BOOST_TEST(period_of(sunday, RotationPeriod::daily) == "2026-11-29");
    BOOST_TEST(period_of(sunday, RotationPeriod::weekly) == "2026-11-23");
    BOOST_TEST(period_of(sunday + 1h, RotationPeriod::weekly) == "2026-11-30");
    BOOST_TEST(period_of(sunday, RotationPeriod::never) == "");
}

BOOST_AUTO_TEST_CASE(a_log_file_that_cannot_be_opened_is_an_error) {
    const auto refused =
        steer::ops::start_log({steer::config::LogLevel::off, "/dev/null/steerdns.log"});
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().text.find("change log.file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
