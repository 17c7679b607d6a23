#include "differential/seeds.h"

#include <cstdio>
#include <exception>
#include <string>

#include "support/eal_fixture.h"

namespace steer::differential {

int run_seeds(const char* name, int argc, char** argv,
              const std::function<int(const Seeds&)>& compare) try {
    Seeds seeds;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string word = argv[i];
        const auto number = static_cast<std::uint32_t>(std::stoul(argv[i + 1]));
        if (word == "--count") seeds.count = number;
        if (word == "--from" || word == "--seed") seeds.from = number;
        if (word == "--seed") seeds.count = 1, seeds.only_one = true;
    }
    const test::EalFixture eal;
    return compare(seeds);
} catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", name, e.what());
    return 2;
}

}  // namespace steer::differential
