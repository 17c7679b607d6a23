// Output whose reader has stopped: nothing waits, and what has room arrives.
#include "control/host/process/last_words.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>

#include "dataplane/port/descriptor.h"

namespace {

struct Ends {
    steer::Descriptor reader, writer;
};
Ends pipe_ends() {
    std::array<int, 2> both{};
    BOOST_REQUIRE(::pipe2(both.data(), O_CLOEXEC) == 0);
    return {steer::Descriptor(both[0]), steer::Descriptor(both[1])};
}
Ends socket_ends() {
    std::array<int, 2> both{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) == 0);
    return {steer::Descriptor(both[0]), steer::Descriptor(both[1])};
}

std::string read_some(int from) {
    std::array<char, 65536> room{};
    const ssize_t n = ::read(from, room.data(), room.size());
    return n > 0 ? std::string(room.data(), static_cast<std::size_t>(n)) : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(last_words)

BOOST_AUTO_TEST_CASE(words_arrive_at_a_reader_that_reads) {
    for (const bool is_pipe : {true, false}) {
        const Ends ends = is_pipe ? pipe_ends() : socket_ends();
        BOOST_TEST(steer::write_if_room(ends.writer.get(), "ending"));
        BOOST_TEST(read_some(ends.reader.get()) == "ending");
    }
}

BOOST_AUTO_TEST_CASE(words_are_left_out_without_a_reader_and_flags_stay) {
    for (const bool is_pipe : {true, false}) {
        const Ends ends = is_pipe ? pipe_ends() : socket_ends();
        const int flags = ::fcntl(ends.writer.get(), F_GETFL);
        const std::string page(4096, 'x');
        while (steer::write_if_room(ends.writer.get(), page)) {
        }
        BOOST_TEST(!steer::write_if_room(ends.writer.get(), std::string(100'000, 'x')));
        BOOST_TEST(!steer::has_room(ends.writer.get()));
        BOOST_TEST(::fcntl(ends.writer.get(), F_GETFL) == flags);
    }
}

// In a process of its own, which ends: its alarm would end one that waits.
BOOST_AUTO_TEST_CASE(what_a_library_prints_to_stderr_does_not_wait) {
    const Ends ends = pipe_ends();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::alarm(60);
        ::dup2(ends.writer.get(), STDERR_FILENO);
        steer::keep_stderr_from_waiting();
        for (int i = 0; i < 10'000; ++i)
            std::fprintf(stderr, "broken invariant %d\n", i);
        ::_exit(0);
    }
    int status = -1;
    BOOST_REQUIRE(::waitpid(pid, &status, 0) == pid);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(
        read_some(ends.reader.get()).starts_with("broken invariant 0\nbroken invariant 1\n"));
}

BOOST_AUTO_TEST_SUITE_END()
