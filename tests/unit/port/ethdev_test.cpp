#include "dataplane/port/ethdev.h"

#include <pcap/pcap.h>
#include <rte_mbuf.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "support/ring_port.h"
#include "support/temp_folder.h"

namespace steer {
namespace {

using test::Frame;
using test::RingPort;

Frame numbered(std::uint8_t n, std::size_t size = 64) {
    Frame frame(size, n);
    return frame;
}

// Sends back what it got.
unsigned echo(Port& port) {
    std::array<rte_mbuf*, 32> burst;
    const std::uint16_t got = port.rx(burst.data(), burst.size());
    const std::uint16_t sent = port.tx(burst.data(), got);
    for (std::uint16_t i = sent; i < got; ++i)
        rte_pktmbuf_free(burst[i]);
    port.flush();
    return sent;
}

BOOST_AUTO_TEST_SUITE(ethdev)

BOOST_AUTO_TEST_CASE(a_ring_port_returns_frames_in_order) {
    RingPort ring("echo", 7);
    BOOST_TEST(ring.port().if_index() == 7);
    BOOST_TEST(ring.port().name() == "echo");
    for (std::uint8_t n = 1; n <= 40; ++n)
        BOOST_TEST(ring.send(numbered(n, 60U + n)));
    BOOST_TEST(echo(ring.port()) == 32U);
    BOOST_TEST(echo(ring.port()) == 8U);
    BOOST_TEST(echo(ring.port()) == 0U);
    const std::vector<Frame> back = ring.receive_all();
    BOOST_REQUIRE(back.size() == 40U);
    for (std::uint8_t n = 1; n <= 40; ++n)
        BOOST_TEST(back[n - 1U] == numbered(n, 60U + n));
    BOOST_TEST(ring.mbufs_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_ring_port_refuses_frames) {
    RingPort ring("full");
    unsigned taken = 0;
    while (ring.send(numbered(1)))
        ++taken;
    BOOST_TEST(taken == 1023U);
}

BOOST_AUTO_TEST_CASE(two_ring_ports_are_separate_and_names_may_be_reused) {
    for (int round = 0; round < 2; ++round) {
        RingPort a("one");
        RingPort b("two");
        BOOST_TEST((a.port().mac() != b.port().mac()));
        a.send(numbered(1));
        BOOST_TEST(echo(b.port()) == 0U);
        BOOST_TEST(echo(a.port()) == 1U);
        BOOST_TEST(b.receive().empty());
        BOOST_TEST(a.receive() == numbered(1));
    }
}

// A capture file with `count` frames; the caller removes it.
void write_pcap(const std::string& path, unsigned count) {
    pcap_t* format = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t* file = pcap_dump_open(format, path.c_str());
    BOOST_REQUIRE(file != nullptr);
    for (unsigned i = 0; i < count; ++i) {
        const Frame frame = numbered(static_cast<std::uint8_t>(i), 60 + i);
        pcap_pkthdr header{};
        header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
        pcap_dump(reinterpret_cast<u_char*>(file), &header, frame.data());
    }
    pcap_dump_close(file);
    pcap_close(format);
}

std::vector<Frame> read_pcap(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap_t* file = pcap_open_offline(path.c_str(), error.data());
    BOOST_REQUIRE_MESSAGE(file != nullptr, error.data());
    std::vector<Frame> frames;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    while (pcap_next_ex(file, &header, &bytes) == 1)
        frames.emplace_back(bytes, bytes + header->caplen);
    pcap_close(file);
    return frames;
}

BOOST_AUTO_TEST_CASE(a_pcap_port_reads_and_writes_files) {
    const test::TempFolder folder;
    const std::string in = folder / "in.pcap";
    const std::string out = folder / "out.pcap";
    write_pcap(in, 100);
    {
        Result<Ports> ports = open_vdev("net_pcap", "rx_pcap=" + in + ",tx_pcap=" + out, {});
        BOOST_REQUIRE_MESSAGE(ports.has_value(), (ports ? "" : ports.error().text));
        unsigned sent = 0;
        while (const unsigned n = echo(*ports->front()))
            sent += n;
        BOOST_TEST(sent == 100U);
        BOOST_TEST(rte_mempool_in_use_count(ports->front()->pool()) == 0U);
    }
    const std::vector<Frame> frames = read_pcap(out);
    BOOST_REQUIRE(frames.size() == 100U);
    for (unsigned i = 0; i < 100; ++i) {
        BOOST_TEST(frames[i] == numbered(static_cast<std::uint8_t>(i), 60 + i));
    }
}

BOOST_AUTO_TEST_CASE(refused_devices_give_a_sentence) {
    const Result<Ports> missing = open_vdev("net_pcap", "rx_pcap=/nowhere/in.pcap", {});
    BOOST_REQUIRE(!missing);
    BOOST_TEST(missing.error().text.find("/nowhere/in.pcap") != std::string::npos);
    BOOST_TEST(!open_ethdev(999, {}));

    const Result<Ports> driver = open_vdev("net_nosuch", "", {});
    BOOST_REQUIRE(!driver);
    BOOST_TEST(driver.error().text ==
               "DPDK's driver net_nosuch is not installed: `apt-get install librte-net-nosuch23`");

    EthdevOptions many;
    many.queues = 100;
    const Result<Ports> queues = open_vdev("net_ring", "", many);
    BOOST_REQUIRE(!queues);
    BOOST_TEST(queues.error().text.find("`queues` is 100") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
