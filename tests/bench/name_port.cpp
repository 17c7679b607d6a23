#include "bench/name_port.h"

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <algorithm>
#include <cstring>

#include "bench/answer_check.h"
#include "bench/fail.h"
#include "bench/frame_places.h"
#include "bench/thread_time.h"

namespace steer::bench {
namespace {

constexpr std::size_t kDigits = 8;
constexpr unsigned kPoolCache = 256;
constexpr char kRest[] = ".svc.example.com";

void append(std::vector<std::uint8_t>& to, std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes)
        to.push_back(static_cast<std::uint8_t>(byte));
}

std::vector<std::uint8_t> frame_of(bool has_edns) {
    std::vector<std::uint8_t> dns;
    append(dns, {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, has_edns ? 1U : 0U});
    const std::string name = wire_of(numbered_name(0));
    dns.insert(dns.end(), name.begin(), name.end());
    append(dns, {0, 1, 0, 1});
    if (has_edns) append(dns, {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0});
    std::vector<std::uint8_t> frame;
    append(frame, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0});
    const auto udp_length = static_cast<unsigned>(8 + dns.size()), length = 20 + udp_length;
    append(frame, {0x45, 0, length >> 8, length & 255, 0,   0,   0x40, 0, 64, 17, 0, 0, 10,
                   0,    0, 0,           10,           255, 255, 53});
    append(frame, {0, 0, 0, 53, udp_length >> 8, udp_length & 255, 0, 0});
    frame.insert(frame.end(), dns.begin(), dns.end());
    return frame;
}

// Eight hexadecimal digits, all at once: each of the bytes has one.
void put_digits(std::uint8_t* out, std::uint32_t number) {
    std::uint64_t x = __builtin_bswap32(number);
    x = (x | x << 16) & 0x0000FFFF0000FFFFULL;
    x = (x | x << 8) & 0x00FF00FF00FF00FFULL;
    const std::uint64_t high = x >> 4 & 0x000F000F000F000FULL, low = x & 0x000F000F000F000FULL;
    x = high | low << 8;
    const std::uint64_t is_letter = (x + 0x0606060606060606ULL) >> 4 & 0x0101010101010101ULL;
    x += 0x3030303030303030ULL + is_letter * ('a' - '0' - 10);
    std::memcpy(out, &x, kDigits);
}

std::uint32_t read_digits(const std::uint8_t* in) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < kDigits; ++i)
        number = number << 4 |
                 static_cast<std::uint32_t>(in[i] <= '9' ? in[i] - '0' : (in[i] | 0x20) - 'a' + 10);
    return number;
}

}  // namespace

std::string numbered_name(std::uint32_t place) {
    std::string name(kDigits, '0');
    put_digits(reinterpret_cast<std::uint8_t*>(name.data()), place);
    return name + kRest;
}

std::array<std::uint8_t, 4> numbered_address(std::uint32_t place, unsigned record) {
    return {static_cast<std::uint8_t>(198 - record), static_cast<std::uint8_t>(place >> 16),
            static_cast<std::uint8_t>(place >> 8), static_cast<std::uint8_t>(place)};
}

NamePort::NamePort(const std::string& name, const Options& options)
    : options_(options),
      pool_(rte_pktmbuf_pool_create(name.c_str(), options.mbufs - 1, kPoolCache, 0,
                                    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)),
      frames_{frame_of(false), frame_of(true)},
      alike_(options.names, false),
      zipf_(options.names, true) {
    if (pool_ == nullptr) fail("no memory for the mbufs of " + name);
    name_ = name;
    mac_ = {2, 0, 0, 0, 0, 1};
}

NamePort::~NamePort() {
    rte_mempool_free(pool_);
}

std::uint16_t NamePort::rx(rte_mbuf** out, std::uint16_t n) noexcept {
    if (rte_pktmbuf_alloc_bulk(pool_, out, n) != 0) return 0;
    Draw& draw = by_zipf_.load(std::memory_order_relaxed) ? zipf_ : alike_;
    for (std::uint16_t i = 0; i < n; ++i)
        write(*out[i], draw);
    return n;
}

void NamePort::write(rte_mbuf& mbuf, Draw& draw) noexcept {
    const Frame& frame = frames_[number_ & 1U];
    auto* const at = rte_pktmbuf_mtod(&mbuf, std::uint8_t*);
    std::memcpy(at, frame.data(), frame.size());
    mbuf.data_len = static_cast<std::uint16_t>(frame.size());
    mbuf.pkt_len = mbuf.data_len;
    put_digits(at + kName + 1, draw.next());
    const std::uint64_t random = draw.random();
    const auto client = static_cast<std::uint32_t>((random >> 40) * options_.clients >> 24);
    auto* const ip = reinterpret_cast<rte_ipv4_hdr*>(at + kIp);
    ip->src_addr = rte_cpu_to_be_32(0x0A000000U | client);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    auto* const udp = reinterpret_cast<rte_udp_hdr*>(at + kUdp);
    udp->src_port = static_cast<std::uint16_t>(random | 0x80);  // in the upper half
    const auto ident = static_cast<std::uint16_t>(number_++);
    std::memcpy(at + kDns, &ident, sizeof ident);
}

std::uint16_t NamePort::tx(rte_mbuf** packets, std::uint16_t n) noexcept {
    for (std::uint16_t i = 0; i < n; ++i) {
        if (++sent_ % kCompareEach == 0) compare(*packets[i]);
    }
    rte_pktmbuf_free_bulk(packets, n);
    return n;
}

void NamePort::compare(const rte_mbuf& answer) noexcept {
    const auto* const at = rte_pktmbuf_mtod(&answer, const std::uint8_t*);
    const std::size_t records = frames_[0].size();
    constexpr std::size_t kRecord = 16;
    ++compared_;
    bool is_right = answer.data_len >= records + kRecord * options_.records &&
                    at[kDns + 7] == options_.records && (at[kDns + 2] & 0x80) != 0 &&
                    (at[kDns + 3] & 0x0f) == 0;
    if (is_right) {
        const std::uint32_t place = read_digits(at + kName + 1);
        // Each of its addresses is in one of the records.
        for (unsigned i = 0; i < options_.records; ++i) {
            const auto expected = numbered_address(place, i);
            bool is_there = false;
            for (unsigned r = 0; r < options_.records; ++r) {
                is_there |= std::memcmp(at + records + kRecord * r + kRecord - expected.size(),
                                        expected.data(), expected.size()) == 0;
            }
            is_right = is_right && is_there;
        }
    }
    if (!is_right) ++wrong_;
}

double NamePort::own_ns(bool by_zipf) {
    draw_by_zipf(by_zipf);
    constexpr unsigned kBursts = 200'000, kSize = 32;
    std::array<rte_mbuf*, kSize> burst;
    const std::int64_t begin = thread_ns();
    for (unsigned i = 0; i < kBursts; ++i) {
        if (rx(burst.data(), kSize) != kSize) fail("no mbufs");
        rte_pktmbuf_free_bulk(burst.data(), kSize);
    }
    return static_cast<double>(thread_ns() - begin) / (double{kBursts} * kSize);
}

}  // namespace steer::bench
