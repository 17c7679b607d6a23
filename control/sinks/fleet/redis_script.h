// A Lua script for Redis: sent as text until Redis has it, then named by its hash.
//
// One per connection. No clock. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/sinks/fleet/redis_connection.h"

namespace steer::fleet {

class RedisScript {
  public:
    // `text` must outlive it.
    explicit RedisScript(std::string_view text);

    // The next call sends the text, because another connection may lead to another Redis.
    void forget() { is_known_ = false; }
    // The connection's next send_now() sends it. Returns false as RedisConnection::command(). If
    // Redis lost the script (SCRIPT FLUSH, eviction), `done` gets that error, and the next call
    // sends the text again.
    bool call(RedisConnection& redis, const std::vector<std::string>& keys,
              const std::vector<std::string>& arguments, std::uint64_t now_ms,
              RedisConnection::Done done = {});

    static bool is_lost(const RedisReply& reply) {
        return reply.is_error() && reply.text.starts_with("NOSCRIPT");
    }

  private:
    const std::string_view text_;
    const std::string hash_;  // SHA-1 in hexadecimal, for EVALSHA
    bool is_known_ = false;
};

}  // namespace steer::fleet
