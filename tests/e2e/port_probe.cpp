// Serves one interface by AF_XDP as the daemon does, but sends every UDP packet back to where it is from
// and tells on standard output what it sees. port_test.py drives it:
//
//   port_probe DEVICE [--queues N] [--upstreams ADDRESS:PORT,...] [--no-link]   (IPv6 without brackets)
//   port_probe --vdev DRIVER ARGUMENTS                                  (a DPDK device; no kernel beside it)
//
// Says:  ready MODE QUEUES | error SENTENCE | log SENTENCE | eal SUMMARY
//        packet FROM PORT TO PORT VLANS BYTES WRONG   (VLANS 10.20 or -, WRONG: what read_udp_frame says, or -)
//        hop UPSTREAM VIA DEVICE_INDEX PEER_MAC SOURCE | served ADDRESS...
//        count RECEIVED IN_USE DROPPED
// Takes: count | quiet | foreign (replies in mbufs of another pool) | vlans TAG... | upstreams LIST | quit
#include <poll.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "control/host/kernel/next_hops.h"
#include "control/host/kernel/reserved_ports.h"
#include "dataplane/port/af_xdp.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/xdp_steering.h"
#include "support/udp_frame.h"

namespace steer::test {
namespace {

constexpr std::uint16_t kFirstPort = 10240;
constexpr std::uint16_t kLastPort = 26623;

[[noreturn]] void fail(const Error& error) {
    std::cout << "error " << error.sentence() << std::endl;
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) fail(result.error());
    return std::move(*result);
}
void must(const Result<void>& result) {
    if (!result) fail(result.error());
}

std::vector<UpstreamEndpoint> parse_upstreams(const std::string& list) {
    std::vector<UpstreamEndpoint> all;
    std::istringstream text(list);
    for (std::string one; std::getline(text, one, ',');) {
        const std::size_t colon = one.rfind(':');
        const auto address = IpAddress::parse(one.substr(0, colon));
        if (!address) fail(Error{"bad upstream " + one});
        all.push_back({*address, static_cast<std::uint16_t>(std::stoi(one.substr(colon + 1)))});
    }
    return all;
}

std::vector<IpAddress> addresses_of(const std::vector<UpstreamEndpoint>& upstreams) {
    std::vector<IpAddress> all;
    all.reserve(upstreams.size());
    for (const UpstreamEndpoint& upstream : upstreams)
        all.push_back(upstream.address);
    return all;
}

std::string text_of(const MacAddress& mac) {
    std::array<char, 18> text{};
    std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                  mac[3], mac[4], mac[5]);
    return text.data();
}

std::string text_of(const std::vector<std::uint16_t>& tags) {
    constexpr unsigned kVlanId = 0x0fff;
    std::string text;
    for (const unsigned tci : tags)
        text += (text.empty() ? "" : ".") + std::to_string(tci & kVlanId);
    return text.empty() ? "-" : text;
}

class Probe {
  public:
    Probe(const std::string& device, unsigned queues, std::vector<UpstreamEndpoint> upstreams,
          XdpSteering::Hold hold)
        : upstreams_(std::move(upstreams)), steering_(must(XdpSteering::attach(device, hold))) {
        AfXdpOptions options;
        options.queues = queues;
        ports_ = must(open_af_xdp(*steering_, options));
        steering_->set_port_range(kFirstPort, kLastPort);
        must(steering_->set_upstreams(upstreams_));
        reserved_ = must(kernel::ReservedPorts::reserve(kFirstPort, kLastPort));
        kernel::PortDevice port;
        port.if_index = steering_->if_index();
        hops_ = std::make_unique<kernel::NextHops>(
            main_io_, std::vector{port}, [this](kernel::NextHopView view) { take(*view.table); },
            [](const std::string& sentence) { std::cout << "log " << sentence << std::endl; });
        must(hops_->start(addresses_of(upstreams_), std::chrono::seconds(1)));
        other_pool_ = rte_pktmbuf_pool_create("other", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                              static_cast<int>(rte_socket_id()));
        std::cout << "ready "
                  << (steering_->mode() == XdpSteering::Mode::native ? "native" : "generic") << " "
                  << ports_.size() << std::endl;
    }

    explicit Probe(Ports ports) : ports_(std::move(ports)) {
        std::cout << "ready " << ports_.front()->name() << " " << ports_.size() << std::endl;
    }

    // Until standard input ends or says quit.
    void run() {
        std::vector<pollfd> ready{{STDIN_FILENO, POLLIN, 0}};
        for (const auto& port : ports_)
            ready.push_back({port->wake_fd(), POLLIN, 0});
        const bool can_wake = ports_.front()->wake_fd() >= 0;
        for (;;) {
            const int turn_ms = can_wake ? 20 : 1;
            ::poll(ready.data(), ready.size(), turn_ms);
            for (const auto& port : ports_)
                serve(*port);
            main_io_.poll();
            if (ready[0].revents != 0 && !obey()) return;
        }
    }

  private:
    void take(const NextHopTable& table) {
        must(steering_->set_addresses(table.service_addresses, table.own_addresses));
        must(steering_->set_service_ports(table.service_ports));
        static constexpr const char* kVia[] = {"nothing", "kernel", "port"};
        for (std::size_t i = 0; i < table.by_upstream.size(); ++i) {
            const NextHop& hop = table.by_upstream[i];
            std::cout << "hop " << upstreams_[i].address.to_string() << " "
                      << kVia[static_cast<int>(hop.via)] << " " << hop.if_index << " "
                      << text_of(hop.peer_mac) << " " << hop.source.to_string() << "\n";
        }
        std::cout << "served";
        for (const IpAddress& address : table.service_addresses)
            std::cout << " " << address.to_string();
        std::cout << std::endl;
    }

    void serve(Port& port) {
        std::array<rte_mbuf*, 32> burst;
        while (const std::uint16_t got = port.rx(burst.data(), burst.size())) {
            received_ += got;
            std::uint16_t kept = 0;
            for (std::uint16_t i = 0; i < got; ++i) {
                if (rte_mbuf* reply = turned(burst[i])) burst[kept++] = reply;
            }
            for (std::uint16_t sent = port.tx(burst.data(), kept); sent < kept;
                 ++sent, ++dropped_) {
                rte_pktmbuf_free(burst[sent]);
            }
        }
        port.flush();
    }

    // The packet with both ends changed; nullptr (and freed) if it is not UDP.
    rte_mbuf* turned(rte_mbuf* mbuf) {
        auto* bytes = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
        std::string wrong;
        auto frame = read_udp_frame({bytes, mbuf->data_len}, wrong);
        if (!frame) {
            rte_pktmbuf_free(mbuf);
            ++dropped_;
            return nullptr;
        }
        if (!quiet_) {
            std::cout << "packet " << frame->from.to_string() << " " << frame->from_port << " "
                      << frame->to.to_string() << " " << frame->to_port << " "
                      << text_of(frame->vlans) << " " << frame->payload.size() << " "
                      << (wrong.empty() ? "-" : wrong) << std::endl;
        }
        std::swap(frame->from_mac, frame->to_mac);
        std::swap(frame->from, frame->to);
        std::swap(frame->from_port, frame->to_port);
        const std::vector<std::uint8_t> reply = make_udp_frame(*frame);
        if (rte_mbuf* other = foreign_ ? rte_pktmbuf_alloc(other_pool_) : nullptr) {
            rte_pktmbuf_free(mbuf);
            mbuf = other;
            bytes = rte_pktmbuf_mtod(mbuf, std::uint8_t*);
        }
        std::copy(reply.begin(), reply.end(), bytes);
        mbuf->data_len = static_cast<std::uint16_t>(reply.size());
        mbuf->pkt_len = mbuf->data_len;
        return mbuf;
    }

    bool obey() {
        std::string line;
        if (!std::getline(std::cin, line)) return false;
        std::istringstream words(line);
        std::string verb;
        words >> verb;
        if (verb == "count") {
            unsigned in_use = 0;
            for (const auto& port : ports_)
                in_use += rte_mempool_in_use_count(port->pool());
            std::cout << "count " << received_ << " " << in_use << " " << dropped_ << std::endl;
        } else if (verb == "quiet") {
            quiet_ = true;
        } else if (verb == "foreign") {
            foreign_ = true;
        } else if (verb == "vlans") {
            std::vector<OwnVlan> vlans;
            for (std::uint16_t tag = 0; words >> tag;)
                vlans.push_back({{tag, 0}, {}});
            must(steering_->set_vlans(vlans));
        } else if (verb == "upstreams") {
            std::string list;
            words >> list;
            upstreams_ = parse_upstreams(list);
            must(steering_->set_upstreams(upstreams_));
            hops_->set_upstreams(addresses_of(upstreams_));
        }
        if (verb != "quit") std::cout << "done " << verb << std::endl;
        return verb != "quit";
    }

    std::vector<UpstreamEndpoint> upstreams_;
    boost::asio::io_context main_io_;
    std::unique_ptr<XdpSteering> steering_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::unique_ptr<kernel::ReservedPorts> reserved_;
    std::unique_ptr<kernel::NextHops> hops_;
    rte_mempool* other_pool_ = nullptr;
    std::uint64_t received_ = 0, dropped_ = 0;
    bool quiet_ = false, foreign_ = false;
};

}  // namespace
}  // namespace steer::test

int main(int argc, char** argv) {
    using namespace steer;
    std::cin.tie(nullptr);
    const std::vector<std::string> words(argv + 1, argv + argc);
    std::string device;
    std::string upstreams;
    std::string vdev;
    unsigned queues = 0;
    auto hold = XdpSteering::Hold::link;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--queues") {
            queues = static_cast<unsigned>(std::stoul(words.at(++i)));
        } else if (words[i] == "--upstreams") {
            upstreams = words.at(++i);
        } else if (words[i] == "--no-link") {
            hold = XdpSteering::Hold::device;
        } else if (words[i] == "--vdev") {
            vdev = words.at(++i);
        } else {
            device = words[i];
        }
    }
    EalOptions options;
    options.memory_bytes = std::uint64_t{256} << 20;
    const std::unique_ptr<Eal> eal = test::must(Eal::start(options));
    std::cout << "eal " << eal->summary() << std::endl;
    if (!vdev.empty()) {
        test::Probe(test::must(open_vdev(vdev, device, {}))).run();
        return 0;
    }
    test::Probe(device, queues, test::parse_upstreams(upstreams), hold).run();
}
