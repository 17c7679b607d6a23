// A Redis server on the simulated clock: the commands that control/sinks/fleet sends, and their
// cost to the server.
//
// The server has one thread, as Redis has: a command waits for all earlier ones. `pops` PoPs like
// this one use the same server, and the time that the others use slows down this PoP's commands. An
// unknown command ends the program, so the model cannot silently lag behind the product.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/sinks/fleet/redis_reply.h"

namespace steer::fleet_sim {

struct RedisCall {
    std::uint64_t calls = 0;
    double cpu_us = 0;
};

struct RedisLoad {
    std::map<std::string, RedisCall, std::less<>> calls;  // by command, lower case
    std::map<std::string, std::uint64_t, std::less<>>
        in_scripts;  // calls of the script, which Redis counts as well
    std::uint64_t bytes_in = 0, bytes_out = 0;
    double cpu_us = 0;
    std::uint64_t messages = 0;   // PUBLISH
    std::uint64_t delivered = 0;  // messages to subscribers
};

class RedisModel {
  public:
    using ClientId = std::size_t;
    // Sends bytes to a client.
    using Deliver = std::function<void(ClientId client, std::string_view bytes)>;

    RedisModel(unsigned pops, Deliver deliver);

    ClientId open();
    void close(ClientId client);
    // Handles bytes that arrive at the server.
    void receive(ClientId client, std::string_view bytes, std::int64_t now_us);
    // The time when the server sends its next bytes; INT64_MAX: none are waiting.
    [[nodiscard]] std::int64_t next_us() const {
        return replies_.empty() ? INT64_MAX : replies_.begin()->first;
    }
    void advance(std::int64_t now_us);

    [[nodiscard]] const RedisLoad& load() const { return load_; }
    // The memory of keys and values, as Redis allocates them.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t members() const;

  private:
    struct Client {
        fleet::RedisReplies parser;
        bool is_open = true;
        unsigned subscriptions = 0;
    };
    struct Value {
        std::string text;
        std::int64_t expires_us = INT64_MAX;
    };
    struct SortedSet {
        boost::unordered_flat_map<std::string, double> scores;
        std::set<std::pair<double, std::string>> order;
    };
    using Words = std::vector<fleet::RedisReply>;

    void execute(ClientId client, const Words& words, std::int64_t now_us);
    std::string answer(ClientId client, std::string_view name, const Words& words,
                       std::int64_t now_us);
    std::string elect(const Words& words, std::int64_t now_us);
    std::string publish(const Words& words, std::int64_t now_us);
    std::string add_members(const Words& words);
    std::string members_from(const Words& words);
    std::string remove_until(const Words& words);
    std::string subscribe(ClientId client, const Words& words);
    const Value* find(std::string_view key, std::int64_t now_us);
    void set(const std::string& key, std::string text, std::int64_t expires_us);
    void erase(std::string_view key);
    void send(ClientId client, std::string bytes, std::int64_t at_us);
    void take_time(double cpu_us, std::int64_t now_us);

    const unsigned pops_;
    Deliver deliver_;
    std::vector<Client> clients_;
    boost::unordered_flat_map<std::string, Value> values_;
    std::map<std::string, SortedSet, std::less<>> sets_;
    std::map<std::string, std::vector<ClientId>, std::less<>> channels_;
    std::multimap<std::int64_t, std::pair<ClientId, std::string>> replies_;
    double free_us_ = 0;    // when the server's thread has finished all received commands
    double slowness_ = 1;   // caused by the other PoPs
    double second_us_ = 0;  // CPU time in the present second
    std::int64_t second_ = 0;
    std::size_t bytes_ = 0;
    std::size_t touched_ = 0;  // by the present command: members read or written, or receivers
    RedisLoad load_;
};

}  // namespace steer::fleet_sim
