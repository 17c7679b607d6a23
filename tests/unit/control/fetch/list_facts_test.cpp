#include "control/streams/fetch/list_facts.h"

#include <boost/test/unit_test.hpp>

#include "one_server.h"
#include "support/temp_folder.h"

using namespace steer::fetch;
using namespace steer::fetch_test;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(list_facts)

BOOST_AUTO_TEST_CASE(facts_are_read_back_for_the_same_bytes) {
    const TempFolder folder;
    const std::string file = folder / "list";
    folder.write("list", "one.example\n");
    const ListFacts facts{"https://lists.example/", "\"v\\\"1\"", "then", 12, 1, 1'000, 2'000};
    BOOST_TEST(save_facts(file, facts).has_value());
    const auto read = load_facts(file, facts.url);
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(read->etag == facts.etag);
    BOOST_TEST(read->last_modified == "then");
    BOOST_TEST(read->rules == 1U);
    BOOST_TEST(read->fetched_s == 1'000U);
    BOOST_TEST(read->checked_s == 2'000U);
    BOOST_TEST(!load_facts(file, "https://other.example/").has_value());
    folder.write("list", "one.example\ntwo.example\n");
    BOOST_TEST(!load_facts(file, facts.url).has_value());
    std::filesystem::remove(file);
    BOOST_TEST(!load_facts(file, facts.url).has_value());
}

BOOST_AUTO_TEST_CASE(invalid_facts_are_ignored) {
    const TempFolder folder;
    const std::string file = folder / "list";
    folder.write("list", "x");
    for (const char* text : {"", "{", "[]", "null", R"({"url": 5, "bytes": 1})",
                             R"({"url": "u", "bytes": "1"})", R"({"url": "u", "bytes": -1})"}) {
        folder.write("list.json", text);
        BOOST_TEST(!load_facts(file, "u").has_value(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
