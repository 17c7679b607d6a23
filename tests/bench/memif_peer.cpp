// memif_peer bridge --socket PATH --tap NAME: the clients' kernel reaches a memif port through a TAP.
// memif_peer load --socket PATH --pcap FILE --answers FILE [--rate N [--open]]: the generator of tools/bench memif.
#include "bench/memif_peer.h"

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "bench/start_eal.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::fprintf(stderr, "memif_peer: %s\n", why.c_str());
    std::exit(1);
}

namespace {

constexpr unsigned kMib = 256;  // of memory for the EAL

MemifPeer open_memif(const PeerOptions& options) {
    constexpr const char* kName = "net_memif0";
    constexpr std::uint16_t kDescriptors = 1024;
    constexpr unsigned kPoolCache = 256;
    const std::string arguments =
        "role=client,socket-abstract=no,bsize=2048,rsize=10,socket=" + options.socket;
    MemifPeer peer{};
    if (rte_vdev_init(kName, arguments.c_str()) != 0 ||
        rte_eth_dev_get_port_by_name(kName, &peer.device) != 0) {
        fail("the memif device cannot be made with " + arguments);
    }
    peer.pool = rte_pktmbuf_pool_create("peer", options.mbufs, kPoolCache, 0,
                                        RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (peer.pool == nullptr) fail("no memory for its packets");
    const rte_eth_conf conf{};
    if (rte_eth_dev_configure(peer.device, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(peer.device, 0, kDescriptors, 0, nullptr, peer.pool) != 0 ||
        rte_eth_tx_queue_setup(peer.device, 0, kDescriptors, 0, nullptr) != 0) {
        fail("the memif device cannot be configured");
    }
    return peer;
}

}  // namespace

void connect(const MemifPeer& peer, const PeerOptions& options) {
    constexpr unsigned kAttempts = 20, kPolls = 20, kPauseUs = 50'000;
    for (unsigned i = 0; i < kAttempts * kPolls && ::access(options.socket.c_str(), F_OK) != 0; ++i)
        rte_delay_us_sleep(kPauseUs);
    // A server that is not ready closes the connection, and the driver does not try again by itself.
    for (unsigned i = 0; i < kAttempts; ++i) {
        const bool started = rte_eth_dev_start(peer.device) == 0;
        for (unsigned turn = 0; turn < kPolls; ++turn) {
            rte_delay_us_sleep(kPauseUs);
            rte_eth_link link{};
            rte_eth_link_get_nowait(peer.device, &link);
            if (link.link_status == RTE_ETH_LINK_UP) return;
        }
        if (started) rte_eth_dev_stop(peer.device);
    }
    fail("no process serves " + options.socket);
}

}  // namespace steer::bench

int main(int argc, char** argv) {
    using namespace steer::bench;
    PeerOptions options;
    CLI::App app{"The far side of a memif port"};
    app.require_subcommand(1);
    auto* bridge = app.add_subcommand("bridge", "joins it to a TAP");
    bridge->add_option("--tap", options.tap)->required();
    auto* load = app.add_subcommand("load", "sends queries and counts answers");
    load->add_option("--pcap", options.pcap)->required();
    load->add_option("--answers", options.answers)->required();
    load->add_option("--seconds", options.seconds);
    load->add_option("--rate", options.rate);
    load->add_flag("--open", options.open);
    load->add_option("--seed", options.random_seed);
    load->add_option("--gaps", options.gaps);
    load->add_flag("--swapped", options.swapped);
    load->add_flag("--without-records", options.without_records);
    for (auto* command : {bridge, load}) {
        command->add_option("--socket", options.socket)->required();
        command->add_option("--mbufs", options.mbufs);
        command->add_option("--core", options.core);
        command->add_flag("--no-huge", options.no_huge);
    }
    CLI11_PARSE(app, argc, argv);
    start_eal_on(options.core, kMib, options.no_huge, true);
    const MemifPeer peer = open_memif(options);
    return bridge->parsed() ? run_bridge(peer, options) : run_load(peer, options);
}
