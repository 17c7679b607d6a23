// The command line of the programs here: [--from SEED] [--count N] [--seed SEED], the last for one alone.
#pragma once

#include <cstdint>
#include <functional>

namespace steer::differential {

struct Seeds {
    std::uint32_t from = 1, count = 10'000;
    bool only_one = false;
};

// Runs `compare` with EAL up; returns what main() returns. 2: it could not be run, `name` says why on standard error.
int run_seeds(const char* name, int argc, char** argv,
              const std::function<int(const Seeds&)>& compare);

}  // namespace steer::differential
