#include <malloc.h>
#include <rte_malloc.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tools/fleet_sim/figures.h"

namespace steer::fleet_sim {
namespace {

constexpr std::size_t kClaims = 50'000;
constexpr routeros::ListId kList = 1;

std::size_t heap_bytes() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

std::size_t dpdk_bytes() {
    std::size_t all = 0;
    for (int socket = 0; socket < 8; ++socket) {
        rte_malloc_socket_stats stats{};
        if (rte_malloc_get_socket_stats(socket, &stats) == 0) all += stats.heap_allocsz_bytes;
    }
    return all;
}

// An engine and a router that already has all rows; the row board is not in it.
class Bench final : public routeros::RouterSink, public routeros::RouterLink {
  public:
    explicit Bench(const Settings& settings) {
        routeros::RouterConfig config;
        config.name = config.address = "router";
        config.username = "admin";
        routeros::ListConfig list;
        list.id = kList;
        list.list4 = "policy_v4";
        list.list6 = "policy_v6";
        list.tag = "policy";
        list.max_ttl_s = settings.max_ttl_s;
        list.max_rows = kClaims;
        config.lists = {list};
        engine_.emplace(config, *this, *this);
    }
    ~Bench() override = default;
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    void claim(const Names& names) {
        engine_->start(now_ms());
        std::size_t n = 0;
        for (std::size_t i = 0; n < kClaims; ++i) {
            const auto address = made(n++);
            const Question& q = names.questions()[i % names.questions().size()];
            const std::string name = "n" + std::to_string(i) + "." + q.addresses.front();
            engine_->claim(kList, {&address, 1}, routeros::Origin{name}, now_ms() + 3'500'000,
                           3'600, 0, now_ms());
        }
    }
    // The rows are there before it connects, so that only its knowledge of them is new.
    void read(std::size_t& before) {
        sim_.advance(now_us_);
        for (std::size_t n = 0; n < kClaims; ++n) {
            sim_.add_row(rossim::Family::ipv4, "policy_v4",
                         routeros::Address::host(made(n)).to_string(), 3'600,
                         "fdns;pg=policy;kind=D|P;dm=" + std::to_string(n), now_us_);
        }
        before = heap_bytes();
        is_reachable_ = true;
        while (engine_->status().state != routeros::RouterState::in_sync && now_us_ < kEndUs)
            step();
    }

  private:
    static constexpr std::int64_t kEndUs = 600'000'000;

    [[nodiscard]] std::uint64_t now_ms() const {
        return static_cast<std::uint64_t>(now_us_ / 1000);
    }
    static routeros::AddressBytes made(std::size_t n) {
        routeros::AddressBytes bytes{};
        bytes[10] = bytes[11] = 0xff;
        bytes[12] = 11;
        bytes[13] = static_cast<std::uint8_t>(n >> 16);
        bytes[14] = static_cast<std::uint8_t>(n >> 8);
        bytes[15] = static_cast<std::uint8_t>(n);
        return bytes;
    }
    void step() {
        const auto deadline_us = static_cast<std::int64_t>(
            std::min<std::uint64_t>(engine_->next_deadline(), kEndUs / 1000) * 1000);
        now_us_ = std::max(now_us_, std::min(deadline_us, sim_.next_event_us().value_or(kEndUs)));
        if (is_connecting_ && is_reachable_) {
            is_connecting_ = false;
            session_ = sim_.open(now_us_);
            engine_->connected(now_ms());
        } else if (is_connecting_) {
            is_connecting_ = false;
            engine_->closed("connection refused", now_ms());
        }
        sim_.advance(now_us_);
        for (const auto& output : sim_.take_output()) {
            if (session_ && output.session == *session_) engine_->received(output.bytes, now_ms());
        }
        if (engine_->next_deadline() <= now_ms()) engine_->tick(now_ms());
    }
    void connect() override { is_connecting_ = true; }
    void close() override { session_.reset(); }
    void send(std::string_view bytes) override {
        if (session_) sim_.feed(*session_, bytes, now_us_);
    }
    void installed(routeros::ListId, const routeros::AddressBytes&, std::uint32_t) override {}
    void ended(routeros::ListId, const routeros::AddressBytes&) override {}
    void lost(routeros::ListId, const routeros::AddressBytes&) override {}
    void epoch(routeros::ListId) override {}
    void away(routeros::ListId, bool) override {}
    void settled(std::uint64_t, routeros::Outcome) override {}
    void log(routeros::Level, std::string_view) override {}

    std::int64_t now_us_ = 1'000'000;
    rossim::Router sim_{rossim::Options{}};
    std::optional<routeros::Router> engine_;
    std::optional<rossim::SessionId> session_;
    bool is_connecting_ = false, is_reachable_ = false;
};

}  // namespace

MemoryCosts measure_memory(const Settings& settings, const Names& names, rte_rcu_qsbr* readers) {
    MemoryCosts costs;
    {
        const std::size_t before = dpdk_bytes();
        const RowBoard board(kClaims, readers);
        costs.board_bytes = static_cast<double>(dpdk_bytes() - before) / kClaims;
    }
    Bench bench(settings);
    const std::size_t begin = heap_bytes();
    bench.claim(names);
    costs.claim_bytes = static_cast<double>(heap_bytes() - begin) / kClaims;
    std::size_t before = 0;
    bench.read(before);
    const auto after = static_cast<double>(heap_bytes());
    costs.row_bytes = std::max(after - static_cast<double>(before), 0.0) / kClaims;
    return costs;
}

}  // namespace steer::fleet_sim
