// A client for tests with a fake clock: writes sentences to a Router and keeps what comes back.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/router.h"
#include "tools/rossim/sentence.h"

namespace rossim::test {

using Words = std::vector<std::string>;

inline const std::string kMenu = "/ip/firewall/address-list";
inline constexpr std::int64_t kSecond = 1'000'000;  // of the clock, in us

Options fast();  // a router of the preset "fast"

struct Received {
    std::int64_t at_us;
    Words words;
};

// One router, one clock, any number of sessions.
class Bench {
  public:
    explicit Bench(Options options = {}, Journal journal = {});

    SessionId connect();  // and logs in as admin
    SessionId connect_raw();
    void write(SessionId session, const Words& sentence);
    // Runs event by event, so that each reply is stamped with its own time.
    void run_until(std::int64_t to_us);
    // Runs until the session has a `!done` or `!fatal` more; gives what the session got since the
    // last call.
    std::vector<Received> ask(SessionId session, const Words& sentence);
    std::vector<Received> take(SessionId session);
    bool is_closed(SessionId session) const;

    Router router;
    std::int64_t now_us = 0;

  private:
    struct Side {
        WordReader reader{1U << 20};
        std::vector<Received> got;
        bool closed = false;
    };
    void collect();
    Side& side(SessionId session);

    std::vector<std::pair<SessionId, Side>> sides_;
};

// The value of `=name=value`; empty if there is none.
std::string value_of(const Words& reply, std::string_view name);
bool has(const Words& reply, std::string_view word);

}  // namespace rossim::test
