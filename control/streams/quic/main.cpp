// steerdns-quic: DNS over QUIC for steerdnsd, which starts it.
//
// It is a separate program because it parses what strangers send, in three libraries: a fault there
// must not be one of the daemon. It has no capability, opens no file and no socket, and runs as the
// same user as steerdnsd.
#include <sys/prctl.h>
#include <sys/resource.h>

#include "control/host/process/call_filters.h"
#include "control/host/process/child_main.h"
#include "control/host/process/file_rules.h"
#include "control/streams/quic/program.h"
#include "control/streams/quic/quic_process.h"

namespace {

void limit_data(std::uint64_t bytes) {
    const rlimit most{bytes, bytes};
    (void)::setrlimit(RLIMIT_DATA, &most);
}

void confine() {
    (void)steer::FileRules().enforce();
    (void)steer::filter_this_process(steer::ThreadKind::quic);
}

steer::ChildEnd serve() {
    using namespace steer;
    become_child(quic::kProgramName);
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // it has a private key
    quic::QuicProcess process(SequencedSocket(Descriptor(kChildSocketFd), quic::kMaxMessage));
    return process.begin(limit_data, confine) ? process.run() : ChildEnd::not_understood;
}

}  // namespace

int main(int argc, char** argv) {
    return steer::child_main(argc, argv, steer::quic::kProgramName, serve);
}
