// A Router and a simulated router in one process, under one fake clock.
//
// Time goes from event to event: whatever the router, the simulator or a pending connection has to
// do next.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routeros/router.h"
#include "tools/rossim/router.h"

namespace steer::routeros::test {

inline constexpr std::int64_t kSecond = 1'000'000;  // of the clock, in us

// The i-th of 750,000 addresses from 203.0.0.1 on.
std::string nth(unsigned i);

// What the engine reported: to the row board, to those who wait, to the operator.
class Witness : public RouterSink {
  public:
    void installed(ListId list, const AddressBytes& address, std::uint32_t until_s) override;
    void ended(ListId list, const AddressBytes& address) override;
    void lost(ListId list, const AddressBytes& address) override;
    void refused(ListId list, const AddressBytes& address, bool of_client) override;
    void epoch(ListId list) override;
    void away(ListId list, bool away) override;
    void settled(std::uint64_t hold_token, Outcome outcome) override;
    void log(Level level, std::string_view sentence) override;
    void found(std::string_view version, const Findings& findings) override;
    const Findings* findings(std::string_view version) override;

    // 0: not known under the present epoch.
    [[nodiscard]] std::uint32_t installed_until(ListId list, std::string_view address) const;

    struct Known {
        std::uint32_t until_s, epoch;
    };
    std::map<std::pair<ListId, AddressBytes>, Known> board;
    std::map<ListId, std::uint32_t> epochs;
    std::map<ListId, bool> aways;
    struct Refused {
        ListId list;
        AddressBytes address;
        bool of_client;
        bool operator==(const Refused&) const = default;
    };
    std::vector<Refused> refusals;
    std::size_t losses = 0;
    std::map<std::uint64_t, Outcome> outcomes;
    std::map<std::uint64_t, std::int64_t> settled_at_us;
    std::vector<std::string> sentences;
    // How many of the sentences have this part.
    [[nodiscard]] std::size_t logged(std::string_view part) const;
    std::map<std::string, Findings, std::less<>> known;  // of versions
    std::size_t finds = 0;
    std::int64_t now_us = 0;
};

AddressBytes bytes_of(std::string_view address);
ListConfig list_config(ListId id = 1);
RouterConfig router_config(std::vector<ListConfig> lists = {list_config()});
// A router of the preset `fast`.
rossim::Options fast(std::int64_t latency_us = 2'000);

class Lab : public Witness, public RouterLink {
  public:
    explicit Lab(rossim::Options options = {}, RouterConfig config = router_config());

    void start();
    // start() and run until it is in sync; false if it is not within `limit_s`.
    bool sync(std::int64_t limit_s = 60);
    void run_for(std::int64_t us) { run_until(now_us + us); }
    void run_until(std::int64_t to_us);
    // Until `done` or the time is over; true if done.
    bool run_until(std::int64_t to_us, const std::function<bool()>& done);
    // An answer with these addresses, ttl and extra time 30 s; `life_s` 0: no timeout.
    void claim(ListId list, std::vector<std::string> addresses, std::uint32_t ttl_s,
               std::uint32_t life_s, std::uint64_t hold = 0,
               const Origin& origin = "www.stream.example");
    // A new daemon on the same router, as after kill -9.
    void restart();

    [[nodiscard]] std::uint64_t now_ms() const { return static_cast<std::uint64_t>(now_us / 1000); }
    [[nodiscard]] std::vector<rossim::RowView> rows(std::string_view list) const;
    [[nodiscard]] std::optional<rossim::RowView> row(std::string_view list,
                                                     std::string_view address) const;

    void connect() override;
    void close() override;
    void send(std::string_view bytes) override;

    rossim::Router sim;
    RouterConfig config;
    std::unique_ptr<Router> router;
    // When there was a row: from its commit to its end, as the simulator's journal says.
    struct Life {
        std::int64_t from_us, until_us;
    };
    std::map<std::pair<std::string, std::string>, std::vector<Life>> lives;  // of (list, address)
    // Whether a row was there all the time, without the smallest gap.
    [[nodiscard]] bool was_there(std::string_view list, std::string_view address,
                                 std::int64_t from_us, std::int64_t until_us) const;
    std::size_t adds = 0, removes = 0;  // commits
    bool reachable = true;

  private:
    bool step(std::int64_t to_us);
    void collect();
    void note(const rossim::Commit& commit);

    std::optional<rossim::SessionId> session_;
    bool connecting_ = false;
};

}  // namespace steer::routeros::test
