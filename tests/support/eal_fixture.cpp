#include "support/eal_fixture.h"

#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include <array>
#include <string>

namespace steer::test {

EalFixture::EalFixture() {
    static bool up = false;
    if (up) return;
    std::array<std::string, 9> words{"test",     "--no-huge",      "--no-shconf",
                                     "--no-pci", "--no-telemetry", "-m",
                                     "1024",     "--lcores=0@0",   "--log-level=*:error"};
    std::array<char*, words.size()> argv{};
    for (std::size_t i = 0; i < words.size(); ++i)
        argv[i] = words[i].data();
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        rte_panic("EAL does not start: %s\n", rte_strerror(rte_errno));
    }
    up = true;
}

EalFixture::~EalFixture() {
    rte_eal_cleanup();
}

}  // namespace steer::test
