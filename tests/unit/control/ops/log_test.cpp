// The log's copy in a file, its level, and a file that cannot be opened.
#include "control/ops/log.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "support/temp_folder.h"

namespace fs = std::filesystem;

namespace {

// The last word of each line.
std::string words(const std::string& file) {
    std::ifstream in(file);
    std::string all;
    for (std::string line; std::getline(in, line);)
        all += line.substr(line.rfind(' ') + 1) + " ";
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_setup)

BOOST_AUTO_TEST_CASE(a_copy_goes_to_the_file) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::warn, folder / "steerdns.log"}));
    spdlog::warn("router edge1 is away");
    spdlog::info("not this one");
    const std::string text = folder.read("steerdns.log");
    BOOST_CHECK(text.ends_with(" warning router edge1 is away\n"));
    BOOST_CHECK(text.find("not this one") == std::string::npos);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(text_of_other_machines_stays_on_its_line) {
    const steer::test::TempFolder folder;
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::warn, folder / "steerdns.log"}));
    spdlog::warn("router says {}", "no\r\n2026-01-01 00:00:00.000 error all is lost\x1b[2J\xff");
    spdlog::warn("router says {}", std::string(1 << 20, 'x'));
    const std::string text = folder.read("steerdns.log");
    BOOST_TEST(std::ranges::count(text, '\n') == 2);
    BOOST_TEST(text.find("no\\x0d\\x0a2026-01-01 00:00:00.000 error all is lost\\x1b[2J\\xff\n") !=
               text.npos);
    BOOST_TEST(text.size() < 5'000);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_file_that_was_renamed_is_made_anew) {
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
    const std::string text = folder.read("steerdns.log");
    BOOST_TEST(std::regex_match(text, form), text);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_new_log_file_is_not_readable_for_others) {
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
    BOOST_CHECK(folder.read("steerdns.log").ends_with(" error port 53 is taken\n"));
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened) {
    const auto refused =
        steer::ops::start_log({steer::config::LogLevel::off, "/dev/null/steerdns.log"});
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().text.find("change log.file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
