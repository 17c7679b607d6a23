#include "dataplane/port/eal.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "support/temp_folder.h"

namespace steer {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

bool has(const EalPlan& plan, const std::string& word) {
    return std::find(plan.arguments.begin(), plan.arguments.end(), word) != plan.arguments.end();
}

MemoryFacts machine(std::uint64_t total_mib, std::uint64_t huge_free) {
    return {total_mib * kMiB, 2 * kMiB, huge_free};
}

BOOST_AUTO_TEST_SUITE(eal)

BOOST_AUTO_TEST_CASE(meminfo_is_read) {
    const MemoryFacts m = parse_meminfo(
        "MemTotal:       24587520 kB\nMemFree:         1 kB\nHugePages_Total:    1024\n"
        "HugePages_Free:     1000\nHugepagesize:       2048 kB\n");
    BOOST_TEST(m.total_bytes == 24587520ULL * 1024);
    BOOST_TEST(m.huge_pages_free == 1000U);
    BOOST_TEST(m.huge_page_bytes == 2 * kMiB);
    BOOST_TEST(parse_meminfo("").total_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_control_group_may_have_less_memory_than_the_machine) {
    namespace fs = std::filesystem;
    const test::TempFolder folder;
    const fs::path& root = folder.path;
    const auto limit = [&](const char* group, const char* text) {
        folder.write((fs::path(group) / "memory.max").string(), text);
    };
    BOOST_TEST(memory_limit(root, "0::/a/b\n") == 0U);  // no files: the controller is off
    limit("", "max\n");
    limit("a", "536870912\n");
    limit("a/b", "max\n");
    limit("a/c", "134217728\n");
    BOOST_TEST(memory_limit(root, "0::/\n") == 0U);
    BOOST_TEST(memory_limit(root, "0::/a/b\n") == 512 * kMiB);
    BOOST_TEST(memory_limit(root, "3:cpu:/a/c\n0::/a/c/d\n") == 128 * kMiB);
    BOOST_TEST(memory_limit(root, "3:memory:/a/c\n") == 0U);  // version 1 alone
    BOOST_TEST(memory_limit(root, "") == 0U);
    limit("", "67108864\n");  // in a container its own group is the root that it sees
    BOOST_TEST(memory_limit(root, "0::/\n") == 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(without_hugepages_a_quarter_of_memory_is_used_with_advice) {
    const EalPlan plan = plan_eal({}, machine(1024, 0), {0, 1});
    BOOST_TEST(!plan.huge_pages);
    BOOST_TEST(plan.memory_bytes == 256 * kMiB);
    BOOST_TEST(has(plan, "--no-huge"));
    BOOST_TEST(has(plan, "--no-shconf"));
    BOOST_TEST(has(plan, "256"));
    BOOST_TEST(!has(plan, "--in-memory"));
    BOOST_TEST(plan.why.find("vm.nr_hugepages=128") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_automatic_size_has_a_minimum_and_a_maximum) {
    BOOST_TEST(plan_eal({}, machine(64, 0), {0}).memory_bytes == 128 * kMiB);
    BOOST_TEST(plan_eal({}, machine(1 << 20, 0), {0}).memory_bytes == 4096 * kMiB);
}

BOOST_AUTO_TEST_CASE(free_hugepages_are_used) {
    const EalPlan plan = plan_eal({}, machine(4096, 100), {0});
    BOOST_TEST(plan.huge_pages);
    BOOST_TEST(plan.memory_bytes == 200 * kMiB);
    BOOST_TEST(has(plan, "--in-memory"));
    BOOST_TEST(!has(plan, "--no-huge"));
}

BOOST_AUTO_TEST_CASE(a_configured_size_is_not_cut_to_the_hugepages) {
    EalOptions options;
    options.memory_bytes = 1024 * kMiB;
    const EalPlan plan = plan_eal(options, machine(8192, 100), {0});
    BOOST_TEST(!plan.huge_pages);
    BOOST_TEST(plan.memory_bytes == 1024 * kMiB);
    BOOST_TEST(plan_eal(options, machine(8192, 512), {0}).huge_pages);
}

BOOST_AUTO_TEST_CASE(a_size_beyond_the_machine_is_refused) {
    EalOptions options;
    options.memory_bytes = 1024 * kMiB;
    BOOST_TEST(plan_eal(options, machine(1024, 0), {0}).refusal == "");
    BOOST_TEST(plan_eal(options, machine(1023, 0), {0}).refusal ==
               "`dataplane.memory` is 1024 MiB and there are 1023 MiB for this process: lower it, "
               "or leave it out");
}

BOOST_AUTO_TEST_CASE(the_arguments_name_lcores_and_devices) {
    EalOptions options;
    options.worker_cpus = {1, 3};
    EalPlan plan = plan_eal(options, machine(8192, 0), {0, 1, 3});
    BOOST_TEST(has(plan, "--lcores=0@(0,1,3),1@1,2@3"));
    BOOST_TEST(has(plan, "--no-pci"));
    options.pci = {"0000:03:00.0"};
    plan = plan_eal(options, machine(8192, 0), {0, 1, 3});
    BOOST_TEST(!has(plan, "--no-pci"));
    BOOST_TEST(has(plan, "0000:03:00.0"));
}

BOOST_AUTO_TEST_CASE(a_nic_needs_hugepages) {
    EalOptions options;
    options.pci = {"0000:03:00.0"};
    BOOST_TEST(plan_eal(options, machine(4096, 100), {0}).refusal == "");
    BOOST_TEST(
        plan_eal(options, machine(1024, 0), {0}).refusal ==
        "a `pci` port needs memory in hugepages, which its NIC can reach; now it would be 256 MiB "
        "without hugepages (none are free; `sysctl -w vm.nr_hugepages=128` gives them)");
    BOOST_TEST(plan_eal({}, machine(1024, 0), {0}).refusal == "");
}

BOOST_AUTO_TEST_CASE(memory_for_a_memif_peer_uses_few_files) {
    EalOptions options;
    BOOST_TEST(!has(plan_eal(options, machine(4096, 100), {0}), "--single-file-segments"));
    options.shares_memory = true;
    BOOST_TEST(has(plan_eal(options, machine(4096, 100), {0}), "--single-file-segments"));
    BOOST_TEST(!has(plan_eal(options, machine(4096, 0), {0}), "--single-file-segments"));
}

BOOST_AUTO_TEST_CASE(a_missing_core_is_refused) {
    EalOptions options;
    options.worker_cpus = {9999};
    const auto eal = Eal::start(options);
    BOOST_REQUIRE(!eal);
    BOOST_TEST(eal.error().text.find("worker core 9999") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
