// steerdns-sets: updates sets of the kernel for steerdnsd, which starts it.
//
// It is a separate program because libnftables and libipset are under the GPL, version 2, and
// steerdnsd is linked with OpenSSL 3. It has CAP_NET_ADMIN and no other capability, and runs as the
// same user as steerdnsd.
#include <linux/capability.h>

#include "control/host/process/call_filters.h"
#include "control/host/process/child_main.h"
#include "control/host/process/file_rules.h"
#include "control/sinks/set_process/program.h"
#include "control/sinks/set_process/set_helper.h"

namespace {

steer::ChildEnd serve() {
    using namespace steer;
    constexpr int kKept[] = {CAP_NET_ADMIN};
    become_child(sets::kProgramName, kKept);
    BootClock clock;
    const auto kernel = sets::open_set_kernel();
    FileRules rules;
    rules.allow("/", FileRules::Use::read);
    (void)rules.enforce();
    (void)filter_this_process(ThreadKind::sets);
    sets::SetHelper helper(SequencedSocket(Descriptor(kChildSocketFd), sets::kMaxMessage), *kernel,
                           clock);
    return helper.run();
}

}  // namespace

int main(int argc, char** argv) {
    return steer::child_main(argc, argv, steer::sets::kProgramName, serve);
}
