// What the XDP program decides about a frame: the kernel runs it on each frame of a table (BPF_PROG_TEST_RUN), without an
// interface. Needs root.
#define BOOST_TEST_MODULE xdp_program
#define BOOST_TEST_NO_MAIN
#include <boost/test/unit_test.hpp>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <ostream>
#include <string_view>
#include <vector>

#include "dataplane/port/xdp/skeleton.h"
#include "dataplane/port/xdp/steer_xdp.h"
#include "support/udp_frame.h"

namespace steer {
namespace {

using Bytes = std::vector<std::uint8_t>;
using test::UdpFrame;

// `worker`: redirected to the socket of the queue. `banned`: the ban counts it, and drops all but one of
// STEER_XDP_BAN_PASSES, which a worker gets.
enum class Decision : std::uint8_t { kernel, worker, banned, other };
std::ostream& operator<<(std::ostream& out, Decision decision) {
    constexpr std::array<std::string_view, 4> kNames{"kernel", "worker", "banned", "other"};
    return out << kNames[static_cast<std::size_t>(decision)];
}

constexpr MacAddress kOurMac{2, 0, 0, 0, 0, 1}, kChildMac{2, 0, 0, 0, 0, 2},
    kClientMac{2, 0, 0, 0, 0, 9}, kBroadcast{255, 255, 255, 255, 255, 255};
constexpr const char *kServer4 = "192.0.2.1", *kServer6 = "2001:db8::1", *kOwn4 = "192.0.2.2";
constexpr const char *kUpstream = "198.51.100.53", *kBanned = "198.51.100.7";
constexpr std::uint32_t kPlace = 5;
constexpr std::uint32_t kRuns = 256;  // all pass a ban by chance: once in 8^256

IpAddress at(const char* text) {
    return IpAddress::parse(text).value();
}

struct Unload {
    void operator()(steer_xdp_bpf* skeleton) const { steer_xdp_bpf::destroy(skeleton); }
};

// The loaded program with a client network under a ban, and a socket at queue 0.
struct Program {
    Program() : skeleton(steer_xdp_bpf::open()) {
        BOOST_TEST_REQUIRE((skeleton != nullptr && steer_xdp_bpf::load(skeleton.get()) == 0),
                           "the kernel loads the program");
        skeleton->data->own_mac = word(kOurMac);
        skeleton->data->port_range = 20'000U << 16 | 20'009U;
        for (const char* const service : {kServer4, kServer6})
            put(skeleton->maps.addresses, key(at(service)), STEER_XDP_SERVICE | STEER_XDP_OWN);
        put(skeleton->maps.addresses, key(at(kOwn4)), STEER_XDP_OWN);
        put(skeleton->maps.service_ports, htobe16(53), std::uint8_t{1});
        for (const char* const upstream : {kUpstream, "2001:db8:1::53"})
            put(skeleton->maps.upstreams, steer_xdp_upstream{key(at(upstream)), htobe16(53), 0},
                std::uint8_t{1});
        put(skeleton->maps.vlans, steer_xdp_vlan{10, 0}, word(kChildMac));
        put(skeleton->maps.vlans, steer_xdp_vlan{10, 20}, word(kChildMac));
        bind();
    }
    ~Program() {
        if (socket_fd >= 0) ::close(socket_fd);
    }

    // A socket with a receive ring is enough for the map; without memory and a device it gets nothing.
    void bind() {
        socket_fd = ::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
        const int entries = 64;
        BOOST_TEST_REQUIRE(
            ::setsockopt(socket_fd, SOL_XDP, XDP_RX_RING, &entries, sizeof entries) == 0);
        put(skeleton->maps.xsks_map, std::uint32_t{0}, std::uint32_t(socket_fd));
    }
    void unbind() {
        const std::uint32_t queue = 0;
        BOOST_TEST_REQUIRE(bpf_map_delete_elem(bpf_map__fd(skeleton->maps.xsks_map), &queue) == 0);
    }

    template <class Key, class Value>
    static void put(bpf_map* map, const Key& key, const Value& value) {
        BOOST_TEST_REQUIRE(bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY) == 0,
                           bpf_map__name(map));
    }
    static std::uint64_t word(const MacAddress& mac) {
        std::uint64_t out = 0;
        std::copy(mac.begin(), mac.end(), reinterpret_cast<std::uint8_t*>(&out));
        return out;
    }
    static steer_xdp_address key(const IpAddress& address) {
        return std::bit_cast<steer_xdp_address>(address);
    }

    void ban(const char* prefix, std::uint32_t bits, std::uint32_t place = kPlace) {
        put(skeleton->maps.bans, steer_xdp_prefix{bits, key(at(prefix))}, place);
        skeleton->bss->ban_count = skeleton->bss->ban_count + 1;
        renew(std::chrono::seconds(60), place);
    }
    void renew(std::chrono::nanoseconds lifetime, std::uint32_t place = kPlace) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const auto end =
            std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec) + lifetime;
        counts(place).expires_ns = static_cast<std::uint64_t>(end.count());
    }
    void exempt(const char* prefix, std::uint32_t bits) {
        put(skeleton->maps.ban_exempt, steer_xdp_prefix{bits, key(at(prefix))}, std::uint8_t{1});
    }
    [[nodiscard]] steer_xdp_ban& counts(std::uint32_t place = kPlace) const {
        return skeleton->bss->ban_state[place];
    }

    // The last of `runs` decisions, of the kernel's constants.
    std::uint32_t run(const Bytes& frame, std::uint32_t runs) {
        Bytes in = frame, out(2048);
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = in.data();
        options.data_size_in = static_cast<std::uint32_t>(in.size());
        options.data_out = out.data();
        options.data_size_out = static_cast<std::uint32_t>(out.size());
        options.repeat = static_cast<int>(runs);
        BOOST_TEST_REQUIRE(
            bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.steer_xdp), &options) == 0,
            "the kernel runs the program");
        out.resize(options.data_size_out);
        BOOST_TEST((out == frame), "the frame is unchanged");
        return options.retval;
    }
    Decision decide(const Bytes& frame, std::uint32_t place = kPlace) {
        const steer_xdp_ban before = counts(place);
        const std::uint32_t last = run(frame, kRuns);
        const steer_xdp_ban& after = counts(place);
        const std::uint64_t dropped = after.dropped - before.dropped;
        if (const std::uint64_t seen = dropped + after.passed - before.passed; seen != 0) {
            const bool is_verdict = last == XDP_DROP || last == XDP_REDIRECT;
            return seen == kRuns && dropped != 0 && is_verdict ? Decision::banned : Decision::other;
        }
        if (last == XDP_PASS) return Decision::kernel;
        return last == XDP_REDIRECT ? Decision::worker : Decision::other;
    }

    std::unique_ptr<steer_xdp_bpf, Unload> skeleton;
    int socket_fd = -1;
};

UdpFrame query(const char* from = kBanned, const char* to = kServer4) {
    return {.from_mac = kClientMac,
            .to_mac = kOurMac,
            .from = at(from),
            .to = at(to),
            .from_port = 4'000,
            .to_port = 53,
            .payload = Bytes(30, 'q')};
}
UdpFrame reply(const char* from, const char* to, std::uint16_t to_port = 20'000) {
    UdpFrame out = query(from, to);
    out.from_port = 53;
    out.to_port = to_port;
    return out;
}
UdpFrame tagged(std::vector<std::uint16_t> vlans, const MacAddress& to = kChildMac) {
    UdpFrame out = query();
    out.vlans = std::move(vlans);
    out.to_mac = to;
    return out;
}
UdpFrame to_mac(const MacAddress& mac) {
    UdpFrame out = query();
    out.to_mac = mac;
    return out;
}
UdpFrame to_port(std::uint16_t port) {
    UdpFrame out = query();
    out.to_port = port;
    return out;
}
// With other bytes at an offset: 14 is the IP header's first byte.
Bytes changed(const UdpFrame& of, std::size_t offset, std::vector<std::uint8_t> bytes) {
    Bytes frame = make_udp_frame(of);
    std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<std::ptrdiff_t>(offset));
    return frame;
}
Bytes first_bytes(const UdpFrame& of, std::size_t count) {
    Bytes frame = make_udp_frame(of);
    frame.resize(count);
    return frame;
}
// Replaces an IPv6 address in the frame: the source is at 22, the destination at 38.
Bytes with_mapped(std::size_t offset, const char* v4) {
    const IpAddress mapped = at(v4);
    return changed(query("2001:db8:2::7", kServer6), offset,
                   {mapped.bytes.begin(), mapped.bytes.end()});
}
Bytes service_tag() {  // 802.1ad outside, 802.1Q inside
    return changed(tagged({10, 20}), 12, {0x88, 0xa8});
}
Bytes priority_tag() {  // priority 3 and DEI are no part of the VLAN's number
    return changed(tagged({10}), 14, {0x70});
}

struct Row {
    const char* name;
    Decision with_ban, without_ban;
    Bytes frame;
};

// Bans: 198.51.100.0/24 and 2001:db8:2::/56. Exempt: 198.51.100.128/25 and 2001:db8:2::e.
std::vector<Row> rows() {
    constexpr Decision kBan = Decision::banned, kWorker = Decision::worker,
                       kKernel = Decision::kernel;
    const auto frame = [](const UdpFrame& of) { return make_udp_frame(of); };
    return {
        {"a banned source", kBan, kWorker, frame(query())},
        {"the last address of a banned prefix", kBan, kWorker, frame(query("198.51.100.127"))},
        {"the address after it", kWorker, kWorker, frame(query("198.51.101.0"))},
        {"the address before it", kWorker, kWorker, frame(query("198.51.99.255"))},
        {"a banned IPv6 source", kBan, kWorker, frame(query("2001:db8:2:ff::7", kServer6))},
        {"an IPv6 source outside", kWorker, kWorker, frame(query("2001:db8:2:100::7", kServer6))},
        {"an exempt prefix", kWorker, kWorker, frame(query("198.51.100.200"))},
        {"an exempt IPv6 address", kWorker, kWorker, frame(query("2001:db8:2::e", kServer6))},
        {"its neighbour", kBan, kWorker, frame(query("2001:db8:2::f", kServer6))},

        {"a reply of an upstream", kWorker, kWorker, frame(reply(kUpstream, kOwn4))},
        {"a reply to the service address", kWorker, kWorker, frame(reply(kUpstream, kServer4))},
        {"an IPv6 reply", kWorker, kWorker, frame(reply("2001:db8:1::53", kServer6, 20'009))},
        {"a reply below the port range", kKernel, kKernel, frame(reply(kUpstream, kOwn4, 19'999))},
        {"a reply above the port range", kKernel, kKernel, frame(reply(kUpstream, kOwn4, 20'010))},
        {"a reply of a stranger", kKernel, kKernel, frame(reply("198.51.100.54", kOwn4))},
        {"a query of an upstream", kBan, kWorker, frame(query(kUpstream))},

        {"another address", kKernel, kKernel, frame(query(kBanned, "192.0.2.3"))},
        {"an address without service", kKernel, kKernel, frame(query(kBanned, kOwn4))},
        {"another port", kKernel, kKernel, frame(to_port(54))},
        {"TCP", kKernel, kKernel, changed(query(), 23, {6})},
        {"TCP over IPv6", kKernel, kKernel, changed(query("2001:db8:2::7", kServer6), 20, {6})},
        {"ICMP", kKernel, kKernel, changed(query(), 23, {1})},
        {"the first fragment", kKernel, kKernel, changed(query(), 20, {0x20, 0})},
        {"a later fragment", kKernel, kKernel, changed(query(), 20, {0, 1})},
        {"a fragment of IPv6", kKernel, kKernel,
         changed(query("2001:db8:2::7", kServer6), 20, {44})},
        {"options of IPv4", kKernel, kKernel, changed(query(), 14, {0x46})},
        {"an extension header of IPv6", kKernel, kKernel,
         changed(query("2001:db8:2::7", kServer6), 20, {60})},
        {"version 5", kKernel, kKernel, changed(query(), 14, {0x55})},
        {"version 4 in a frame of IPv6", kKernel, kKernel,
         changed(query("2001:db8:2::7", kServer6), 14, {0x45})},
        {"ARP", kKernel, kKernel, changed(query(), 12, {0x08, 0x06})},

        // Workers drop such a source (RFC 4291 2.5.5.2).
        {"a mapped source", kBan, kWorker, with_mapped(22, kBanned)},
        {"a mapped destination", kKernel, kKernel, with_mapped(38, kServer4)},

        {"a VLAN of ours", kBan, kWorker, frame(tagged({10}))},
        {"a VLAN of ours, to the device", kBan, kWorker, frame(tagged({10}, kOurMac))},
        {"a VLAN of ours with a priority", kBan, kWorker, priority_tag()},
        {"two tags of ours", kBan, kWorker, frame(tagged({10, 20}))},
        {"a service tag", kBan, kWorker, service_tag()},
        {"another VLAN", kKernel, kKernel, frame(tagged({11}))},
        {"another inner VLAN", kKernel, kKernel, frame(tagged({10, 21}))},
        {"three tags", kKernel, kKernel, frame(tagged({10, 20, 30}))},
        {"a VLAN, to another host", kKernel, kKernel, frame(tagged({10}, kClientMac))},
        {"the child's MAC address without a tag", kKernel, kKernel, frame(to_mac(kChildMac))},
        {"another host", kKernel, kKernel, frame(to_mac(kClientMac))},
        {"broadcast", kKernel, kKernel, frame(to_mac(kBroadcast))},

        {"only an Ethernet header", kKernel, kKernel, first_bytes(query(), 14)},
        {"half an IPv4 header", kKernel, kKernel, first_bytes(query(), 24)},
        {"no UDP header", kKernel, kKernel, first_bytes(query(), 34)},
        {"a UDP header without its last byte", kKernel, kKernel, first_bytes(query(), 41)},
        {"a UDP header alone", kBan, kWorker, first_bytes(query(), 42)},
        {"half an IPv6 header", kKernel, kKernel,
         first_bytes(query("2001:db8:2::7", kServer6), 40)},
        {"IPv6 without a UDP header", kKernel, kKernel,
         first_bytes(query("2001:db8:2::7", kServer6), 61)},
        {"half a VLAN tag", kKernel, kKernel, first_bytes(tagged({10}), 16)},
        {"half an inner VLAN tag", kKernel, kKernel, first_bytes(tagged({10, 20}), 20)},
        {"a tag alone", kKernel, kKernel, first_bytes(tagged({10}), 18)},
    };
}

struct Banning : Program {
    Banning() {
        ban("198.51.100.0", 120);
        ban("2001:db8:2::", 56);
        exempt("198.51.100.128", 121);
        exempt("2001:db8:2::e", 128);
    }
};

BOOST_AUTO_TEST_SUITE(decisions)

BOOST_FIXTURE_TEST_CASE(frames_under_a_ban, Banning) {
    for (const Row& row : rows())
        BOOST_TEST_CONTEXT(row.name) BOOST_TEST(decide(row.frame) == row.with_ban);
}

BOOST_FIXTURE_TEST_CASE(frames_without_a_ban, Program) {
    for (const Row& row : rows())
        BOOST_TEST_CONTEXT(row.name) BOOST_TEST(decide(row.frame) == row.without_ban);
}

BOOST_FIXTURE_TEST_CASE(without_a_socket_the_kernel_gets_what_a_worker_would_get, Banning) {
    unbind();
    for (const Row& row : rows()) {
        if (row.with_ban == Decision::banned) continue;
        BOOST_TEST_CONTEXT(row.name) BOOST_TEST(decide(row.frame) == Decision::kernel);
    }
    // One query at a time: the kernel gets those that pass.
    const Bytes frame = make_udp_frame(query());
    const std::uint64_t passed = counts().passed;
    for (unsigned i = 0; i < kRuns; ++i) {
        const std::uint64_t dropped = counts().dropped;
        const std::uint32_t decision = run(frame, 1);
        BOOST_TEST(decision == (counts().dropped != dropped ? XDP_DROP : XDP_PASS));
    }
    BOOST_TEST(counts().passed > passed);
}

BOOST_FIXTURE_TEST_CASE(one_query_of_eight_passes_a_ban, Banning) {
    constexpr std::uint32_t kQueries = 10'000;
    run(make_udp_frame(query()), kQueries);
    BOOST_TEST(counts().dropped + counts().passed == kQueries);
    // Binomial: 1,250 are expected; the limits are five standard deviations of 33 away.
    BOOST_TEST(counts().passed > 1'085U);
    BOOST_TEST(counts().passed < 1'415U);
    BOOST_TEST(counts().bytes == kQueries * 30ULL);
}

BOOST_FIXTURE_TEST_CASE(a_length_field_below_the_header_counts_no_bytes, Banning) {
    BOOST_TEST(decide(changed(query(), 38, {0, 7})) == Decision::banned);
    BOOST_TEST(counts().bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_length_field_above_the_frame_counts_no_bytes, Banning) {
    BOOST_TEST(decide(changed(query(), 38, {0, 39})) == Decision::banned);
    BOOST_TEST(counts().bytes == 0U);
    BOOST_TEST(decide(changed(query(), 38, {0xff, 0xff})) == Decision::banned);
    BOOST_TEST(counts().bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_ban_ends_at_its_time, Banning) {
    const Bytes frame = make_udp_frame(query());
    renew(std::chrono::nanoseconds(-1));
    BOOST_TEST(decide(frame) == Decision::worker);
    renew(std::chrono::milliseconds(200));
    const auto begin = std::chrono::steady_clock::now();
    while (decide(frame) != Decision::worker)
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() - begin < std::chrono::seconds(60)));
    BOOST_TEST((std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(100)));
    BOOST_TEST(counts().dropped > 0U);
}

BOOST_FIXTURE_TEST_CASE(a_ban_without_a_time_drops_nothing, Program) {
    ban("198.51.100.0", 120);
    counts().expires_ns = 0;
    BOOST_TEST(decide(make_udp_frame(query())) == Decision::worker);
}

BOOST_FIXTURE_TEST_CASE(the_longest_prefix_has_the_ban, Banning) {
    ban(kBanned, 128, 6);
    const Bytes frame = make_udp_frame(query());
    const std::uint64_t before = counts().dropped;
    BOOST_TEST(decide(frame, 6) == Decision::banned);
    BOOST_TEST(counts().dropped == before);
    renew(std::chrono::nanoseconds(-1), 6);  // its end is the end for its address
    BOOST_TEST(decide(frame, 6) == Decision::worker);
    BOOST_TEST(decide(make_udp_frame(query("198.51.100.8"))) == Decision::banned);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer

int main(int count, char** words) {
    if (::geteuid() != 0) {
        std::puts("skipped: loading a BPF program needs root");
        return 77;
    }
    return boost::unit_test::unit_test_main(&init_unit_test, count, words);
}
