#include "bench/bare_answerer.h"

#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "bench/fail.h"
#include "bench/frame_places.h"
#include "dataplane/dns/checksum.h"

namespace steer::bench {
namespace {

constexpr std::size_t kRecord = 16;
// An A record 192.0.2.1 with a TTL of a day, for the question's name (the zone of `ports`).
constexpr std::array<std::uint8_t, kRecord> kOneRecord{0xc0, 12,   0, 1, 0,   1, 0, 1,
                                                       0x51, 0x80, 0, 4, 192, 0, 2, 1};
constexpr std::uint16_t kAskers = BareOptions::kLastPort - BareOptions::kFirstPort + 1;

struct Headers {
    rte_ether_hdr* ether;
    rte_ipv4_hdr* ip;
    rte_udp_hdr* udp;
    std::uint8_t* dns;
};

Headers headers_of(rte_mbuf& packet) {
    auto* const at = rte_pktmbuf_mtod(&packet, std::uint8_t*);
    return {reinterpret_cast<rte_ether_hdr*>(at), reinterpret_cast<rte_ipv4_hdr*>(at + kIp),
            reinterpret_cast<rte_udp_hdr*>(at + kUdp), at + kDns};
}

std::uint16_t word_at(const std::uint8_t* at) {
    std::uint16_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}
// `by`: a sum of words as they are in memory (RFC 1624).
std::uint16_t changed(std::uint16_t checksum, std::uint32_t by) {
    return static_cast<std::uint16_t>(~checksum_fold(static_cast<std::uint16_t>(~checksum) + by));
}

// Exchanges the two halves of a word: source and destination.
template <class Word>
void turn_round(void* at) {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    word = std::rotl(word, static_cast<int>(4 * sizeof word));
    std::memcpy(at, &word, sizeof word);
}

rte_be16_t longer(rte_be16_t length, std::size_t by) {
    return rte_cpu_to_be_16(static_cast<std::uint16_t>(rte_be_to_cpu_16(length) + by));
}

}  // namespace

void BareTable::Free::operator()(void* memory) const {
    rte_free(memory);
}

template <class T>
BareTable::Block<T> BareTable::take(std::size_t count) {
    void* const memory = rte_zmalloc("bare", count * sizeof(T), alignof(T));
    if (memory == nullptr) fail("no memory for a table of as many entries");
    return Block<T>(new (memory) T[count]{});
}

BareTable::BareTable(const BareOptions& options)
    : entries_(std::max(1U, options.entries)),
      buckets_(take<Bucket>(entries_ / 8 + 1)),
      keys_(take<Key>(entries_)),
      all_(take<Entry>(entries_)) {
    for (std::uint32_t i = 0; i < entries_; ++i) {
        const unsigned records =
            std::min(options.one_to ? i % options.records + 1 : options.records, 4U);
        keys_[i] = {i, i};
        all_[i].length = static_cast<std::uint32_t>(records * kRecord);
        all_[i].name.fill(i);
        for (unsigned r = 0; r < records; ++r)
            std::copy(kOneRecord.begin(), kOneRecord.end(), &all_[i].records[r * kRecord]);
        std::uint32_t sum = 0;
        for (std::size_t at = 0; at < all_[i].length; at += 2)
            sum += word_at(&all_[i].records[at]);
        // The length is in the UDP header and in the pseudo-header.
        const std::uint32_t others =
            2U * rte_cpu_to_be_16(static_cast<std::uint16_t>(all_[i].length)) +
            rte_cpu_to_be_16(static_cast<std::uint16_t>(records));
        const std::uint16_t even = checksum_fold(sum);
        all_[i].sums = {checksum_fold(even + others), checksum_fold(rte_bswap16(even) + others)};
    }
}

std::uint32_t BareTable::place_of(const rte_mbuf& query) const noexcept {
    const auto* const at = rte_pktmbuf_mtod(&query, const std::uint8_t*);
    std::uint32_t client = 0;
    std::uint16_t port = 0;
    std::memcpy(&client, at + kIp + offsetof(rte_ipv4_hdr, src_addr), sizeof client);
    std::memcpy(&port, at + kUdp + offsetof(rte_udp_hdr, src_port), sizeof port);
    constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;
    const std::uint64_t mixed = (std::uint64_t{client} << 16 | port) * kMix;
    return static_cast<std::uint32_t>((mixed >> 32) * entries_ >> 32);
}

void BareTable::prefetch(std::uint32_t place) const noexcept {
    // Neighbours in the table are not neighbours in the hash table's buckets.
    rte_prefetch0(
        &buckets_[(place * std::uint64_t{0x9E3779B1} & 0xffffffff) * (entries_ / 8) >> 32]);
    rte_prefetch0(&keys_[place]);
    const Entry& entry = all_[place];
    rte_prefetch0(&entry.length);
    rte_prefetch0(&entry.name);
    rte_prefetch0(&entry.records);
}

const BareTable::Entry& BareTable::read(std::uint32_t place) noexcept {
    const Entry& entry = all_[place];
    const auto bucket = (place * std::uint64_t{0x9E3779B1} & 0xffffffff) * (entries_ / 8) >> 32;
    sum_ += buckets_[bucket].words[place % 8] + keys_[place][0] + entry.name[0];
    return entry;
}

BareAnswerer::BareAnswerer(Port& port, const BareOptions& options)
    : port_(port),
      options_(options),
      table_(options),
      askers_(options.upstream != 0 ? kAskers : 0U) {}

bool BareAnswerer::turn() noexcept {
    std::array<rte_mbuf*, kBurst> received;
    const std::uint16_t n = port_.rx(received.data(), kBurst);
    received_ += n;
    for (const rte_mbuf* const packet : std::span(received.data(), n))
        rte_prefetch0(rte_pktmbuf_mtod(packet, const void*));
    std::array<Held, kBurst> next;
    for (unsigned i = 0; i < n; ++i) {
        next[i] = {received[i], table_.place_of(*received[i])};
        table_.prefetch(next[i].place);
    }
    const bool was_busy = n > 0 || held_count_ > 0;
    send_held();
    std::copy_n(next.begin(), n, held_.begin());
    held_count_ = n;
    port_.flush();
    return was_busy;
}

void BareAnswerer::send_held() noexcept {
    std::array<rte_mbuf*, kBurst> ready;
    std::uint16_t count = 0;
    for (const Held& held : std::span(held_.data(), held_count_)) {
        if (held.mbuf->data_len < kName) {
            rte_pktmbuf_free(held.mbuf);
            continue;
        }
        if (options_.upstream != 0) {
            forward(*held.mbuf);
        } else {
            answer(*held.mbuf, held.place);
        }
        ready[count++] = held.mbuf;
    }
    std::uint16_t taken = 0;
    while (taken < count) {  // a port may accept a part at a time; 0 means full
        const std::uint16_t some =
            port_.tx(ready.data() + taken, static_cast<std::uint16_t>(count - taken));
        if (some == 0) break;
        taken = static_cast<std::uint16_t>(taken + some);
    }
    sent_ += taken;
    if (taken < count) rte_pktmbuf_free_bulk(ready.data() + taken, count - taken);
}

void BareAnswerer::answer(rte_mbuf& query, std::uint32_t place) noexcept {
    const BareTable::Entry& entry = table_.read(place);
    const std::size_t length = entry.length;
    const Headers at = headers_of(query);
    std::swap(at.ether->src_addr, at.ether->dst_addr);
    turn_round<std::uint64_t>(&at.ip->src_addr);
    turn_round<std::uint32_t>(&at.udp->src_port);
    const bool is_odd = (rte_be_to_cpu_16(at.udp->dgram_len) & 1) != 0;
    at.ip->hdr_checksum =
        changed(at.ip->hdr_checksum, rte_cpu_to_be_16(static_cast<std::uint16_t>(length)));
    at.ip->total_length = longer(at.ip->total_length, length);
    at.udp->dgram_len = longer(at.udp->dgram_len, length);
    const std::uint16_t old_flags = word_at(at.dns + 2);
    at.dns[2] |= 0x80;  // a response
    at.dns[3] = 0x80;   // recursion is available, no error
    at.dns[7] = static_cast<std::uint8_t>(length / kRecord);
    if (at.udp->dgram_cksum != 0) {
        const std::uint32_t flags =
            static_cast<std::uint16_t>(~old_flags) + std::uint32_t{word_at(at.dns + 2)};
        const std::uint16_t sum = changed(at.udp->dgram_cksum, entry.sums[is_odd] + flags);
        at.udp->dgram_cksum = sum != 0 ? sum : 0xffff;  // RFC 768
    }
    // All of the line: a copy of a fixed length.
    std::memcpy(rte_pktmbuf_mtod(&query, std::uint8_t*) + query.data_len, entry.records.data(),
                entry.records.size());
    query.data_len = static_cast<std::uint16_t>(query.data_len + length);
    query.pkt_len = query.data_len;
}

// The upstream is behind the same link as the client. The ID stays: the port finds the client.
void BareAnswerer::forward(rte_mbuf& packet) noexcept {
    const Headers at = headers_of(packet);
    std::swap(at.ether->src_addr, at.ether->dst_addr);
    const bool is_reply = at.ip->src_addr == options_.upstream &&
                          at.udp->src_port == rte_cpu_to_be_16(options_.upstream_port);
    if (is_reply) {
        const Asker& asker =
            askers_[(rte_be_to_cpu_16(at.udp->dst_port) - unsigned{BareOptions::kFirstPort}) %
                    kAskers];
        at.ip->dst_addr = asker.address;
        at.udp->src_port = rte_cpu_to_be_16(53);
        at.udp->dst_port = asker.port;
    } else {
        const std::uint16_t place = next_asker_++ % kAskers;
        askers_[place] = {at.ip->src_addr, at.udp->src_port};
        at.ip->dst_addr = options_.upstream;
        at.udp->src_port =
            rte_cpu_to_be_16(static_cast<std::uint16_t>(BareOptions::kFirstPort + place));
        at.udp->dst_port = rte_cpu_to_be_16(options_.upstream_port);
    }
    at.ip->src_addr = options_.own;
    at.ip->hdr_checksum = 0;
    at.ip->hdr_checksum = rte_ipv4_cksum(at.ip);
    at.udp->dgram_cksum = 0;
}

}  // namespace steer::bench
