#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "bench/answer_check.h"
#include "bench/memif_peer.h"
#include "bench/time_away.h"
#include "matchers/prefix/ip_address.h"

namespace steer::bench {
namespace {

constexpr unsigned kWarmWindow = 64;

constexpr std::uint32_t kTtl = 3600;  // of the zone

// Lines of a name and its addresses.
Answers read_answers(const std::string& file) {
    Answers answers;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        std::stringstream words(line);
        std::string name, word;
        words >> name;
        auto& addresses = answers[wire_of(name)];
        while (words >> word) {
            const auto address = IpAddress::parse(word);
            if (!address) fail(word + " is no address");
            std::uint32_t number = 0;
            for (const std::uint8_t byte : std::span(address->v4(), 4))
                number = number << 8 | byte;
            addresses.push_back(number);
        }
        std::sort(addresses.begin(), addresses.end());
    }
    if (answers.empty()) fail(file + " has no answers");
    return answers;
}

// (A map that has none of the names: of their replies only headers and question are compared.)
Answers expected(const PeerOptions& options) {
    if (options.swapped) return {};
    if (options.without_records) return {{std::string{}, {}}};
    return read_answers(options.answers);
}

class Load {
  public:
    Load(const MemifPeer& peer, const PeerOptions& options)
        : peer_(peer),
          options_(options),
          frames_(read_pcap(options.pcap)),
          check_(frames_, expected(options), kTtl) {
        if (frames_.size() > 65'536) fail("more queries than IDs");
        for (const Bytes& frame : frames_) {
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
                    if (id >= done.size() || done[id]) return;
                    const std::string& why = why_wrong(m);
                    if (!why.empty()) {
                        wrong_ = why;
                        return;
                    }
                    done[id] = true;
                    --left;
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
        std::uint64_t sent = 0, received = 0, compared = 0, wrong = 0, waited = 0;
        std::size_t at = 0;
        std::uint64_t now = begin;
        while (now - begin < length) {
            const unsigned count = send(at, kBurst);
            const std::uint64_t received_before = received;
            sent += count;
            at = (at + count) % frames_.size();
            receive([&](rte_mbuf* m) {
                if (++received % kCompareEach != 0) return;
                ++compared;
                const std::string& why = why_wrong(m);
                if (why.empty()) return;
                ++wrong;
                wrong_ = why;
            });
            const std::uint64_t last = std::exchange(now, rte_get_tsc_cycles());
            if (count == 0 && received == received_before) waited += now - last;
        }
        std::printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64
                    ", \"seconds\": %.4f, \"waited_percent\": %.2f, \"compared\": %" PRIu64
                    ", \"wrong\": %" PRIu64 "}\n",
                    sent, received,
                    static_cast<double>(now - begin) / static_cast<double>(rte_get_tsc_hz()),
                    100 * static_cast<double>(waited) / static_cast<double>(now - begin), compared,
                    wrong);
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
        std::printf("{");
        return print_round_trips(count, took);
    }

    // An open loop: `rate` queries a second that come one by one and at random (a Poisson process), whatever became of
    // those before. A round trip begins when its query was due, not when the generator got around to it. Of each 10 ms
    // there is a 50th and a 99th percentile of their own, and `typical_…` is the median of those: on a machine whose
    // kernel gives one of the two CPUs to another process for a hundredth of the time, p99_us shows only that.
    int offer() {
        const auto hz = static_cast<double>(rte_get_tsc_hz());
        std::mt19937_64 random(options_.random_seed);
        std::exponential_distribution<double> distance(options_.rate / hz);
        std::array<std::uint64_t, 4096> gaps{};
        std::generate(gaps.begin(), gaps.end(),
                      [&] { return static_cast<std::uint64_t>(distance(random)); });
        std::vector<std::uint64_t> due(frames_.size());
        std::vector<RoundTrip> took;
        took.reserve(static_cast<std::size_t>(options_.seconds * options_.rate * 1.1));
        TimeAway away(options_.gaps);
        const std::uint64_t interruption = rte_get_tsc_hz() / 200'000;  // 5 us between two checks
        std::uint64_t interrupted = 0;
        const std::uint64_t begin = rte_get_tsc_cycles();
        const auto end = begin + static_cast<std::uint64_t>(options_.seconds * hz);
        std::size_t at = 0, sent = 0, drawn = 0;
        std::uint64_t next = begin + gaps[0];
        const std::uint64_t window = rte_get_tsc_hz() / 100;
        std::vector<std::size_t> windows;  // where in `took` each begins
        windows.reserve(static_cast<std::size_t>(options_.seconds * 100) + 20);
        // A tenth of a second more for what is in progress.
        for (std::uint64_t last = begin, now = begin; now < end + rte_get_tsc_hz() / 10;
             last = std::exchange(now, rte_get_tsc_cycles())) {
            if (now - last > interruption) {
                interrupted += now - last;
                away.add({last, now});
            }
            if ((now - begin) / window >= windows.size()) windows.push_back(took.size());
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
                took.push_back({due[id], rte_get_tsc_cycles()});
                due[id] = 0;
            });
        }
        std::vector<double> p50, p99;
        for (std::size_t i = 0; i + 1 < windows.size(); ++i) {
            std::vector<double> part =
                microseconds({took.data() + windows[i], windows[i + 1] - windows[i]});
            if (part.empty()) continue;
            std::sort(part.begin(), part.end());
            p50.push_back(at_share(part, 0.5));
            p99.push_back(at_share(part, 0.99));
        }
        if (p50.empty()) fail("no query is answered");
        std::sort(p50.begin(), p50.end());
        std::sort(p99.begin(), p99.end());
        const double percent = 100 * static_cast<double>(interrupted) / (options_.seconds * hz);
        std::printf(
            "{\"interrupted_percent\": %.2f, \"typical_p50_us\": %.2f, \"typical_p99_us\": %.2f, ",
            percent, at_share(p50, 0.5), at_share(p99, 0.5));
        print_on_cpu(took, away, end - begin);
        std::vector<double> all = microseconds(took);
        return print_round_trips(sent, all);
    }

  private:
    static std::vector<double> microseconds(std::span<const RoundTrip> took) {
        const double us_per_cycle = 1e6 / static_cast<double>(rte_get_tsc_hz());
        std::vector<double> us;
        us.reserve(took.size());
        for (const RoundTrip& one : took)
            us.push_back(static_cast<double>(one.end - one.due) * us_per_cycle);
        return us;
    }
    // Of those during which both sides had their CPUs; 0 if there is none.
    static void print_on_cpu(std::vector<RoundTrip> took, TimeAway& away, std::uint64_t length) {
        const std::size_t all = took.size();
        const double gone = 100 * static_cast<double>(away.servers()) / static_cast<double>(length);
        away.settle();
        std::erase_if(took, [&](const RoundTrip& one) { return away.overlaps(one); });
        std::vector<double> us = microseconds(took);
        std::sort(us.begin(), us.end());
        std::printf(
            "\"gone_percent\": %.2f, \"left_out_percent\": %.2f, \"on_cpu_p50_us\": %.2f, "
            "\"on_cpu_p99_us\": %.2f, ",
            gone, 100 * static_cast<double>(all - took.size()) / static_cast<double>(all),
            us.empty() ? 0 : at_share(us, 0.5), us.empty() ? 0 : at_share(us, 0.99));
    }
    // Of sorted values.
    static double at_share(std::span<const double> values, double share) {
        return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    }
    // Ends the line that the caller began.
    static int print_round_trips(std::size_t sent, std::vector<double>& took) {
        if (took.empty()) fail("no query is answered");
        std::sort(took.begin(), took.end());
        std::printf(
            "\"sent\": %zu, \"received\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": "
            "%.2f, "
            "\"max_us\": %.1f}\n",
            sent, took.size(), at_share(took, 0.5), at_share(took, 0.99), at_share(took, 0.999),
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

    // Empty: it is right (answer_check.h).
    const std::string& why_wrong(const rte_mbuf* m) {
        return check_.why_wrong({rte_pktmbuf_mtod(m, const std::uint8_t*), m->data_len});
    }

    const MemifPeer& peer_;
    const PeerOptions& options_;
    std::vector<Bytes> frames_;
    AnswerCheck check_;
    std::vector<rte_mbuf*> packets_;
    std::string wrong_;  // the last that was
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
