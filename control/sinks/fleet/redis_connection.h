// One connection to a Redis server: logs in, sends commands, and passes each reply to its command,
// in order.
//
// No sockets and no clock (it gets a RouterLink and times), so tests need no server. It connects
// again kRetryMs after each failure. A command without a reply within `patience_ms` ends the
// connection. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/sinks/fleet/redis_reply.h"
#include "matchers/secret.h"
#include "routeros/link.h"

namespace steer::fleet {

struct RedisLogin {
    std::string username;  // empty: the default user
    Secret password;       // empty: none is sent
    // Refuses a server that accepts commands before the login, because anyone could change the
    // claims there.
    bool must_be_asked = false;
    bool must_be_master = false;  // refuses a replica
    bool operator==(const RedisLogin&) const = default;
};

class RedisConnection final : public routeros::LinkUser {
  public:
    static constexpr std::uint64_t kRetryMs = 250;
    static constexpr std::size_t kMaxUnanswered = 100'000;  // commands

    struct Events {
        std::function<void(std::uint64_t now_ms)> ready;  // logged in
        // A message for a subscriber: channel, payload.
        std::function<void(std::string_view channel, std::string_view payload,
                           std::uint64_t now_ms)>
            message;
        // The connection was ready and ended, or could not become ready. A sentence without
        // subject.
        std::function<void(const std::string& why, std::uint64_t now_ms)> lost;
    };
    // Called with the reply. Not called if the connection ends first.
    using Done = std::function<void(const RedisReply& reply, std::uint64_t now_ms)>;

    // `is_subscriber`: use only subscribe(); messages call Events::message.
    RedisConnection(routeros::RouterLink& link, RedisLogin login, bool is_subscriber,
                    std::uint64_t patience_ms, Events events);

    void start(std::uint64_t now_ms);
    void stop();
    // Ends the connection and connects again.
    void restart(const std::string& why, std::uint64_t now_ms);
    // Uses this login from the next attempt on.
    void use(RedisLogin login) { login_ = std::move(login); }

    [[nodiscard]] bool is_ready() const { return state_ == State::ready; }
    [[nodiscard]] bool is_off() const { return state_ == State::off; }
    // Number of commands without a reply.
    [[nodiscard]] std::size_t unanswered() const { return waiting_.size(); }
    // Returns false if it is not ready, or too many commands are unanswered. The next send_now()
    // sends it.
    bool command(const std::vector<std::string_view>& words, std::uint64_t now_ms, Done done = {});
    void send_now();
    void subscribe(const std::vector<std::string>& channels, std::uint64_t now_ms,
                   std::function<void(std::uint64_t now_ms)> done);

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

  private:
    enum class State : std::uint8_t { off, waiting, connecting, logging_in, ready };
    struct Waiting {
        Done done;
        std::uint64_t sent_ms;
    };

    void lose(const std::string& why, std::uint64_t now_ms);
    void refuse(const std::string& why, std::uint64_t now_ms);
    void ask(const std::vector<std::string_view>& words, std::uint64_t now_ms, Done done);
    void check_guard(const RedisReply& reply, std::uint64_t now_ms);
    void log_in(std::uint64_t now_ms);
    void check_role(std::uint64_t now_ms);
    void become_ready(std::uint64_t now_ms);
    void take(const RedisReply& reply, std::uint64_t now_ms);
    void take_pushed(const RedisReply& reply, std::uint64_t now_ms);

    routeros::RouterLink& link_;
    RedisLogin login_;
    const bool is_subscriber_;
    const std::uint64_t patience_ms_;
    Events events_;
    State state_ = State::off;
    std::uint64_t retry_ms_ = 0;      // while waiting
    std::uint64_t last_seen_ms_ = 0;  // of a subscriber
    std::uint64_t asked_ms_ = 0;      // of a subscriber: time of an unanswered PING; 0: none
    std::size_t to_subscribe_ = 0;    // unconfirmed channels
    std::function<void(std::uint64_t now_ms)> subscribed_;
    RedisReplies replies_;
    std::deque<Waiting> waiting_;
    std::string out_;
};

}  // namespace steer::fleet
