// The configuration of BIRD for lists of routes (control/operator/setup/bird_config.h). tests/e2e/bgp_e2e.py gives it to BIRD.
#include "control/operator/setup/bird_config.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "control/config/load.h"

namespace steer::setup {
namespace {

std::string bird_text(const std::string& path) {
    std::ifstream in(std::string(STEER_SOURCE_ROOT) + "/" + path, std::ios::binary);
    BOOST_REQUIRE_MESSAGE(in, path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

Result<std::string> bird_config_of(const std::string& text) {
    const auto loaded = config::load_text(text, "text.yaml");
    for (const Error& e : loaded.errors)
        BOOST_ERROR(e.sentence());
    return bird_config(loaded.settings);
}

std::string with_route(const std::string& args) {
    return "plugins:\n  - { tag: \"a\u202eb\", type: bgp_route, args: { " + args +
           " } }\n  - { tag: main, type: sequence, args: [{ exec: forward 192.0.2.1 }, { exec: "
           "\"$a\u202eb\" }] }\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bird)

BOOST_AUTO_TEST_CASE(the_example_becomes_the_expected_configuration) {
    const auto text = bird_config_of(bird_text("configs/bgp.yaml"));
    BOOST_TEST_REQUIRE(text.has_value());
    BOOST_TEST(*text == bird_text("tests/unit/setup/bgp.bird"));
}

BOOST_AUTO_TEST_CASE(large_communities_and_single_families_are_written) {
    const auto text = bird_config_of(with_route(
        "table6: 4294967295, community: \"4200000000:1:2\", next_hop6: \"2001:db8::9\""));
    BOOST_TEST_REQUIRE(text.has_value());
    BOOST_TEST(text->find("ipv4") == std::string::npos);
    for (const char* const part :
         {"kernel table 4294967295;", "bgp_large_community.add((4200000000,1,2));",
          "if preference = 1000 then bgp_next_hop = 2001:db8::9;",
          "# bgp_route 'a\\xe2\\x80\\xaeb'"})
        BOOST_TEST(text->find(part) != std::string::npos, part);
}

BOOST_AUTO_TEST_CASE(a_configuration_without_routes_is_an_error) {
    const auto text = bird_config_of(
        "plugins:\n  - { tag: main, type: sequence, args: [{ exec: forward 192.0.2.1 }] }\n");
    BOOST_TEST_REQUIRE(!text.has_value());
    BOOST_TEST(text.error().sentence() ==
               "text.yaml: there is no bgp_route: BIRD has nothing to announce; add one "
               "(docs/guides/bgp.md)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::setup
