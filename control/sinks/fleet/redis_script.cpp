#include "control/sinks/fleet/redis_script.h"

#include <openssl/evp.h>
#include <array>
#include <utility>

#include "control/api/log/response_text.h"

namespace steer::fleet {
namespace {

std::string sha1_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
    return ops::hex({digest.data(), size});
}

}  // namespace

RedisScript::RedisScript(std::string_view text) : text_(text), hash_(sha1_of(text)) {}

bool RedisScript::call(RedisConnection& redis, const std::vector<std::string>& keys,
                       const std::vector<std::string>& arguments, std::uint64_t now_ms,
                       RedisConnection::Done done) {
    const std::string count = std::to_string(keys.size());
    std::vector<std::string_view> words;
    if (is_known_)
        words = {"EVALSHA", hash_, count};
    else
        words = {"EVAL", text_, count};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    return redis.command(
        words, now_ms,
        [this, done = std::move(done)](const RedisReply& reply, std::uint64_t at_ms) {
            is_known_ = !is_lost(reply);
            if (done) done(reply, at_ms);
        });
}

}  // namespace steer::fleet
