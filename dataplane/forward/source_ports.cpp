#include "dataplane/forward/source_ports.h"

#include <cstdio>
#include <cstdlib>

namespace steer::forward {

SourcePorts::SourcePorts(std::uint16_t first, std::uint16_t last, unsigned worker, unsigned workers)
    : workers_(workers), first_(first + (worker + workers - first % workers) % workers), count_(0) {
    if (first > 0 && first_ <= last) count_ = (last - first_) / workers + 1;
    if (count_ == 0) {
        std::fprintf(stderr, "upstream_ports %u-%u holds no port for worker %u of %u\n",
                     unsigned{first}, unsigned{last}, worker, workers);
        std::abort();
    }
}

}  // namespace steer::forward
