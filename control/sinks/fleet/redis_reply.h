// A reply of Redis (RESP 2), read by hiredis.
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
    std::string text;         // for status, error, text
    std::int64_t number = 0;  // for number
    std::vector<RedisReply> items;

    [[nodiscard]] bool is_error() const { return kind == Kind::error; }
};

// Parses bytes into replies. After an unreadable or too long reply, take() always returns the
// Error.
class RedisReplies {
  public:
    static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;  // per reply

    RedisReplies();
    // Stores the bytes until a reply is complete.
    void feed(std::string_view bytes);
    // The next complete reply. No value: more bytes are needed.
    Result<std::optional<RedisReply>> take();

  private:
    struct Free {
        void operator()(redisReader* reader) const;
    };
    std::unique_ptr<redisReader, Free> reader_;
    std::size_t held_ = 0;  // bytes since the last complete reply
};

// A command in the format of Redis (RESP 2): an array of strings. Words may contain any bytes.
std::string redis_command(const std::vector<std::string_view>& words);

}  // namespace steer::fleet
