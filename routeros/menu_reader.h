// Follows menus of a router: prints each once and listens to it, so that the router reports
// changes.
//
// It has its own session, so that no claim waits behind a long print. All menus are printed again
// every 10 minutes, or every 30 s if the router refuses to listen. Menus without `listen` have
// their own interval. Needs the policies api and read; writes nothing. While the router is
// unreachable, the last rows stay. No I/O, no clock (link.h).
//
// A subclass stores the rows. Its functions that are called from here must not call back.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/secret.h"
#include "routeros/link.h"
#include "routeros/router_report.h"
#include "routeros/router_sink.h"
#include "routeros/session.h"

namespace steer::routeros {

struct ReaderConfig {
    std::string name, address;  // for messages
    std::string username;
    Secret password;
    bool operator==(const ReaderConfig&) const = default;
};

// Gets what a reader has read. Called by the reader's functions; must not call back into it.
template <class Rows>
class MenuSink {
  public:
    virtual ~MenuSink() = default;
    // Everything: after the first reading, and shortly after each change.
    virtual void rows(Rows all) = 0;
    virtual void log(Level level, std::string_view sentence) = 0;
};

class MenuReader : public LinkUser, private SessionHandler {
  public:
    void start(std::uint64_t now_ms);
    void stop(std::uint64_t now_ms);

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

    [[nodiscard]] RouterState state() const { return state_; }
    // Why it is not in sync, as logged. Empty: it is in sync, or nothing was logged yet.
    [[nodiscard]] const std::string& error() const { return error_; }

  protected:
    struct Follow {
        Command print;
        std::optional<Command> listen;  // no value: only printed, every `poll_ms`
        std::uint64_t poll_ms = 30'000;
        bool may_be_missing = false;  // without a package, the router lacks this menu
        std::size_t max_rows = 0;     // per print; more end the session
    };
    // `what`: for messages, as in "DHCP leases".
    MenuReader(ReaderConfig config, std::string_view what, RouterLink& link);

    // Connects again with these settings. Call it before the first start(), and at each change.
    void follow(ReaderConfig config, std::vector<Follow> menus, std::uint64_t now_ms);

    // A row of a menu, printed or reported. Returns true if something changed. The only row of a
    // menu without ids has id 1.
    virtual bool take(std::size_t menu, RowId id, const ReplyRow& row) = 0;
    // A removed row; it may be unknown. Returns true if something changed.
    virtual bool drop(std::size_t menu, RowId id) = 0;
    // The rows of a complete print: all others were removed. Returns true if something changed.
    virtual bool keep_only(std::size_t menu, const std::set<RowId>& ids) = 0;
    // Called after all menus were read, and shortly after each change.
    virtual void notify() = 0;
    virtual void log(Level level, std::string_view sentence) = 0;

    [[nodiscard]] const ReaderConfig& config() const { return config_; }
    [[nodiscard]] std::string who() const;
    [[nodiscard]] std::uint64_t now_ms() const { return now_; }

  private:
    struct Followed {
        Follow follow;
        std::set<RowId> printed{};                        // by the print in progress
        Tag print = 0, listen = 0;                        // in progress; 0: none
        std::uint64_t print_at_ms = UINT64_MAX;           // the next print
        bool was_read = false;                            // in this session
        bool refuses_listen = false, is_missing = false;  // as found in this session
    };

    void on_login(const Ending& ending) override;
    void on_row(Tag tag, const ReplyRow& row) override;
    void on_end(Tag tag, const Ending& ending) override;
    void on_broken(std::string_view reason) override;

    void begin_connect();
    void begin_prints();
    void begin_print(Followed& menu);
    void end_print(std::size_t at, const Ending& ending);
    void end_listen(Followed& menu, const Ending& ending);
    void apply(std::size_t at, const ReplyRow& row);
    void changed();
    void check_alive();
    void give_up(std::string why, std::uint64_t retry_ms);
    void end_session(std::uint64_t retry_ms);
    void complain(const std::string& why);
    void run();
    [[nodiscard]] bool is_printing() const;
    [[nodiscard]] std::uint64_t next_print() const;
    [[nodiscard]] std::uint64_t silent_ms() const;
    [[nodiscard]] std::uint64_t backoff_ms() const;

    ReaderConfig config_;
    const std::string_view what_;
    RouterLink& link_;
    Session session_;
    std::vector<Followed> menus_;
    RouterState state_ = RouterState::disconnected;
    bool running_ = false;
    std::uint64_t now_ = 0;
    std::uint64_t connect_at_ms_ = 0, phase_until_ms_ = 0;  // next attempt; end of this phase
    std::uint64_t last_seen_ms_ = 0;
    std::uint64_t notify_at_ms_ = UINT64_MAX;
    Tag beat_ = 0;           // the heartbeat in progress; 0: none
    unsigned failures_ = 0;  // since it was last in sync
    struct Lost {
        std::string why;
        std::uint64_t retry_ms;
    };
    std::optional<Lost> lost_;  // why the session ended
    std::string error_;
};

}  // namespace steer::routeros
