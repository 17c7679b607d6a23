// Workers, ports and hugepages on the NUMA nodes of a made-up machine.
#include "control/program/reload/numa_plan.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "control/config/load.h"
#include "control/program/reload/sizing.h"
#include "support/temp_folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 2U << 20;

// Nodes 0 (CPUs 0, 2) and 1 (CPUs 1, 3); eth0 is a virtio NIC on node 1, eth1 a NIC on node 0, tap0 no NIC.
class TwoNodes {
  public:
    TwoNodes() {
        write("sys/devices/system/node/node0/cpulist", "0,2");
        write("sys/devices/system/node/node1/cpulist", "1,3");
        write("sys/devices/system/node/possible", "0-1");
        pages(0, 110, 100);
        pages(1, 6, 0);
        write("sys/devices/pci0/0000:65:00.0/numa_node", "1");
        write("sys/devices/pci0/0000:03:00.0/numa_node", "0");
        fs::create_directories(root_ / "sys/devices/pci0/0000:65:00.0/virtio0");
        link("sys/class/net/eth0/device", "sys/devices/pci0/0000:65:00.0/virtio0");
        link("sys/class/net/eth1/device", "sys/devices/pci0/0000:03:00.0");
        fs::create_directories(root_ / "sys/class/net/tap0");
        nodes = NumaNodes::read(root());
    }
    [[nodiscard]] std::string root() const { return root_.string(); }
    void pages(int node, unsigned total, unsigned free) {
        const std::string folder =
            "sys/devices/system/node/node" + std::to_string(node) + "/hugepages/hugepages-2048kB/";
        write(folder + "nr_hugepages", std::to_string(total));
        write(folder + "free_hugepages", std::to_string(free));
    }

    NumaNodes nodes;

  private:
    void write(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << '\n';
    }
    void link(const std::string& at, const std::string& to) {
        fs::create_directories((root_ / at).parent_path());
        fs::create_symlink(root_ / to, root_ / at);
    }

    test::TempFolder folder_;
    fs::path root_ = folder_.path;
};

config::Settings settings_of(const std::string& dataplane) {
    const auto loaded = config::load_text(
        "dataplane: " + dataplane +
            "\nplugins:\n  - { tag: main, type: sequence, args: [{ exec: reject }] }\n",
        "test.yaml");
    BOOST_TEST_REQUIRE(loaded.ok());
    return loaded.settings;
}

std::vector<std::string> advice_of(const TwoNodes& machine, const std::string& dataplane,
                                   const std::string& default_interface = {},
                                   const std::vector<NodeShortage>& shortages = {}) {
    const config::Settings settings = settings_of(dataplane);
    const std::vector<unsigned> allowed{0, 1, 2, 3};
    const auto cpus = plan_cpus(
        settings.dataplane, allowed,
        cpus_near_ports(settings, machine.nodes, allowed, default_interface, machine.root()));
    BOOST_TEST_REQUIRE(static_cast<bool>(cpus));
    std::vector<std::string> texts;
    for (const Error& one : numa_advice(settings, machine.nodes, cpus->workers, default_interface,
                                        shortages, kPage, machine.root()))
        texts.push_back(one.sentence());
    return texts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(numa_plan)

BOOST_AUTO_TEST_CASE(nodes_of_cpus_and_nics_are_read) {
    const TwoNodes machine;
    BOOST_TEST(machine.nodes.of_cpu(2) == 0);
    BOOST_TEST(machine.nodes.of_cpu(3) == 1);
    BOOST_TEST(machine.nodes.of_cpu(4) == kAnyNode);
    BOOST_TEST(node_of_interface("eth0", machine.root()) == 1);
    BOOST_TEST(node_of_interface("eth1", machine.root()) == 0);
    BOOST_TEST(node_of_interface("tap0", machine.root()) == kAnyNode);
    BOOST_TEST(read_huge_pages(0, kPage, machine.root()).total == 110U);
    BOOST_TEST(read_huge_pages(0, kPage, machine.root()).free == 100U);
    BOOST_TEST(NumaNodes::read("/nowhere").of_cpu(0) == kAnyNode);
}

BOOST_AUTO_TEST_CASE(workers_by_number_get_the_cpus_of_the_ports_node) {
    const TwoNodes machine;
    const auto planned = [&](const std::string& dataplane, const std::string& default_interface) {
        const config::Settings settings = settings_of(dataplane);
        return plan_cpus(settings.dataplane, {0, 1, 2, 3},
                         cpus_near_ports(settings, machine.nodes, {0, 1, 2, 3}, default_interface,
                                         machine.root()))
            ->workers;
    };
    const auto cpus = [&](const std::string& port, unsigned workers) {
        return planned(
            "{ workers: " + std::to_string(workers) + ", ports: [{ device: " + port + " }] }",
            "eth0");
    };
    BOOST_TEST(cpus("eth1", 2) == (std::vector<unsigned>{2, 0}), boost::test_tools::per_element());
    BOOST_TEST(cpus("eth0", 2) == (std::vector<unsigned>{3, 1}), boost::test_tools::per_element());
    BOOST_TEST(cpus("tap0", 2) == (std::vector<unsigned>{3, 1}), boost::test_tools::per_element());
    BOOST_TEST(cpus("eth1", 3) == (std::vector<unsigned>{2, 0, 3}),
               boost::test_tools::per_element());
    // Without `ports`, of the default interface.
    BOOST_TEST(planned("{ workers: 2 }", "eth1") == (std::vector<unsigned>{2, 0}),
               boost::test_tools::per_element());
    BOOST_TEST(planned("{ workers: 2 }", {}) == (std::vector<unsigned>{3, 1}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(workers_and_ports_of_one_node_need_no_advice) {
    const TwoNodes machine;
    BOOST_TEST(advice_of(machine, "{ workers: [1, 3], ports: [{ device: eth0 }] }").empty());
    BOOST_TEST(advice_of(machine, "{ workers: [0], ports: [{ device: eth1 }] }").empty());
    BOOST_TEST(advice_of(machine, "{ workers: 2 }", "eth0").empty());
    BOOST_TEST(advice_of(machine, "{ workers: 2 }", "eth1").empty());
}

BOOST_AUTO_TEST_CASE(a_split_is_reported_with_what_to_write) {
    const TwoNodes machine;
    const auto split = advice_of(machine, "{ workers: [0, 3] }");
    BOOST_TEST_REQUIRE(split.size() == 1U);
    BOOST_TEST(split[0].find("CPUs 0 on node 0, CPUs 3 on node 1") != std::string::npos);
    BOOST_TEST(split[0].find("name CPUs of node 0 (0, 2) in `workers`") != std::string::npos);
    const auto far = advice_of(machine, "{ workers: [0, 2], ports: [{ device: eth0 }] }");
    BOOST_TEST_REQUIRE(far.size() == 1U);
    BOOST_TEST(far[0].find("port eth0 is on NUMA node 1, and its workers are on another") !=
               std::string::npos);
    BOOST_TEST(far[0].find("name CPUs of node 1 (1, 3)") != std::string::npos);
    BOOST_TEST(advice_of(machine, "{ workers: [2] }", "eth0").size() == 1U);
    BOOST_TEST(advice_of(machine, "{ workers: [1, 2], ports: [{ device: eth0 }] }").size() == 2U);
}

BOOST_AUTO_TEST_CASE(hugepages_of_another_node_are_reported) {
    TwoNodes machine;
    MemoryFacts memory{.total_bytes = 1U << 30, .huge_page_bytes = kPage, .huge_pages_free = 100};
    std::uint64_t wanted = 128U << 20;
    const auto shortages = [&](const std::vector<unsigned>& workers) {
        return node_shortages(machine.nodes,
                              {.worker_cpus = workers, .memory_bytes = wanted, .pci = {}}, memory,
                              machine.root());
    };
    BOOST_TEST(shortages({0, 2}).empty());
    const auto found = shortages({1, 3});
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].node == 1);
    BOOST_TEST(found[0].wanted_bytes == 128U << 20);
    const auto advice = advice_of(machine, "{ workers: [1, 3] }", {}, found);
    BOOST_TEST_REQUIRE(advice.size() == 1U);
    BOOST_TEST(advice[0].find("'echo 70 > /sys/devices/system/node/node1/hugepages/"
                              "hugepages-2048kB/nr_hugepages'") != std::string::npos);
    machine.pages(1, 70, 64);  // what it says is enough
    BOOST_TEST(shortages({1, 3}).empty());
    machine.pages(1, 32, 32);  // a worker's part is enough beside worker 0 on another node
    BOOST_TEST(shortages({0, 1}).empty());
    machine.pages(1, 32, 31);
    BOOST_TEST(shortages({0, 1}).size() == 1U);
    memory.huge_pages_free = 0;
    BOOST_TEST(shortages({1, 3}).empty());
}

BOOST_AUTO_TEST_CASE(an_automatic_size_fits_after_the_pages_that_are_asked_for) {
    TwoNodes machine;
    MemoryFacts memory{.total_bytes = 1U << 30, .huge_page_bytes = kPage, .huge_pages_free = 100};
    const auto shortages = [&] {
        return node_shortages(machine.nodes, {.worker_cpus = {1, 3}, .memory_bytes = 0, .pci = {}},
                              memory, machine.root());
    };
    const auto found = shortages();
    BOOST_TEST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found[0].wanted_bytes == 256U << 20);  // not the 200 MiB that are free elsewhere
    BOOST_TEST(found[0].pages == 6U + 128U);
    machine.pages(1, 6 + 128, 128);
    memory.huge_pages_free = 228;
    BOOST_TEST(shortages().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
