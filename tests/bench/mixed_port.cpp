#include "bench/mixed_port.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "bench/frame_places.h"

namespace steer::bench {
namespace {

constexpr std::size_t kLabel = 8;
constexpr unsigned kAddresses = 256;
constexpr std::size_t kMaxReplies = 4096;

template <class T>
T* at(rte_mbuf& frame, std::size_t offset) {
    return rte_pktmbuf_mtod_offset(&frame, T*, offset);
}

}  // namespace

MixedPort::MixedPort(Port& inner, unsigned every)
    : Port(inner), inner_(inner), every_(every), left_(every) {
    if_index_ = kUpstreamIndex;
    replies_.reserve(kMaxReplies);
}

MixedPort::~MixedPort() {
    rte_pktmbuf_free_bulk(replies_.data(), static_cast<unsigned>(replies_.size()));
}

std::uint16_t MixedPort::rx(rte_mbuf** out, std::uint16_t n) noexcept {
    const auto waiting = static_cast<std::uint16_t>(std::min<std::size_t>(replies_.size(), n));
    std::copy_n(replies_.end() - waiting, waiting, out);
    replies_.resize(replies_.size() - waiting);
    if (waiting == n) return n;
    const std::uint16_t got = inner_.rx(out + waiting, static_cast<std::uint16_t>(n - waiting));
    if (every_ == 0) return static_cast<std::uint16_t>(waiting + got);
    for (; left_ <= got; left_ += every_)
        ask_anew(*out[waiting + left_ - 1]);
    left_ -= got;
    return static_cast<std::uint16_t>(waiting + got);
}

void MixedPort::ask_anew(rte_mbuf& query) noexcept {
    constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    auto* const label = at<std::uint8_t>(query, kName);
    if (label[0] != kLabel) return;
    label[1] = 'n';
    std::uint64_t rest = ++asked_;
    for (std::size_t i = kLabel; i > 1; --i, rest /= 36)
        label[i] = static_cast<std::uint8_t>(kDigits[rest % 36]);
    at<rte_udp_hdr>(query, kUdp)->dgram_cksum = 0;
}

std::uint16_t MixedPort::tx(rte_mbuf** packets, std::uint16_t n) noexcept {
    std::array<rte_mbuf*, 512> others;
    std::uint16_t count = 0;
    for (std::uint16_t i = 0; i < n; ++i) {
        if (count == others.size()) return i;
        if (!answer(*packets[i])) others[count++] = packets[i];
    }
    const std::uint16_t sent = inner_.tx(others.data(), count);
    rte_pktmbuf_free_bulk(others.data() + sent, static_cast<unsigned>(count - sent));
    return n;
}

// True: it was a query to the upstream, and its reply waits now.
bool MixedPort::answer(rte_mbuf& query) noexcept {
    auto* const udp = at<rte_udp_hdr>(query, kUdp);
    if (udp->dst_port != rte_cpu_to_be_16(53) || replies_.size() == kMaxReplies) return false;
    auto* const dns = at<std::uint8_t>(query, kDns);
    std::size_t end = 12;
    while (dns[end] != 0)
        end += dns[end] + 1U;
    end += 1 + 4;
    const std::uint8_t sum = dns[end - 6] ^ dns[12 + kLabel] ^ dns[12 + kLabel - 1];
    const std::array<std::uint8_t, 16> record{
        0xc0, 12, 0, 1, 0,   1,   0,  0,
        14,   16, 0, 4, 151, 101, 65, static_cast<std::uint8_t>(sum % kAddresses)};
    const std::size_t length = kDns + end + record.size();
    if (length > query.pkt_len &&
        rte_pktmbuf_append(&query, static_cast<std::uint16_t>(length - query.pkt_len)) == nullptr)
        return false;
    if (length < query.pkt_len)
        rte_pktmbuf_trim(&query, static_cast<std::uint16_t>(query.pkt_len - length));
    dns[2] |= 0x80;
    dns[3] = 0x80;
    const std::array<std::uint8_t, 6> counts{0, 1, 0, 0, 0, 0};
    std::memcpy(dns + 6, counts.data(), counts.size());
    std::memcpy(dns + end, record.data(), record.size());
    auto* const ether = at<rte_ether_hdr>(query, 0);
    auto* const ip = at<rte_ipv4_hdr>(query, kIp);
    std::swap(ether->dst_addr, ether->src_addr);
    const rte_be32_t us = ip->src_addr;
    ip->src_addr = ip->dst_addr;
    ip->dst_addr = us;
    const rte_be16_t our_port = udp->src_port;
    udp->src_port = udp->dst_port;
    udp->dst_port = our_port;
    ip->total_length = rte_cpu_to_be_16(static_cast<std::uint16_t>(length - kIp));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->dgram_len = rte_cpu_to_be_16(static_cast<std::uint16_t>(length - kUdp));
    udp->dgram_cksum = 0;
    query.ol_flags = 0;
    replies_.push_back(&query);
    return true;
}

}  // namespace steer::bench
