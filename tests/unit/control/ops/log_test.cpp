// The log's copy in a file, its level, and a file that cannot be opened.
#include "control/ops/log.h"

#include <spdlog/spdlog.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(log_setup)

BOOST_AUTO_TEST_CASE(a_copy_goes_to_the_file) {
    std::string name = (fs::temp_directory_path() / "steer-log-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    const fs::path file = fs::path(name) / "steerdns.log";
    BOOST_REQUIRE(steer::ops::start_log({steer::config::LogLevel::warn, file.string()}));
    spdlog::warn("router edge1 is away");
    spdlog::info("not this one");
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    BOOST_CHECK(text.ends_with(" warning router edge1 is away\n"));
    BOOST_CHECK(text.find("not this one") == std::string::npos);
    BOOST_CHECK(steer::ops::start_log({steer::config::LogLevel::off, ""}));
    fs::remove_all(name);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened) {
    const auto refused =
        steer::ops::start_log({steer::config::LogLevel::off, "/dev/null/steerdns.log"});
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().text.find("change log.file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
