#include "control/host/process/child_main.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "control/host/process/last_words.h"
#include "control/host/process/rights.h"
#include "matchers/version.h"

namespace steer {
namespace {

bool has_child_socket() {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(kChildSocketFd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_SEQPACKET;
}

ChildEnd run(int argc, char** argv, const char* name, ChildEnd (*serve)()) {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::puts(with_version(name).c_str());
        return ChildEnd::closed;
    }
    if (argc != 1 || !has_child_socket()) {
        std::fprintf(stderr, "%s cannot be run by hand: steerdnsd starts it\n", name);
        return ChildEnd::by_hand;
    }
    keep_stderr_from_waiting();  // the daemon's, whose reader may have stopped
    try {
        return serve();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", name, error.what());
        return ChildEnd::failed;
    }
}

}  // namespace

void leave_signals_to_daemon() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
        (void)::signal(number, SIG_IGN);
}

void become_child(const char* name, std::span<const int> capabilities) {
    harden_process();
    keep_only_capabilities(capabilities);
    leave_signals_to_daemon();
    // Also in the middle of a call of the kernel. After the capabilities, because a change of these
    // would undo it.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)::prctl(PR_SET_NAME, name, 0, 0, 0);
}

int child_main(int argc, char** argv, const char* name, ChildEnd (*serve)()) {
    return static_cast<int>(run(argc, argv, name, serve));
}

}  // namespace steer
