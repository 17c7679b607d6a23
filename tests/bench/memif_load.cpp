#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <vector>

#include "bench/memif_peer.h"
#include "support/udp_frame.h"

namespace steer::bench {
namespace {

constexpr unsigned kBurst = 32;
constexpr unsigned kCompareEach = 64;
constexpr unsigned kWarmWindow = 64;

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> read_pcap(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    in.ignore(24);
    std::vector<Bytes> frames;
    std::array<std::uint32_t, 4> head{};
    while (in.read(reinterpret_cast<char*>(head.data()), sizeof head)) {
        Bytes& frame = frames.emplace_back(head[2]);
        in.read(reinterpret_cast<char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
    }
    if (frames.empty() || frames.size() > 65'536) fail(file + " has no queries, or too many");
    return frames;
}

// Name in wire form to its addresses, sorted.
std::map<Bytes, std::vector<std::string>> read_answers(const std::string& file) {
    std::map<Bytes, std::vector<std::string>> answers;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        std::stringstream words(line);
        std::string name, word;
        words >> name;
        Bytes wire;
        std::stringstream labels(name);
        while (std::getline(labels, word, '.')) {
            wire.push_back(static_cast<std::uint8_t>(word.size()));
            wire.insert(wire.end(), word.begin(), word.end());
        }
        wire.push_back(0);
        auto& addresses = answers[wire];
        while (words >> word)
            addresses.push_back(word);
        std::sort(addresses.begin(), addresses.end());
    }
    return answers;
}

std::uint16_t be16(const Bytes& m, std::size_t at) {
    return static_cast<std::uint16_t>(m[at] << 8 | m[at + 1]);
}

// The addresses of A records whose owner is a pointer, as every server writes them. Sorted; empty: something is odd.
std::vector<std::string> addresses_of(const Bytes& m, std::size_t at) {
    std::vector<std::string> found;
    for (unsigned n = be16(m, 6); n > 0; --n) {
        if (at + 16 > m.size() || m[at] < 0xc0 || be16(m, at + 2) != 1 || be16(m, at + 10) != 4)
            return {};
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "%u.%u.%u.%u", m[at + 12], m[at + 13], m[at + 14],
                      m[at + 15]);
        found.emplace_back(text.data());
        at += 16;
    }
    std::sort(found.begin(), found.end());
    return found;
}

class Load {
  public:
    Load(const MemifPeer& peer, const PeerOptions& options)
        : peer_(peer),
          options_(options),
          frames_(read_pcap(options.pcap)),
          answers_(read_answers(options.answers)) {
        for (const Bytes& frame : frames_) {
            std::string wrong;
            const auto query = test::read_udp_frame(frame, wrong);
            if (!query || !wrong.empty()) fail("a query of the pcap is no UDP: " + wrong);
            queries_.push_back(*query);
            rte_mbuf* m = rte_pktmbuf_alloc(peer.pool);
            if (m == nullptr) fail("more queries than mbufs");
            std::memcpy(rte_pktmbuf_append(m, static_cast<std::uint16_t>(frame.size())),
                        frame.data(), frame.size());
            packets_.push_back(m);
        }
    }

    // Until every query has its answer.
    void warm() {
        const std::uint64_t end = rte_get_tsc_cycles() + 60 * rte_get_tsc_hz();
        std::vector<bool> done(frames_.size());
        std::size_t left = frames_.size();
        for (std::size_t at = 0; left > 0;) {
            for (unsigned sent = 0; sent < kWarmWindow && sent < frames_.size();) {
                if (!done[at]) sent += send(at, 1);
                at = (at + 1) % frames_.size();
                if (at == 0) break;
            }
            const std::uint64_t until = rte_get_tsc_cycles() + rte_get_tsc_hz() / 2000;
            do {
                receive([&](rte_mbuf* m) {
                    const std::size_t id = index_of(m);
                    if (id < done.size() && !done[id] && why_wrong(m).empty()) {
                        done[id] = true;
                        --left;
                    }
                });
            } while (rte_get_tsc_cycles() < until);
            if (rte_get_tsc_cycles() > end)
                fail(std::to_string(left) + " queries have no right answer: " + wrong_);
        }
    }

    int run() {
        const std::uint64_t begin = rte_get_tsc_cycles();
        const auto length =
            static_cast<std::uint64_t>(options_.seconds * static_cast<double>(rte_get_tsc_hz()));
        std::uint64_t sent = 0, received = 0, compared = 0, wrong = 0;
        std::size_t at = 0;
        std::uint64_t now = begin;
        for (; now - begin < length; now = rte_get_tsc_cycles()) {
            const unsigned count = send(at, kBurst);
            sent += count;
            at = (at + count) % frames_.size();
            receive([&](rte_mbuf* m) {
                if (++received % kCompareEach != 0) return;
                ++compared;
                if (!why_wrong(m).empty()) ++wrong;
            });
        }
        std::printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64
                    ", \"seconds\": %.4f, \"compared\": %" PRIu64 ", \"wrong\": %" PRIu64 "}\n",
                    sent, received,
                    static_cast<double>(now - begin) / static_cast<double>(rte_get_tsc_hz()),
                    compared, wrong);
        if (wrong > 0) std::fprintf(stderr, "memif_peer: %s\n", wrong_.c_str());
        return wrong > 0 || received == 0 ? 1 : 0;
    }

    // One query at a time, `rate` a second: what each round trip took.
    int pace() {
        const double us_per_cycle = 1e6 / static_cast<double>(rte_get_tsc_hz());
        const auto gap =
            static_cast<std::uint64_t>(static_cast<double>(rte_get_tsc_hz()) / options_.rate);
        const auto count = static_cast<std::size_t>(options_.seconds * options_.rate);
        std::vector<double> took;
        std::uint64_t due = rte_get_tsc_cycles();
        for (std::size_t i = 0; i < count; ++i) {
            due += gap;
            while (rte_get_tsc_cycles() < due)
                receive([](const rte_mbuf*) {});
            const std::size_t at = i % frames_.size();
            const std::uint64_t begin = rte_get_tsc_cycles();
            if (send(at, 1) != 1) continue;
            for (bool back = false; !back && rte_get_tsc_cycles() - begin < gap * 10;) {
                receive([&](const rte_mbuf* m) { back = back || index_of(m) == at; });
                if (back)
                    took.push_back(static_cast<double>(rte_get_tsc_cycles() - begin) *
                                   us_per_cycle);
            }
            due = std::max(due, rte_get_tsc_cycles() - gap);  // what was late does not come at once
        }
        return print_round_trips(count, took);
    }

    // An open loop: `rate` queries a second that come one by one and at random (a Poisson process), whatever became of
    // those before. A round trip begins when its query was due, not when the generator got around to it.
    int offer() {
        const auto hz = static_cast<double>(rte_get_tsc_hz());
        std::mt19937_64 random(options_.random_seed);
        std::exponential_distribution<double> distance(options_.rate / hz);
        std::array<std::uint64_t, 4096> gaps{};
        std::generate(gaps.begin(), gaps.end(),
                      [&] { return static_cast<std::uint64_t>(distance(random)); });
        std::vector<std::uint64_t> due(frames_.size());
        std::vector<double> took;
        took.reserve(static_cast<std::size_t>(options_.seconds * options_.rate * 1.1));
        const std::uint64_t begin = rte_get_tsc_cycles();
        const auto end = begin + static_cast<std::uint64_t>(options_.seconds * hz);
        std::size_t at = 0, sent = 0, drawn = 0;
        std::uint64_t next = begin + gaps[0];
        // A tenth of a second more for what is under way.
        for (std::uint64_t now = begin; now < end + rte_get_tsc_hz() / 10;
             now = rte_get_tsc_cycles()) {
            unsigned count = 0;
            while (next <= now && next < end && count < kBurst && at + count < frames_.size()) {
                due[at + count++] = next;
                next += gaps[++drawn % gaps.size()];
            }
            for (unsigned gone = 0; gone < count;)
                gone += send(at + gone, count - gone);
            sent += count;
            at = (at + count) % frames_.size();
            receive([&](const rte_mbuf* m) {
                const std::size_t id = index_of(m);
                if (id >= due.size() || due[id] == 0) return;
                took.push_back(static_cast<double>(rte_get_tsc_cycles() - due[id]) / hz * 1e6);
                due[id] = 0;
            });
        }
        return print_round_trips(sent, took);
    }

  private:
    static int print_round_trips(std::size_t sent, std::vector<double>& took) {
        if (took.empty()) fail("no query is answered");
        std::sort(took.begin(), took.end());
        const auto at_share = [&](double share) {
            return took[static_cast<std::size_t>(share * static_cast<double>(took.size() - 1))];
        };
        std::printf(
            "{\"sent\": %zu, \"received\": %zu, \"p50_us\": %.2f, \"p90_us\": %.2f, "
            "\"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.1f}\n",
            sent, took.size(), at_share(0.5), at_share(0.9), at_share(0.99), at_share(0.999),
            took.back());
        return 0;
    }

    // Up to `most` from the `at`-th on; how many went.
    unsigned send(std::size_t at, unsigned most) {
        std::array<rte_mbuf*, kBurst> burst{};
        const auto count =
            static_cast<std::uint16_t>(std::min<std::size_t>(most, frames_.size() - at));
        for (unsigned i = 0; i < count; ++i) {
            burst[i] = packets_[at + i];
            rte_mbuf_refcnt_update(burst[i], 1);  // sending frees it once
        }
        const std::uint16_t sent = rte_eth_tx_burst(peer_.device, 0, burst.data(), count);
        for (unsigned i = sent; i < count; ++i)
            rte_mbuf_refcnt_update(burst[i], -1);
        return sent;
    }

    template <class Each>
    void receive(const Each& each) {
        std::array<rte_mbuf*, kBurst> burst{};
        const std::uint16_t count = rte_eth_rx_burst(peer_.device, 0, burst.data(), kBurst);
        for (unsigned i = 0; i < count; ++i)
            each(burst[i]);
        if (count > 0) rte_pktmbuf_free_bulk(burst.data(), count);
    }

    // The DNS id is the query's number.
    static std::size_t index_of(const rte_mbuf* m) {
        constexpr unsigned kDns = 14 + 20 + 8;
        if (m->data_len < kDns + 12) return ~std::size_t{0};
        const auto* id = rte_pktmbuf_mtod_offset(m, const std::uint8_t*, kDns);
        return static_cast<std::size_t>(id[0] << 8 | id[1]);
    }

    // Empty: it is the answer to the query of its id, in every header and in its addresses.
    const std::string& why_wrong(const rte_mbuf* m) {
        wrong_.clear();
        const std::size_t id = index_of(m);
        if (id >= queries_.size()) return wrong_ = "it answers no query";
        const auto reply =
            test::read_udp_frame({rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len}, wrong_);
        if (!reply || !wrong_.empty()) return wrong_ += " (reply)";
        const test::UdpFrame& query = queries_[id];
        if (reply->from != query.to || reply->to != query.from ||
            reply->to_port != query.from_port || reply->from_port != query.to_port ||
            reply->to_mac != query.from_mac) {
            return wrong_ = "its addresses are not the query's turned round";
        }
        const Bytes &q = query.payload, &r = reply->payload;
        if (options_.swapped) {
            if (q != r) wrong_ = "it is not the query's payload";
            return wrong_;
        }
        const auto zero = std::find(q.begin() + 12, q.end(), 0);
        const std::size_t end = static_cast<std::size_t>(zero - q.begin()) + 5;
        if (r.size() < end ||
            !std::equal(q.begin() + 12, q.begin() + static_cast<long>(end), r.begin() + 12))
            return wrong_ = "it has another question";
        if ((r[2] & 0x80) == 0 || (r[2] & 2) != 0 || (r[3] & 15) != 0)
            return wrong_ = "its flags are " + std::to_string(be16(r, 2));
        const auto found = answers_.find({q.begin() + 12, zero + 1});
        if (found == answers_.end() || addresses_of(r, end) != found->second)
            wrong_ = "its addresses are others";
        return wrong_;
    }

    const MemifPeer& peer_;
    const PeerOptions& options_;
    std::vector<Bytes> frames_;
    std::vector<test::UdpFrame> queries_;
    std::vector<rte_mbuf*> packets_;
    std::map<Bytes, std::vector<std::string>> answers_;
    std::string wrong_;
};

}  // namespace

int run_load(const MemifPeer& peer, const PeerOptions& options) {
    connect(peer, options);
    Load load(peer, options);
    load.warm();
    if (options.rate == 0) return load.run();
    return options.open ? load.offer() : load.pace();
}

}  // namespace steer::bench
