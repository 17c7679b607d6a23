#include "control/streams/quic/memory_order.h"

#include <boost/test/unit_test.hpp>

#include "control/streams/quic/memory_account.h"

using namespace steer::quic;

namespace {

using Order = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_SUITE(memory_order)

BOOST_AUTO_TEST_CASE(the_network_that_holds_most_loses_its_worst_connection_first) {
    const std::vector<HeavyConnection> heavy{{1, 7, 30}, {2, 7, 60}, {3, 8, 70}, {4, 9, 5}};
    BOOST_TEST(worst_first(heavy, 1) == (Order{2}));
    BOOST_TEST(worst_first(heavy, 61) == (Order{2, 3}));
    BOOST_TEST(worst_first(heavy, 1'000) == (Order{2, 3, 1, 4}));
    BOOST_TEST(worst_first(heavy, 0).empty());
    BOOST_TEST(worst_first({}, 1).empty());
}

BOOST_AUTO_TEST_CASE(a_network_of_many_light_connections_is_not_judged_by_their_number) {
    std::vector<HeavyConnection> heavy{{1, 5, 100}};
    for (std::uint64_t number = 2; number < 500; ++number)
        heavy.push_back({number, 6, 0});
    BOOST_TEST(worst_first(heavy, 50) == (Order{1}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(memory_account)

BOOST_AUTO_TEST_CASE(an_account_above_its_limit_is_spent_and_gives_all_back) {
    const auto process = std::make_shared<ProcessMemory>(1 << 20, 1 << 10);
    ThreadMemory thread(process);
    {
        Account account(thread, 1'000);
        BOOST_TEST(account.take(900));
        BOOST_TEST(!account.take(200));
        BOOST_TEST(account.is_spent());
        BOOST_TEST(!account.take(1));  // also for what would fit
        account.charge(500);           // what exists is counted
        BOOST_TEST(account.bytes() == 1'400U);
        BOOST_TEST(thread.used() == 1'400U);
    }
    BOOST_TEST(thread.used() == 0U);
}

BOOST_AUTO_TEST_CASE(hooks_count_what_the_heap_uses) {
    const auto process = std::make_shared<ProcessMemory>(1 << 20, 0);
    ThreadMemory thread(process);
    Account account(thread, 100'000);
    void* block = hook_malloc(1'000, &account);
    BOOST_TEST_REQUIRE(block != nullptr);
    BOOST_TEST(account.bytes() >= 1'008U);
    BOOST_TEST(account.bytes() <= 1'040U);
    static_cast<char*>(block)[999] = 'x';
    block = hook_realloc(block, 5'000, &account);
    BOOST_TEST(static_cast<char*>(block)[999] == 'x');
    BOOST_TEST(account.bytes() >= 5'008U);
    BOOST_TEST(hook_calloc(SIZE_MAX / 2, 4, &account) == nullptr);
    BOOST_TEST(hook_malloc(200'000, &account) == nullptr);
    hook_free(block, &account);
    hook_free(nullptr, &account);
    BOOST_TEST(account.bytes() == 0U);
    BOOST_TEST(hook_malloc(1, &account) == nullptr);  // it is spent
}

BOOST_AUTO_TEST_CASE(threads_share_the_memory_of_the_process_in_steps) {
    constexpr auto kStep = ThreadMemory::kStep;
    const auto process = std::make_shared<ProcessMemory>(4 * kStep, kStep);
    ThreadMemory one(process);
    {
        ThreadMemory other(process);
        BOOST_TEST(one.take(1));
        BOOST_TEST(other.take(2 * kStep + 1));
        BOOST_TEST(process->used() == 4 * kStep);
        BOOST_TEST(process->excess() == kStep);
        BOOST_TEST(!one.take(kStep));
        one.add(kStep);
        BOOST_TEST(process->used() == 4 * kStep + 1);
        one.give(kStep);
    }
    BOOST_TEST(process->used() <= 2 * kStep);
    BOOST_TEST(process->excess(kStep) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
