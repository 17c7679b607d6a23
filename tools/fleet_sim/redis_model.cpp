#include "tools/fleet_sim/redis_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace steer::fleet_sim {
namespace {

constexpr std::int64_t kWallUs = 1'790'000'000'000'000;  // of Redis's clock, at time 0

// CPU time of the server's thread, user and system, as `tools/sim redis` measures it (here Redis 7.0.15, over loopback): a
// packet of commands and the packet of their replies, then each command.
constexpr double kPacketUs = 9.5;
struct Cost {
    std::string_view name;
    double call_us;
    double item_us;  // for each member, receiver or key
};
constexpr std::array kCosts{Cost{"auth", 0.2, 0},
                            Cost{"ping", 0.2, 0},
                            Cost{"time", 0.2, 0},
                            Cost{"get", 0.2, 0},
                            Cost{"setnx", 0.2, 0},
                            Cost{"set", 0.5, 0},
                            Cost{"del", 0.2, 0},
                            Cost{"mget", 0.2, 0.1},
                            Cost{"eval", 4, 0},
                            Cost{"evalsha", 3, 0},
                            Cost{"publish", 0.3, 7},
                            Cost{"zadd", 0.3, 1},
                            Cost{"zrangebyscore", 0.3, 0.2},
                            Cost{"pexpire", 0.2, 0},
                            Cost{"subscribe", 1, 0},
                            Cost{"zremrangebyscore", 0.3, 0.5}};

// Bytes of a member of a large sorted set beside its own (skip list node, dictionary entry and bucket, string head), and
// of a small key: measured as above.
constexpr std::size_t kMemberBytes = 109, kKeyBytes = 120;

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string list_of(std::size_t items) {
    return "*" + std::to_string(items) + "\r\n";
}

std::string number(std::int64_t value) {
    return ":" + std::to_string(value) + "\r\n";
}

std::int64_t integer_in(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

double score_in(std::string_view text) {
    if (text == "-inf") return -HUGE_VAL;
    if (text == "+inf") return HUGE_VAL;
    return static_cast<double>(integer_in(text));
}

std::string score_text(double score) {
    return std::to_string(static_cast<std::int64_t>(score));
}

}  // namespace

RedisModel::RedisModel(unsigned pops, Deliver deliver)
    : pops_(pops), deliver_(std::move(deliver)) {}

RedisModel::ClientId RedisModel::open() {
    clients_.emplace_back();
    return clients_.size() - 1;
}

void RedisModel::close(ClientId client) {
    clients_[client].is_open = false;
    for (auto& [channel, receivers] : channels_)
        std::erase(receivers, client);
}

void RedisModel::receive(ClientId client, std::string_view bytes, std::int64_t now_us) {
    if (!clients_[client].is_open) return;
    load_.bytes_in += bytes.size();
    fleet::RedisReplies& parser = clients_[client].parser;
    parser.feed(bytes);
    take_time(kPacketUs, now_us);
    for (;;) {
        const auto command = parser.take();
        if (!command || !*command) return;
        execute(client, (*command)->items, now_us);
    }
}

void RedisModel::execute(ClientId client, const Words& words, std::int64_t now_us) {
    const std::string name = words.empty() ? std::string{} : lower(words.front().text);
    const auto* const cost = std::ranges::find(kCosts, name, &Cost::name);
    if (cost == kCosts.end()) {
        std::fprintf(stderr,
                     "fleet_sim: the model of Redis has no command '%s', which the product sends; "
                     "add it to redis_model.cpp\n",
                     name.c_str());
        std::exit(1);
    }
    touched_ = 0;
    std::string reply = answer(client, name, words, now_us);
    const double cpu_us = cost->call_us + cost->item_us * static_cast<double>(touched_);
    RedisCall& call = load_.calls[name];
    ++call.calls;
    call.cpu_us += cpu_us;
    take_time(cpu_us, now_us);
    const auto done_us = static_cast<std::int64_t>(free_us_);
    if (name == "publish") {  // its receivers
        const std::string& channel = words[1].text;
        const std::string message =
            list_of(3) + bulk("message") + bulk(channel) + bulk(words[2].text);
        for (const ClientId to : channels_[channel])
            send(to, message, done_us);
    }
    send(client, std::move(reply), done_us);
}

// Occupies the server's thread, which works for the other PoPs as much as for this one, each.
void RedisModel::take_time(double cpu_us, std::int64_t now_us) {
    load_.cpu_us += cpu_us;
    if (now_us / 1'000'000 != second_) {
        // A command waits while others are served; if all want more than there is, each PoP gets its part.
        const double own = second_us_ / 1e6;
        slowness_ = own * pops_ < 1 ? 1 / (1 - own * (pops_ - 1)) : pops_;
        second_ = now_us / 1'000'000;
        second_us_ = 0;
    }
    second_us_ += cpu_us;
    free_us_ = std::max(free_us_, static_cast<double>(now_us)) + cpu_us * slowness_;
}

std::string RedisModel::answer(ClientId client, std::string_view name, const Words& words,
                               std::int64_t now_us) {
    if (name == "auth") return "+OK\r\n";
    if (name == "ping") {
        return clients_[client].subscriptions > 0 ? list_of(2) + bulk("pong") + bulk("")
                                                  : "+PONG\r\n";
    }
    if (name == "time") {
        const std::int64_t wall_us = kWallUs + now_us;
        return list_of(2) + bulk(std::to_string(wall_us / 1'000'000)) +
               bulk(std::to_string(wall_us % 1'000'000));
    }
    if (name == "get") {
        const Value* const value = find(words[1].text, now_us);
        return value == nullptr ? "$-1\r\n" : bulk(value->text);
    }
    if (name == "setnx") {
        if (find(words[1].text, now_us) != nullptr) return number(0);
        set(words[1].text, words[2].text, INT64_MAX);
        return number(1);
    }
    if (name == "set") {
        set(words[1].text, words[2].text,
            words.size() > 4 ? now_us + integer_in(words[4].text) * 1000 : INT64_MAX);
        return "+OK\r\n";
    }
    if (name == "del") {
        erase(words[1].text);
        return number(1);
    }
    if (name == "mget") {
        std::string all = list_of(words.size() - 1);
        for (std::size_t i = 1; i < words.size(); ++i) {
            const Value* const value = find(words[i].text, now_us);
            all += value == nullptr ? "$-1\r\n" : bulk(value->text);
        }
        touched_ = words.size() - 1;
        return all;
    }
    if (name == "eval" || name == "evalsha") return elect(words, now_us);
    if (name == "publish") return publish(words, now_us);
    if (name == "zadd") return add_members(words);
    if (name == "zrangebyscore") return members_from(words);
    if (name == "zremrangebyscore") return remove_until(words);
    if (name == "pexpire") return number(1);  // days; a run is shorter
    return subscribe(client, words);
}

// The only script: control/sinks/fleet/fleet.cpp, kElect.
std::string RedisModel::elect(const Words& words, std::int64_t now_us) {
    const std::string &writer = words[3].text, &token_key = words[4].text, &me = words[5].text;
    const std::int64_t life_us = integer_in(words[6].text) * 1000;
    const std::int64_t seen = integer_in(words[7].text);
    const bool wants = words[8].text == "1";
    ++load_.in_scripts["get"];
    const auto result = [](std::string_view token, std::string_view box) {
        return list_of(2) + bulk(token) + bulk(box);
    };
    if (const Value* const held = find(writer, now_us)) {
        const std::string text = held->text;
        const std::size_t blank = text.find(' ');
        const std::string token = text.substr(0, blank), box = text.substr(blank + 1);
        if (box != me) return result(token, box);
        if (!wants) {
            ++load_.in_scripts["del"];
            erase(writer);
            return result("0", "");
        }
        if (integer_in(token) >= seen) {
            ++load_.in_scripts["pexpire"];
            set(writer, text, now_us + life_us);
            return result(token, box);
        }
    } else if (!wants) {
        return result("0", "");
    }
    ++load_.in_scripts["get"];
    load_.in_scripts["set"] += 2;
    const Value* const last = find(token_key, now_us);
    const std::string token =
        std::to_string(std::max(last == nullptr ? 0 : integer_in(last->text), seen) + 1);
    set(token_key, token, INT64_MAX);
    set(writer, token + " " + me, now_us + life_us);
    return result(token, me);
}

std::string RedisModel::publish(const Words& words, std::int64_t) {
    const auto receivers = channels_.find(words[1].text);
    touched_ = receivers == channels_.end() ? 0 : receivers->second.size();
    ++load_.messages;
    load_.delivered += touched_;
    return number(static_cast<std::int64_t>(touched_));
}

// ZADD KEY [GT] SCORE MEMBER …; a score only grows, without GT too
std::string RedisModel::add_members(const Words& words) {
    SortedSet& set = sets_[words[1].text];
    std::int64_t added = 0;
    for (std::size_t i = words[2].text == "GT" ? 3 : 2; i + 1 < words.size(); i += 2) {
        const double score = score_in(words[i].text);
        const std::string& member = words[i + 1].text;
        ++touched_;
        const auto [at, is_new] = set.scores.try_emplace(member, score);
        if (is_new) {
            ++added;
            bytes_ += member.size() + kMemberBytes;
        } else {
            if (at->second >= score) continue;
            set.order.erase({at->second, member});
            at->second = score;
        }
        set.order.insert({score, member});
    }
    return number(added);
}

// ZRANGEBYSCORE KEY FROM +inf WITHSCORES LIMIT OFFSET COUNT
std::string RedisModel::members_from(const Words& words) {
    const auto found = sets_.find(words[1].text);
    std::vector<std::pair<double, std::string>> all;
    if (found != sets_.end()) {
        auto at = found->second.order.lower_bound({score_in(words[2].text), {}});
        for (std::int64_t skip = integer_in(words[6].text);
             skip > 0 && at != found->second.order.end(); --skip)
            ++at;
        for (std::int64_t left = integer_in(words[7].text);
             left > 0 && at != found->second.order.end(); --left)
            all.push_back(*at++);
    }
    touched_ = all.size();
    std::string text = list_of(2 * all.size());
    for (const auto& [score, member] : all)
        text += bulk(member) + bulk(score_text(score));
    return text;
}

std::string RedisModel::remove_until(const Words& words) {
    const auto found = sets_.find(words[1].text);
    if (found == sets_.end()) return number(0);
    SortedSet& set = found->second;
    const double last = score_in(words[3].text);
    while (!set.order.empty() && set.order.begin()->first <= last) {
        const std::string& member = set.order.begin()->second;
        bytes_ -= member.size() + kMemberBytes;
        set.scores.erase(member);
        set.order.erase(set.order.begin());
        ++touched_;
    }
    return number(static_cast<std::int64_t>(touched_));
}

std::string RedisModel::subscribe(ClientId client, const Words& words) {
    std::string all;
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto& receivers = channels_[words[i].text];
        if (std::ranges::find(receivers, client) == receivers.end()) {
            receivers.push_back(client);
            ++clients_[client].subscriptions;
        }
        ++touched_;
        all += list_of(3) + bulk("subscribe") + bulk(words[i].text) +
               number(clients_[client].subscriptions);
    }
    return all;
}

const RedisModel::Value* RedisModel::find(std::string_view key, std::int64_t now_us) {
    const auto at = values_.find(std::string(key));
    if (at == values_.end()) return nullptr;
    if (at->second.expires_us > now_us) return &at->second;
    erase(key);
    return nullptr;
}

void RedisModel::set(const std::string& key, std::string text, std::int64_t expires_us) {
    erase(key);
    bytes_ += key.size() + text.size() + kKeyBytes;
    values_[key] = {std::move(text), expires_us};
}

void RedisModel::erase(std::string_view key) {
    const auto at = values_.find(std::string(key));
    if (at == values_.end()) return;
    bytes_ -= at->first.size() + at->second.text.size() + kKeyBytes;
    values_.erase(at);
}

void RedisModel::send(ClientId client, std::string bytes, std::int64_t at_us) {
    load_.bytes_out += bytes.size();
    replies_.emplace(at_us, std::pair{client, std::move(bytes)});
}

void RedisModel::advance(std::int64_t now_us) {
    while (!replies_.empty() && replies_.begin()->first <= now_us) {
        const auto [client, bytes] = std::move(replies_.begin()->second);
        replies_.erase(replies_.begin());
        if (clients_[client].is_open) deliver_(client, bytes);
    }
}

std::size_t RedisModel::members() const {
    std::size_t all = 0;
    for (const auto& [key, set] : sets_)
        all += set.scores.size();
    return all;
}

}  // namespace steer::fleet_sim
