// OnNode, and what DPDK has on nodes. Node 0 exists on every machine.
#include "dataplane/base/memory_node.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "dataplane/port/eal.h"

namespace steer {
namespace {

struct Policy {
    int mode = -1;
    unsigned long nodes[16] = {};
};

Policy policy_now() {
    Policy one;
    ::syscall(SYS_get_mempolicy, &one.mode, one.nodes, 1025, nullptr, 0UL);
    return one;
}

bool interleave() {
    const unsigned long node = 1;
    return ::syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, &node, 65) == 0;
}

BOOST_AUTO_TEST_SUITE(memory_nodes)

BOOST_AUTO_TEST_CASE(a_policy_of_the_process_comes_back_after_set_up) {
    const MemoryPolicy before = MemoryPolicy::of_thread();
    if (!interleave()) {
        BOOST_TEST_MESSAGE("skipped: the kernel, or a container, has no memory policies");
        return;
    }
    {
        const OnNode here(0);
        BOOST_TEST(memory_node() == 0);
        BOOST_TEST(policy_now().mode == MPOL_PREFERRED);
        BOOST_TEST(policy_now().nodes[0] == 1U);
        {
            const OnNode nothing_new(0), any(kAnyNode);
            BOOST_TEST(memory_node() == 0);
        }
        BOOST_TEST(policy_now().mode == MPOL_PREFERRED);
    }
    BOOST_TEST(memory_node() == kAnyNode);
    BOOST_TEST(policy_now().mode == MPOL_INTERLEAVE);
    BOOST_TEST(policy_now().nodes[0] == 1U);
    before.set();
    BOOST_TEST(policy_now().mode != MPOL_INTERLEAVE);
}

BOOST_AUTO_TEST_CASE(memory_of_a_node_that_is_not_there_is_not_offered) {
    BOOST_TEST(Eal::can_allocate_on(kAnyNode));
    BOOST_TEST(Eal::can_allocate_on(0));
    BOOST_TEST(!Eal::can_allocate_on(31));
    BOOST_TEST(!Eal::can_allocate_on(1000));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
