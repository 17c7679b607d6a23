#include "dataplane/base/clock.h"

#include <time.h>

namespace steer {

Now BootClock::now() {
    timespec t{};
    clock_gettime(CLOCK_BOOTTIME, &t);
    return {static_cast<std::uint64_t>(t.tv_sec) * 1000 +
                static_cast<std::uint64_t>(t.tv_nsec) / 1'000'000,
            static_cast<std::uint32_t>(t.tv_nsec % 1'000'000 / 1000)};
}

}  // namespace steer
