// Follows the DHCP leases that a router's servers have given: /ip/dhcp-server/lease and /ipv6/dhcp-server/binding.
//
// It has a session of its own, so that no claim waits behind a long print. Both menus are listened to and printed once.
// After that the router reports changes, and all is printed again every 10 minutes (every 30 s if it refuses to
// listen). Needs the policies api and read; writes nothing. While the router is unreachable its last leases stay known.
//
// Only bound leases with single addresses count. Their texts come from the router: a host name is
// chosen by its client, and may be anything. No I/O, no clock (link.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/link.h"
#include "routeros/router.h"
#include "routeros/session.h"

namespace steer::routeros {

inline constexpr std::size_t kMaxLeases = 65'536;      // per menu; further ones are ignored
inline constexpr std::size_t kMaxHostNameBytes = 256;  // the rest is cut: names are shorter

struct DhcpLease {
    RowId id = 0;  // within its menu
    bool v6 = false, is_static = false;
    std::string address;  // without a prefix length
    std::string
        mac;  // "00:1d:aa:bb:cc:dd", lower case; for a binding from its DUID; empty: unknown
    std::string host_name;  // from the client; empty: none (bindings have none)
    std::string server;     // the DHCP server's name
    std::string comment;    // the operator's
    bool operator==(const DhcpLease&) const = default;
};

// The link-layer address in a DUID (RFC 8415 11.2, 11.4) as RouterOS prints it, in hexadecimal, with or without 0x and
// its type; empty: it has none.
std::string mac_of_duid(std::string_view duid);

// Called by the reader's functions; must not call back into it.
class LeaseSink {
  public:
    virtual ~LeaseSink() = default;
    // All leases, IPv4 before IPv6, each sorted by id: after the first reading, and shortly after each change.
    virtual void leases(std::vector<DhcpLease> all) = 0;
    virtual void log(Level level, std::string_view sentence) = 0;
};

class LeaseReader final : public LinkUser, private SessionHandler {
  public:
    struct Config {
        std::string name, address;  // for messages
        std::string username, password;
        bool operator==(const Config&) const = default;
    };
    LeaseReader(Config config, LeaseSink& sink, RouterLink& link);

    void start(std::uint64_t now_ms);
    void stop(std::uint64_t now_ms);
    // Connects again with these settings.
    void configure(Config config, std::uint64_t now_ms);

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

    [[nodiscard]] RouterState state() const { return state_; }
    // Why it is not in sync, as logged; empty: it is in sync, or nothing was logged yet.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }

  private:
    // One of the two menus.
    struct Half {
        bool v6;
        std::map<RowId, DhcpLease> rows{};
        std::set<RowId> printed{};                        // by the print in progress
        Tag print = 0, listen = 0;                        // in progress; 0: none
        bool was_read = false;                            // in this session
        bool refuses_listen = false, is_missing = false;  // as found in this session
        bool was_cut = false;                             // it was logged
    };

    void on_login(const Ending& ending) override;
    void on_row(Tag tag, const ReplyRow& row) override;
    void on_end(Tag tag, const Ending& ending) override;
    void on_broken(std::string_view reason) override;

    void begin_connect();
    void begin_prints();
    void end_print(Half& half, const Ending& ending);
    void end_listen(Half& half, const Ending& ending);
    void apply(Half& half, const ReplyRow& row);
    void drop(Half& half, RowId id);
    void changed();
    void notify();
    void look_alive();
    void give_up(std::string why, std::uint64_t retry_ms);
    void end_session(std::uint64_t retry_ms);
    void complain(const std::string& why);
    void run();
    [[nodiscard]] bool is_printing() const {
        return halves_[0].print != 0 || halves_[1].print != 0;
    }
    [[nodiscard]] std::uint64_t silent_ms() const;
    [[nodiscard]] std::uint64_t backoff_ms() const;
    [[nodiscard]] std::string who() const;

    Config config_;
    LeaseSink& sink_;
    RouterLink& link_;
    Session session_;
    Half halves_[2]{{false}, {true}};
    RouterState state_ = RouterState::disconnected;
    bool running_ = false;
    std::uint64_t now_ = 0;
    std::uint64_t connect_at_ms_ = 0, phase_until_ms_ = 0;  // of the next attempt; of this one
    std::uint64_t heard_ms_ = 0;
    std::uint64_t print_at_ms_ = UINT64_MAX, notify_at_ms_ = UINT64_MAX;
    Tag beat_ = 0;           // the heartbeat in progress; 0: none
    unsigned failures_ = 0;  // since it was last in sync
    struct Lost {
        std::string why;
        std::uint64_t retry_ms;
    };
    std::optional<Lost> lost_;  // why the session ended
    std::string trouble_;
};

}  // namespace steer::routeros
