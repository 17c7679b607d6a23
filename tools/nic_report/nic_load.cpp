// nic_load --port PCI: facts of a NIC under DPDK, and queries by it, counted by us and by the NIC.
//
// Prints one line of JSON with the facts. With --to, it then reads steps from standard input, one a
// line: "SIZE SECONDS RATE" (bytes of the frame with its FCS; queries a second, 0: as many as
// possible). It prints one line of JSON for each.
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <thread>

#include "dataplane/dns/wire.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/stages/frame.h"

namespace steer {
namespace {

using boost::json::object;

constexpr unsigned kBurst = 32;
constexpr unsigned kFlows = 4096;         // with different addresses and ports, for RSS
constexpr std::size_t kFcs = 4;           // of an Ethernet frame; the NIC adds it
constexpr std::size_t kHeaders = 42;      // Ethernet, IPv4, UDP
constexpr std::size_t kQuestion = 17;     // the header, and the question for the root
constexpr std::size_t kPadding = 11 + 4;  // an OPT record with an empty padding option (RFC 7830)
constexpr std::uint16_t kDnsPort = 53;

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "nic_load: %s\n", why.c_str());
    std::exit(1);
}

struct Options {
    std::string port, to, server = "198.18.0.1";
    unsigned queues = 1;
};

struct Step {
    std::size_t size = 64;
    double seconds = 1, rate = 0;
};

std::string fact_of_firmware(std::uint16_t id) {
    std::array<char, 256> text{};
    return rte_eth_dev_fw_version_get(id, text.data(), text.size()) == 0 ? text.data() : "unknown";
}

// A link takes seconds after the start of its device.
rte_eth_link wait_for_link(std::uint16_t id) {
    rte_eth_link link{};
    constexpr unsigned kTries = 100;
    for (unsigned i = 0; i < kTries; ++i) {
        if (rte_eth_link_get_nowait(id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return link;
}

object facts_of(std::uint16_t id, const Port& port) {
    rte_eth_dev_info info{};
    rte_eth_dev_info_get(id, &info);
    const rte_eth_link link = wait_for_link(id);
    std::array<char, RTE_ETHER_ADDR_FMT_SIZE> mac{};
    rte_ether_addr address{};
    std::copy(port.mac().begin(), port.mac().end(), address.addr_bytes);
    rte_ether_format_addr(mac.data(), mac.size(), &address);
    return {{"driver", info.driver_name},
            {"mac", mac.data()},
            {"firmware", fact_of_firmware(id)},
            {"offers", describe_ethdev(port)},
            {"receive_queues", info.max_rx_queues},
            {"transmit_queues", info.max_tx_queues},
            {"largest_mtu", info.max_mtu},
            {"rss", info.flow_type_rss_offloads},
            {"receive_offloads", info.rx_offload_capa},
            {"link_up", link.link_status == RTE_ETH_LINK_UP},
            {"link_mbit", link.link_speed},
            {"full_duplex", link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX},
            {"autonegotiated", link.link_autoneg == RTE_ETH_LINK_AUTONEG}};
}

// What the NIC itself counted.
object counters_of(std::uint16_t id, const rte_eth_stats& before) {
    rte_eth_stats now{};
    rte_eth_stats_get(id, &now);
    return {{"received", now.ipackets - before.ipackets},
            {"sent", now.opackets - before.opackets},
            {"missed", now.imissed - before.imissed},
            {"no_buffer", now.rx_nombuf - before.rx_nombuf},
            {"receive_errors", now.ierrors - before.ierrors},
            {"transmit_errors", now.oerrors - before.oerrors}};
}

MacAddress parse_mac(const std::string& text) {
    rte_ether_addr mac{};
    if (rte_ether_unformat_addr(text.c_str(), &mac) != 0) fail(text + " is no MAC address");
    MacAddress out{};
    std::copy_n(mac.addr_bytes, out.size(), out.begin());
    return out;
}

class Load {
  public:
    Load(std::uint16_t id, Ports& queues, const Options& options)
        : id_(id), queues_(queues), to_(parse_mac(options.to)) {
        const auto server = IpAddress::parse(options.server);
        if (!server || !server->is_v4()) fail(options.server + " is no IPv4 address");
        server_ = *server;
    }

    object run(const Step& step) {
        write_frames(step.size);
        answers_ = wrong_ = 0;
        rte_eth_stats before{};
        rte_eth_stats_get(id_, &before);
        const auto hz = static_cast<double>(rte_get_tsc_hz());
        const std::uint64_t begin = rte_get_tsc_cycles();
        const auto length = static_cast<std::uint64_t>(step.seconds * hz);
        std::uint64_t sent = 0, passed = 0;
        while ((passed = rte_get_tsc_cycles() - begin) < length) {
            const double due = step.rate * static_cast<double>(passed) / hz;
            if (step.rate == 0 || static_cast<double>(sent) < due) sent += send();
            receive();
        }
        const std::uint64_t late = rte_get_tsc_cycles() + rte_get_tsc_hz() / 2;
        while (rte_get_tsc_cycles() < late)
            receive();
        const double seconds = static_cast<double>(passed) / hz;
        return {{"size", frames_.front().size() + kFcs},
                {"seconds", seconds},
                {"wanted_rate", step.rate},
                {"sent", sent},
                {"answered", answers_},
                {"wrong", wrong_},
                {"nic", counters_of(id_, before)}};
    }

  private:
    using Frame = std::vector<std::uint8_t>;

    void write_frames(std::size_t size) {
        const std::size_t least = kHeaders + kQuestion;
        const std::size_t wanted = std::max(size - kFcs, least);
        const bool padded = wanted >= least + kPadding;
        frames_.clear();
        for (unsigned flow = 0; flow < kFlows; ++flow) {
            Frame frame(padded ? wanted : std::max<std::size_t>(least, 60));
            const auto length = padded ? frame.size() - kHeaders : kQuestion;
            std::uint8_t* const dns = frame.data() + kHeaders;
            dns::store_be16(dns, static_cast<std::uint16_t>(flow));
            dns[2] = 1;  // RD
            dns[5] = 1;  // one question: the root, A, IN
            dns[14] = 1;
            dns[16] = 1;
            if (padded) {
                dns[11] = 1;  // one additional record
                std::uint8_t* const opt = dns + kQuestion;
                opt[2] = 41;
                dns::store_be16(opt + 3, 1232);
                dns::store_be16(opt + 9, static_cast<std::uint16_t>(length - kQuestion - 11));
                opt[12] = 12;  // padding
                dns::store_be16(opt + 13,
                                static_cast<std::uint16_t>(length - kQuestion - kPadding));
            }
            constexpr unsigned kClients = 240, kFirstPort = 20'000;
            std::array<std::uint8_t, 4> client{198, 18, 0,
                                               static_cast<std::uint8_t>(10 + flow % kClients)};
            write_headers(dns, static_cast<std::uint16_t>(length),
                          {.to_mac = to_,
                           .from_mac = queues_.front()->mac(),
                           .tags = {},
                           .to = server_,
                           .from = IpAddress::from_v4(client.data()),
                           .to_port = kDnsPort,
                           .from_port = static_cast<std::uint16_t>(kFirstPort + flow)});
            frames_.push_back(std::move(frame));
        }
    }

    unsigned send() {
        Port& port = *queues_[turn_++ % queues_.size()];
        std::array<rte_mbuf*, kBurst> burst;
        unsigned n = 0;
        for (; n < kBurst; ++n) {
            rte_mbuf* const m = rte_pktmbuf_alloc(port.pool());
            if (m == nullptr) break;
            const Frame& frame = frames_[(at_ + n) % kFlows];
            std::memcpy(rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size())),
                        frame.data(), frame.size());
            burst[n] = m;
        }
        const unsigned taken = port.tx(burst.data(), static_cast<std::uint16_t>(n));
        for (unsigned i = taken; i < n; ++i)
            rte_pktmbuf_free(burst[i]);
        port.flush();
        at_ += taken;
        return taken;
    }

    void receive() {
        for (const auto& port : queues_) {
            std::array<rte_mbuf*, kBurst> burst;
            const unsigned n = port->rx(burst.data(), kBurst);
            for (unsigned i = 0; i < n; ++i) {
                count(*burst[i]);
                rte_pktmbuf_free(burst[i]);
            }
        }
    }

    // An answer goes to the address and port that asked with its ID.
    void count(const rte_mbuf& m) {
        const auto* const frame = rte_pktmbuf_mtod(&m, const std::uint8_t*);
        const bool is_answer = m.data_len >= kHeaders + kQuestion &&
                               dns::load_be16(frame + 12) == RTE_ETHER_TYPE_IPV4 &&
                               frame[23] == kUdpProtocol &&
                               dns::load_be16(frame + 34) == kDnsPort && (frame[44] & 0x80) != 0;
        if (!is_answer) return;
        const std::uint16_t flow = dns::load_be16(frame + kHeaders);
        const bool is_right = flow < kFlows &&
                              std::memcmp(frame + 30, frames_[flow].data() + 26, 4) == 0 &&
                              std::memcmp(frame + 36, frames_[flow].data() + 34, 2) == 0;
        ++(is_right ? answers_ : wrong_);
    }

    std::uint16_t id_;
    Ports& queues_;
    MacAddress to_;
    IpAddress server_;
    std::vector<Frame> frames_;
    std::size_t at_ = 0, turn_ = 0;
    std::uint64_t answers_ = 0, wrong_ = 0;
};

void print(const object& line) {
    std::printf("%s\n", boost::json::serialize(line).c_str());
    std::fflush(stdout);
}

int run(const Options& options) {
    const std::vector<unsigned> cpus = allowed_cpus();
    auto eal = Eal::start({.worker_cpus = {cpus.back()}, .pci = {options.port}});
    if (!eal) fail(eal.error().text);
    const auto id = find_ethdev(options.port);
    if (!id) fail(id.error().text);
    auto queues = open_ethdev(
        *id, {.most_queues = static_cast<std::uint16_t>(options.queues), .follows_link = true});
    if (!queues) fail(queues.error().text);
    print(facts_of(*id, *queues->front()));
    if (options.to.empty()) return 0;
    Load load(*id, *queues, options);
    for (std::string line; std::getline(std::cin, line);) {
        Step step;
        std::istringstream words(line);
        if (!(words >> step.size >> step.seconds >> step.rate)) fail("\"" + line + "\" is no step");
        print(load.run(step));
    }
    return 0;
}

}  // namespace
}  // namespace steer

int main(int argc, char** argv) {
    steer::Options options;
    CLI::App app("nic_load: facts of a NIC under DPDK, and queries by it");
    app.add_option("--port", options.port, "its PCI address")->required();
    app.add_option("--to", options.to, "MAC address that queries go to; without it: facts only");
    app.add_option("--server", options.server, "IPv4 address that queries go to");
    app.add_option("--queues", options.queues, "receive and transmit queues, at most");
    CLI11_PARSE(app, argc, argv);
    return steer::run(options);
}
