// Binding: what is reported when it does not work.
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "control/streams/listen/port_owner.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using stream::Transport;

BOOST_AUTO_TEST_SUITE(stream_listen)

BOOST_AUTO_TEST_CASE(a_taken_port_is_named_with_its_owner) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        for (const char* const at : {"127.0.0.1", "::1"}) {
            const Peer other = Peer::bound(transport, address(at));
            const stream::ListenAddress where{transport, address(at), other.port()};
            const auto owner = stream::find_port_owner(where);
            BOOST_REQUIRE(owner.has_value());
            BOOST_TEST(owner->pid == ::getpid());
            BOOST_TEST(owner->name == "unit_stream");
            const auto socket = stream::open_listen_socket(where);
            BOOST_REQUIRE(!socket.has_value());
            const std::string text = socket.error().text;
            BOOST_TEST(text.find("port " + std::to_string(other.port()) + " on " + at) == 0U);
            BOOST_TEST(text.find("is taken by another process (pid " + std::to_string(::getpid()) +
                                 ", unit_stream)") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_owner_on_all_addresses_is_found) {
    const Peer other = Peer::bound(Transport::udp, address("0.0.0.0"));
    BOOST_TEST(
        stream::find_port_owner({Transport::udp, address("127.0.0.1"), other.port()}).has_value());
    BOOST_TEST(
        !stream::find_port_owner({Transport::tcp, address("127.0.0.1"), other.port()}).has_value());
}

BOOST_AUTO_TEST_CASE(an_address_of_another_machine_is_reported) {
    const auto socket = stream::open_listen_socket({Transport::udp, address("192.0.2.77"), 5353});
    BOOST_REQUIRE(!socket.has_value());
    BOOST_TEST(socket.error().text.find("no interface of this machine has that address") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
