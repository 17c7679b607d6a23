#include "control/sinks/fleet/redis_reply.h"

#include <hiredis/hiredis.h>

#include <utility>

namespace steer::fleet {
namespace {

struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

RedisReply copy_of(const redisReply& from) {
    using Kind = RedisReply::Kind;
    RedisReply to;
    switch (from.type) {
        case REDIS_REPLY_STATUS:
        case REDIS_REPLY_ERROR:
        case REDIS_REPLY_STRING:
            to.kind = from.type == REDIS_REPLY_STATUS  ? Kind::status
                      : from.type == REDIS_REPLY_ERROR ? Kind::error
                                                       : Kind::text;
            to.text.assign(from.str, static_cast<std::size_t>(from.len));
            break;
        case REDIS_REPLY_INTEGER:
            to.kind = Kind::number;
            to.number = from.integer;
            break;
        case REDIS_REPLY_ARRAY:
            to.kind = Kind::list;
            for (std::size_t i = 0; i < from.elements; ++i)
                to.items.push_back(copy_of(*from.element[i]));
            break;
        default:
            break;
    }
    return to;
}

}  // namespace

void RedisReplies::Free::operator()(redisReader* reader) const {
    redisReaderFree(reader);
}

RedisReplies::RedisReplies() : reader_(redisReaderCreate()) {}

void RedisReplies::feed(std::string_view bytes) {
    held_ += bytes.size();
    if (reader_) redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
}

Result<std::optional<RedisReply>> RedisReplies::take() {
    if (!reader_) return Error{"no memory for a reply"};
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK)
        return Error{std::string("it does not speak Redis's protocol: ") + reader_->errstr};
    if (found == nullptr) {
        if (held_ > kMaxBytes) return Error{"its reply is larger than 64 MiB"};
        return std::optional<RedisReply>{};
    }
    const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(found));
    held_ = reader_->len - reader_->pos;
    return std::optional(copy_of(*reply));
}

std::string redis_command(const std::vector<std::string_view>& words) {
    std::string out = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto word : words) {
        out += "$" + std::to_string(word.size()) + "\r\n";
        out += word;
        out += "\r\n";
    }
    return out;
}

}  // namespace steer::fleet
