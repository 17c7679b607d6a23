// EAL without devices, for a program of a bench.
#pragma once

#include <rte_eal.h>

#include <string>
#include <vector>

#include "bench/fail.h"

namespace steer::bench {

// `lcores` in the form of `--lcores`. `shares_memory`: with another process, over memif.
inline void start_eal_on(const std::string& lcores, unsigned mib, bool no_huge,
                         bool shares_memory = false) {
    std::vector<std::string> words{"bench",
                                   "--lcores",
                                   lcores,
                                   "--no-pci",
                                   "--no-telemetry",
                                   "-m",
                                   std::to_string(mib),
                                   "--log-level=*:error"};
    if (no_huge) {
        words.insert(words.end(), {"--no-huge", "--no-shconf"});
    } else {
        words.emplace_back("--in-memory");
        if (shares_memory) words.emplace_back("--single-file-segments");
    }
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (auto& word : words)
        argv.push_back(word.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) fail("EAL does not start");
}

}  // namespace steer::bench
