// A reply of Redis (RESP 2), as read by hiredis.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

struct redisReader;

namespace steer::fleet {

struct RedisReply {
    enum class Kind : std::uint8_t { nil, status, error, number, text, list };
    Kind kind = Kind::nil;
    std::string text;         // of status, error, text
    std::int64_t number = 0;  // of number
    std::vector<RedisReply> items;

    [[nodiscard]] bool is_error() const { return kind == Kind::error; }
};

// Bytes in, replies out. An unreadable or endless reply ends it: take() then returns the Error for good.
class RedisReplies {
  public:
    static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;  // of one reply

    RedisReplies();
    // Keeps the bytes until a reply is complete.
    void feed(std::string_view bytes);
    // The next complete reply; nothing: more bytes are needed.
    Result<std::optional<RedisReply>> take();

  private:
    struct Free {
        void operator()(redisReader* reader) const;
    };
    std::unique_ptr<redisReader, Free> reader_;
    std::size_t held_ = 0;  // bytes since the last complete reply
};

// A command as Redis reads it (RESP 2): an array of strings. Words may hold any bytes.
std::string redis_command(const std::vector<std::string_view>& words);

}  // namespace steer::fleet
