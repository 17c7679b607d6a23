#include "control/sinks/fleet/sentinel.h"

#include <charconv>
#include <utility>

#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

constexpr std::size_t kRefusalBytes = 200;
constexpr std::size_t kLongestHost = 253;

}  // namespace

SentinelQuery::SentinelQuery(routeros::RouterLink& link, std::string master, RedisLogin login)
    : link_(link), master_(std::move(master)), login_(std::move(login)) {}

void SentinelQuery::ask(std::uint64_t now_ms, Done done) {
    done_ = std::move(done);
    until_ms_ = now_ms + kPatienceMs;
    replies_ = RedisReplies();
    has_logged_in_ = is_logging_in_ = false;
    link_.connect();
}

void SentinelQuery::cancel() {
    if (done_ == nullptr) return;
    done_ = nullptr;
    link_.close();
}

void SentinelQuery::connected(std::uint64_t /*now_ms*/) {
    send_question();
}

void SentinelQuery::send_question() {
    link_.send(redis_command({"SENTINEL", "get-master-addr-by-name", master_}));
}

void SentinelQuery::received(std::string_view bytes, std::uint64_t now_ms) {
    replies_.feed(bytes);
    while (done_ != nullptr) {
        const auto reply = replies_.take();
        if (!reply) return end(reply.error(), now_ms);
        if (!*reply) return;
        take(**reply, now_ms);
    }
}

void SentinelQuery::take(const RedisReply& reply, std::uint64_t now_ms) {
    const std::string text = safe_text(reply.text, kRefusalBytes);
    if (is_logging_in_) {
        is_logging_in_ = false;
        if (reply.is_error()) return end(Error{"it refused the login: " + text}, now_ms);
        return send_question();
    }
    if (reply.is_error() && reply.text.starts_with("NOAUTH") && !has_logged_in_ &&
        !login_.password.empty()) {
        has_logged_in_ = is_logging_in_ = true;
        std::vector<std::string_view> words{"AUTH"};
        if (!login_.username.empty()) words.push_back(login_.username);
        words.push_back(login_.password);
        return link_.send(redis_command(words));
    }
    if (reply.is_error()) return end(Error{"it refused: " + text}, now_ms);
    MasterAddress found;
    if (reply.items.size() == 2) {
        const std::string& port = reply.items[1].text;
        std::from_chars(port.data(), port.data() + port.size(), found.port);
        found.host = safe_text(reply.items[0].text, kLongestHost);
    }
    if (found.port == 0 || found.host.empty())
        return end(Error{"it does not know a master " + matchers::quoted(master_)}, now_ms);
    end(std::move(found), now_ms);
}

void SentinelQuery::end(Result<MasterAddress> found, std::uint64_t now_ms) {
    link_.close();
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(found), now_ms);
}

void SentinelQuery::closed(std::string_view why, std::uint64_t now_ms) {
    end(Error{std::string(why)}, now_ms);
}

void SentinelQuery::tick(std::uint64_t now_ms) {
    if (done_ != nullptr && now_ms >= until_ms_) end(Error{"it does not answer"}, now_ms);
}

std::uint64_t SentinelQuery::next_deadline() const {
    return done_ != nullptr ? until_ms_ : UINT64_MAX;
}

}  // namespace steer::fleet
