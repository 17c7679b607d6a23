#include "control/sinks/fleet/withdrawal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

constexpr std::size_t kWhyBytes = 200;
constexpr std::array<std::string_view, 3> kOfAllBoxes{"upstreams", "lists", "overload"};

bool is_of_all_boxes(const ops::HealthCheck& check) {
    return std::ranges::find(kOfAllBoxes, check.name) != kOfAllBoxes.end();
}

// KEYS: of the addresses. ARGV: box, step ("mark", "leave", "ask"), how long a mark is fresh, how long a member is kept (ms).
// Returns 0, or for "ask" the number of the first key that has other boxes and none that was ready in time: then nothing
// was changed.
constexpr std::string_view kStep = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fresh = now - tonumber(ARGV[3])
if ARGV[2] == 'ask' then
  for i, key in ipairs(KEYS) do
    local own = redis.call('ZSCORE', key, ARGV[1])
    local others = redis.call('ZCARD', key) - (own and 1 or 0)
    local ready = redis.call('ZCOUNT', key, fresh, '+inf')
    if own and tonumber(own) >= fresh then ready = ready - 1 end
    if others > 0 and ready < 1 then return i end
  end
end
local score = ARGV[2] == 'mark' and now or fresh - 1
for _, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - tonumber(ARGV[4]))
  redis.call('ZADD', key, score, ARGV[1])
  redis.call('PEXPIRE', key, ARGV[4])
end
return 0)";

}  // namespace

Fitness fitness_of(const ops::HealthChecks& checks) {
    Fitness fitness = Fitness::ready;
    for (const ops::HealthCheck& check : checks) {
        if (!check.is_good())
            fitness = std::max(fitness, is_of_all_boxes(check) ? Fitness::failing : Fitness::unfit);
    }
    return fitness;
}

void keep_serving(ops::HealthChecks& checks, std::string_view held_for) {
    for (ops::HealthCheck& check : checks) {
        if (check.is_good() || !is_of_all_boxes(check)) continue;
        check.details = "serves on, ";
        check.details.append(held_for.empty() ? "another box is asked for"
                                              : "no other box is ready for ");
        check.details.append(held_for).append(": ").append(check.error);
        check.error.clear();
    }
}

Withdrawal::Withdrawal(std::string prefix, std::string box, RedisConnection& redis)
    : prefix_(std::move(prefix)), box_(std::move(box)), redis_(redis), script_(kStep) {}

void Withdrawal::follow(const std::vector<std::string>& addresses, Fitness fitness) {
    fitness_ = fitness;
    if (addresses == addresses_) return;
    addresses_ = addresses;
    keys_.clear();
    for (const std::string& address : addresses_) {
        if (keys_.size() == kMaxAddresses) break;
        keys_.push_back(prefix_ + "serves:" + address);
    }
    marked_ms_ = 0;
}

void Withdrawal::connected() {
    script_.forget();
    is_requesting_ = is_marked_ = false;
    marked_ms_ = asked_ms_ = 0;
}

void Withdrawal::lost() {
    is_requesting_ = is_marked_ = false;
    is_serving_ = fitness_ == Fitness::ready;
    held_for_.clear();
}

void Withdrawal::tick(std::uint64_t now_ms) {
    switch (fitness_) {
        case Fitness::ready:
            is_serving_ = true;
            held_for_.clear();
            if (!is_marked_ || now_ms >= marked_ms_ + kMarkEveryMs) call(Step::mark, now_ms);
            break;
        case Fitness::failing:
            if (!is_serving_ || is_requesting_ ||
                (asked_ms_ != 0 && now_ms < asked_ms_ + kAskEveryMs))
                break;
            call(Step::ask, now_ms);
            break;
        case Fitness::unfit:
            stop(now_ms);
            break;
    }
}

void Withdrawal::stop(std::uint64_t now_ms) {
    is_serving_ = false;
    held_for_.clear();
    if (is_marked_) call(Step::leave, now_ms);
}

void Withdrawal::call(Step step, std::uint64_t now_ms) {
    if (keys_.empty()) {
        if (step == Step::ask) is_serving_ = false;
        return;
    }
    const std::string_view name = step == Step::mark ? "mark" : step == Step::ask ? "ask" : "leave";
    const bool is_sent = script_.call(
        redis_, keys_, {box_, std::string(name), std::to_string(kFreshMs), std::to_string(kKeptMs)},
        now_ms, [this, step](const RedisReply& reply, std::uint64_t at_ms) {
            if (RedisScript::is_lost(reply)) return undo(step);
            if (reply.is_error())
                return redis_.restart(
                    "service addresses cannot be shared: " + safe_text(reply.text, kWhyBytes),
                    at_ms);
            if (step == Step::ask) take_answer(reply);
        });
    if (!is_sent) return;
    is_marked_ = step == Step::mark || (is_marked_ && step == Step::ask);
    if (step == Step::mark) marked_ms_ = now_ms;
    if (step == Step::ask) {
        is_requesting_ = true;
        asked_ms_ = now_ms;
    }
}

// The step was not made: the next tick repeats it.
void Withdrawal::undo(Step step) {
    if (step == Step::ask) is_requesting_ = false;
    is_marked_ = step != Step::mark;
}

void Withdrawal::take_answer(const RedisReply& reply) {
    is_requesting_ = false;
    const bool is_held = reply.number > 0;
    is_marked_ = is_marked_ && is_held;
    if (fitness_ != Fitness::failing) return;  // it recovered: the next tick marks it
    is_serving_ = is_held;
    const auto number = static_cast<std::size_t>(reply.number);
    held_for_ = is_held && number <= addresses_.size() ? addresses_[number - 1] : "";
}

}  // namespace steer::fleet
