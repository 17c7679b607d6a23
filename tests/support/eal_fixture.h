// EAL for tests: without hugepages, devices or shared files, so that any user can run them.
#pragma once

namespace steer::test {

// Initialises EAL once per process (later calls return at once); aborts with EAL's message if it cannot.
// `main` of a test program with DPDK in it uses it as a global fixture:
//   BOOST_GLOBAL_FIXTURE(EalFixture);
struct EalFixture {
    EalFixture();
    ~EalFixture();
};

}  // namespace steer::test
