// scenario STORY [DNS_LOG JOURNAL]: plays a story; 0 if all was as it tells.
#include <cstdio>
#include <exception>

#include "scenario/story.h"
#include "support/eal_fixture.h"

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) {
        std::fprintf(stderr, "usage: %s STORY [DNS_LOG JOURNAL]\n", argv[0]);
        return 2;
    }
    const steer::test::EalFixture eal;
    try {
        steer::test::play(argv[1], argc == 4 ? argv[2] : "", argc == 4 ? argv[3] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
