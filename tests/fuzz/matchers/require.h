#pragma once

#include <cstdio>
#include <cstdlib>

// Ends a fuzz target that found a promise broken.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}
