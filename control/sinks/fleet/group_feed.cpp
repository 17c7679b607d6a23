#include "control/sinks/fleet/group_feed.h"

#include <string_view>
#include <utility>

#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

// KEYS: the key. ARGV: hash of the last text, the most bytes.
constexpr std::string_view kRead = R"(
local text = redis.call('GET', KEYS[1])
if not text then return {'none'} end
if #text > tonumber(ARGV[2]) then return {'long', tostring(#text)} end
local hash = redis.sha1hex(text)
if hash == ARGV[1] then return {'same'} end
return {'text', hash, text}
)";

}  // namespace

GroupFeed::GroupFeed(routeros::RouterLink& link, RedisLogin login, std::string key,
                     std::size_t most_bytes, Tell tell)
    : key_(std::move(key)),
      most_bytes_(std::to_string(most_bytes)),
      tell_(std::move(tell)),
      script_(kRead),
      redis_(link, std::move(login), false, kPatienceMs,
             {.ready =
                  [this](std::uint64_t now_ms) {
                      script_.forget();
                      is_waiting_ = false;
                      poll(now_ms);
                  },
              .message = {},
              .lost =
                  [this](const std::string& why, std::uint64_t) {
                      is_waiting_ = false;
                      say_problem("Redis is unreachable: " + safe_text(why));
                  }}) {}

void GroupFeed::poll(std::uint64_t now_ms) {
    if (!redis_.is_ready() || is_waiting_) return;
    is_waiting_ = script_.call(redis_, {key_}, {hash_, most_bytes_}, now_ms,
                               [this](const RedisReply& reply, std::uint64_t) {
                                   is_waiting_ = false;
                                   take(reply);
                               });
    redis_.send_now();
}

void GroupFeed::take(const RedisReply& reply) {
    const std::string key = "the key " + matchers::quoted(key_);
    if (RedisScript::is_lost(reply)) return;  // the next call sends it again
    if (reply.is_error())
        return say_problem("Redis refuses to read " + key + ": " + safe_text(reply.text));
    const auto word = [&reply](std::size_t i) {
        return i < reply.items.size() ? std::string_view(reply.items[i].text) : std::string_view();
    };
    if (word(0) == "same") return say_good(std::nullopt);
    if (word(0) == "none")
        return say_problem("Redis has no " + key.substr(4) + ": let the feed write it");
    if (word(0) == "long")
        return say_problem(key + " has " + safe_text(word(1)) + " bytes: at most " + most_bytes_ +
                           " are read; write prefixes in place of addresses");
    if (word(0) != "text" || reply.items.size() != 3)
        return say_problem("Redis sent another reply than expected for " + key);
    hash_ = word(1);
    say_good(std::string(word(2)));
}

void GroupFeed::say_problem(std::string problem) {
    if (problem == problem_) return;
    problem_ = problem;
    tell_({std::nullopt, std::move(problem)});
}

void GroupFeed::say_good(std::optional<std::string> text) {
    const bool had_problem = !std::exchange(problem_, {}).empty();
    if (text || had_problem) tell_({std::move(text), {}});
}

}  // namespace steer::fleet
