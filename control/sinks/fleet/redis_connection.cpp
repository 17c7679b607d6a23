#include "control/sinks/fleet/redis_connection.h"

#include <algorithm>
#include <utility>

#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

constexpr std::size_t kErrorBytes = 200;

}  // namespace

RedisConnection::RedisConnection(routeros::RouterLink& link, RedisLogin login, bool is_subscriber,
                                 std::uint64_t patience_ms, Events events)
    : link_(link),
      login_(std::move(login)),
      is_subscriber_(is_subscriber),
      patience_ms_(patience_ms),
      events_(std::move(events)) {}

void RedisConnection::start(std::uint64_t now_ms) {
    if (state_ != State::off) return;
    state_ = State::waiting;
    retry_ms_ = now_ms;
}

void RedisConnection::stop() {
    if (state_ != State::off) link_.close();
    state_ = State::off;
    waiting_.clear();
    out_.clear();
}

void RedisConnection::restart(const std::string& why, std::uint64_t now_ms) {
    if (state_ == State::off) return;
    link_.close();
    lose(why, now_ms);
}

void RedisConnection::lose(const std::string& why, std::uint64_t now_ms) {
    state_ = State::waiting;
    retry_ms_ = now_ms + kRetryMs;
    waiting_.clear();
    out_.clear();
    to_subscribe_ = 0;
    asked_ms_ = 0;
    replies_ = RedisReplies();
    if (events_.lost) events_.lost(why, now_ms);
}

void RedisConnection::connected(std::uint64_t now_ms) {
    last_seen_ms_ = now_ms;
    state_ = State::logging_in;
    if (!login_.must_be_asked) return log_in(now_ms);
    ask({"PING"}, now_ms,
        [this](const RedisReply& reply, std::uint64_t at_ms) { check_guard(reply, at_ms); });
}

void RedisConnection::refuse(const std::string& why, std::uint64_t now_ms) {
    link_.close();
    lose(why, now_ms);
}

// Before it is ready.
void RedisConnection::ask(const std::vector<std::string_view>& words, std::uint64_t now_ms,
                          Done done) {
    waiting_.push_back({std::move(done), now_ms});
    link_.send(redis_command(words));
}

void RedisConnection::check_guard(const RedisReply& reply, std::uint64_t now_ms) {
    if (!reply.is_error()) {
        return refuse(
            "it obeys without a password, so anyone could change the claims: set `requirepass` or "
            "an ACL there",
            now_ms);
    }
    if (!reply.text.starts_with("NOAUTH"))
        return refuse("it refused: " + safe_text(reply.text, kErrorBytes), now_ms);
    log_in(now_ms);
}

void RedisConnection::log_in(std::uint64_t now_ms) {
    if (login_.password.empty()) return check_role(now_ms);
    std::vector<std::string_view> words{"AUTH"};
    if (!login_.username.empty()) words.push_back(login_.username);
    words.push_back(login_.password);
    ask(words, now_ms, [this](const RedisReply& reply, std::uint64_t at_ms) {
        if (!reply.is_error()) return check_role(at_ms);
        refuse("it refused the login: " + safe_text(reply.text, kErrorBytes), at_ms);
    });
}

void RedisConnection::check_role(std::uint64_t now_ms) {
    if (!login_.must_be_master) return become_ready(now_ms);
    ask({"ROLE"}, now_ms, [this](const RedisReply& reply, std::uint64_t at_ms) {
        if (!reply.items.empty() && reply.items.front().text == "master")
            return become_ready(at_ms);
        refuse(reply.is_error() ? "it does not say its role: " + safe_text(reply.text, kErrorBytes)
                                : "it is a replica, which cannot be written",
               at_ms);
    });
}

void RedisConnection::become_ready(std::uint64_t now_ms) {
    state_ = State::ready;
    if (events_.ready) events_.ready(now_ms);
    send_now();
}

bool RedisConnection::command(const std::vector<std::string_view>& words, std::uint64_t now_ms,
                              Done done) {
    if (state_ != State::ready || waiting_.size() >= kMaxUnanswered) return false;
    out_ += redis_command(words);
    waiting_.push_back({std::move(done), now_ms});
    return true;
}

void RedisConnection::send_now() {
    if (out_.empty()) return;
    link_.send(out_);
    out_.clear();
}

void RedisConnection::subscribe(const std::vector<std::string>& channels, std::uint64_t now_ms,
                                std::function<void(std::uint64_t now_ms)> done) {
    if (state_ != State::ready) return;
    std::vector<std::string_view> words{"SUBSCRIBE"};
    words.insert(words.end(), channels.begin(), channels.end());
    out_ += redis_command(words);
    to_subscribe_ = channels.size();
    asked_ms_ = now_ms;
    subscribed_ = std::move(done);
    send_now();
}

void RedisConnection::received(std::string_view bytes, std::uint64_t now_ms) {
    last_seen_ms_ = now_ms;
    replies_.feed(bytes);
    for (;;) {
        const auto reply = replies_.take();
        if (!reply) return restart(reply.error().text, now_ms);
        if (!*reply) break;
        if (is_subscriber_ && state_ == State::ready)
            take_pushed(**reply, now_ms);
        else
            take(**reply, now_ms);
        if (state_ != State::ready && state_ != State::logging_in) return;
    }
    send_now();
}

void RedisConnection::take(const RedisReply& reply, std::uint64_t now_ms) {
    if (waiting_.empty()) return restart("it sent a reply that nothing asked for", now_ms);
    const Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    if (first.done) first.done(reply, now_ms);
}

// ["message", channel, payload], ["subscribe", channel, number], ["pong", ""].
void RedisConnection::take_pushed(const RedisReply& reply, std::uint64_t now_ms) {
    if (reply.is_error())
        return restart("it refused: " + safe_text(reply.text, kErrorBytes), now_ms);
    asked_ms_ = 0;
    if (reply.items.size() != 3) return;
    const std::string& what = reply.items[0].text;
    if (what == "message") {
        events_.message(reply.items[1].text, reply.items[2].text, now_ms);
    } else if (what == "subscribe" && to_subscribe_ > 0 && --to_subscribe_ == 0 && subscribed_) {
        std::exchange(subscribed_, nullptr)(now_ms);
    }
}

void RedisConnection::closed(std::string_view why, std::uint64_t now_ms) {
    if (state_ == State::off) return;
    lose(std::string(why), now_ms);
}

void RedisConnection::tick(std::uint64_t now_ms) {
    if (state_ == State::waiting && now_ms >= retry_ms_) {
        state_ = State::connecting;
        link_.connect();
    } else if (state_ == State::ready && is_subscriber_) {
        if (asked_ms_ != 0 && now_ms >= asked_ms_ + patience_ms_)
            return restart("it does not answer", now_ms);
        if (asked_ms_ == 0 && now_ms >= last_seen_ms_ + patience_ms_) {
            asked_ms_ = now_ms;
            link_.send(redis_command({"PING"}));
        }
    } else if (!waiting_.empty() && now_ms >= waiting_.front().sent_ms + patience_ms_) {
        restart("it does not answer", now_ms);
    }
}

std::uint64_t RedisConnection::next_deadline() const {
    switch (state_) {
        case State::off:
        case State::connecting:
            return UINT64_MAX;
        case State::waiting:
            return retry_ms_;
        case State::logging_in:
        case State::ready:
            break;
    }
    if (is_subscriber_ && state_ == State::ready)
        return (asked_ms_ != 0 ? asked_ms_ : last_seen_ms_) + patience_ms_;
    return waiting_.empty() ? UINT64_MAX : waiting_.front().sent_ms + patience_ms_;
}

}  // namespace steer::fleet
