#include "dataplane/port/kernel_device.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

BOOST_AUTO_TEST_SUITE(kernel_device)

BOOST_AUTO_TEST_CASE(errors_of_a_device_are_named) {
    const auto missing = find_kernel_device("nosuch0");
    BOOST_REQUIRE(!missing);
    BOOST_TEST(missing.error().text.find("there is no interface nosuch0 here (there are: lo") !=
               std::string::npos);
    const auto loopback = find_kernel_device("lo");
    BOOST_REQUIRE(!loopback);
    BOOST_TEST(loopback.error().text.find("lo is not an Ethernet interface") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_too_long_is_not_an_interface) {
    BOOST_TEST(!find_kernel_device(std::string(300, 'x')));
}

BOOST_AUTO_TEST_CASE(the_ethtool_command_for_the_queues_is_given) {
    KernelDevice device;
    device.name = "eth0";
    BOOST_TEST(device.set_queues_command(1) == "ethtool -L eth0 rx 1 tx 1");
    device.combined_channels = true;
    BOOST_TEST(device.set_queues_command(2) == "ethtool -L eth0 combined 2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
