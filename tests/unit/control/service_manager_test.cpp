// Messages to a service manager that does not read.
#include "control/host/process/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "dataplane/port/descriptor.h"

namespace {

std::string next_message(int from) {
    std::array<char, 4096> room{};
    const ssize_t n = ::recv(from, room.data(), room.size(), 0);
    return n > 0 ? std::string(room.data(), static_cast<std::size_t>(n)) : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_manager)

BOOST_AUTO_TEST_CASE(a_service_manager_that_does_not_read_gets_the_last_state_later) {
    const steer::Descriptor manager(
        ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    const std::string name = "steerdns-last-words-" + std::to_string(::getpid());
    name.copy(at.sun_path + 1, name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    BOOST_REQUIRE(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&at), length) == 0);
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    const steer::Descriptor other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    BOOST_REQUIRE(::connect(other.get(), reinterpret_cast<const sockaddr*>(&at), length) == 0);
    while (::send(other.get(), "x", 1, 0) == 1) {
    }
    for (const char* const state : {"READY=1", "STATUS=serving", "STATUS=ending"})
        steer::notify_service_manager(state);
    std::string reported;
    for (std::string one; !(one = next_message(manager.get())).empty();)
        reported += one == "x" ? "" : one;
    BOOST_TEST(reported == "");
    steer::notify_service_manager_again();
    steer::notify_service_manager("WATCHDOG=1");
    for (std::string one; !(one = next_message(manager.get())).empty();)
        reported += one + " ";
    BOOST_TEST(reported == "READY=1 STATUS=ending WATCHDOG=1 ");
    ::unsetenv("NOTIFY_SOCKET");
}

BOOST_AUTO_TEST_SUITE_END()
