// steerdns-sets: updates sets of the kernel for steerdnsd, which starts it.
//
// It is a separate program because libnftables and libipset are under the GPL, version 2, and
// steerdnsd is linked with OpenSSL 3. It has CAP_NET_ADMIN and no other capability, and runs as the
// same user as steerdnsd.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/capability.h>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "control/host/process/call_filters.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/rights.h"
#include "control/sinks/set_process/program.h"
#include "control/sinks/set_process/set_helper.h"
#include "matchers/version.h"

namespace {

bool is_daemons_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// The socket shows the end of the daemon. Signals to the group (terminal, service manager) are for
// the daemon.
void leave_signals_to_daemon() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
        (void)::signal(number, SIG_IGN);
}

int serve() {
    using namespace steer;
    constexpr int kKept[] = {CAP_NET_ADMIN};
    harden_process();
    keep_only_capabilities(kKept);
    leave_signals_to_daemon();
    // When the daemon's main thread ends, also in the middle of a call of the kernel. After the
    // capabilities, because a change of these would undo it.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)::prctl(PR_SET_NAME, sets::kProgramName, 0, 0, 0);
    BootClock clock;
    const auto kernel = sets::open_set_kernel();
    FileRules rules;
    rules.allow("/", FileRules::Use::read);
    (void)rules.enforce();
    (void)filter_this_process(ThreadKind::sets);
    sets::SetHelper helper(sets::SequencedSocket(Descriptor(sets::kSocketFd)), *kernel, clock);
    return helper.run() == sets::SetHelper::End::closed ? sets::kDone : sets::kNotUnderstood;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts(steer::with_version("steerdns-sets").c_str());
        return steer::sets::kDone;
    }
    if (argc != 1 || !is_daemons_socket(steer::sets::kSocketFd)) {
        std::fputs("steerdns-sets cannot be run by hand: steerdnsd starts it\n", stderr);
        return steer::sets::kStartedByHand;
    }
    try {
        return serve();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "steerdns-sets: %s\n", error.what());
        return steer::sets::kFailed;
    }
}
