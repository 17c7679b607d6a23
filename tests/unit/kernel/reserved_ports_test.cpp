#include "control/host/kernel/reserved_ports.h"

#include <boost/test/unit_test.hpp>

namespace steer::kernel {
namespace {

BOOST_AUTO_TEST_SUITE(reserved_ports)

std::string again(const std::string& text) {
    return format_port_list(parse_port_list(text));
}

BOOST_AUTO_TEST_CASE(the_value_of_the_sysctl_is_read_and_written) {
    BOOST_TEST(again("\n") == "");
    BOOST_TEST(again("8080\n") == "8080");
    BOOST_TEST(again("8080,10240-26623\n") == "8080,10240-26623");
    BOOST_TEST(again("1-3,4,5-5,9") == "1-5,9");
    BOOST_TEST(again("0,65535") == "0,65535");
    BOOST_TEST(again("0-65535") == "0-65535");
    BOOST_TEST(parse_port_list("0-65535").count() == 65536U);
}

BOOST_AUTO_TEST_CASE(invalid_ports_are_skipped) {
    BOOST_TEST(again("x,70000,53,,5-") == "53");
    BOOST_TEST(again("9-3") == "");
}

BOOST_AUTO_TEST_CASE(merging_and_taking_back_restores_the_value) {
    const PortBits before = parse_port_list("8080,12000-12010");
    const PortBits ours = parse_port_list("10240-26623");
    BOOST_TEST(format_port_list(before | ours) == "8080,10240-26623");
    const PortBits added = ours & ~before;
    BOOST_TEST(format_port_list((before | ours) & ~added) == "8080,12000-12010");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::kernel
