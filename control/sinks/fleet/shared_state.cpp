#include "control/sinks/fleet/shared_state.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "control/api/rpc/shared_entries.h"
#include "matchers/safe_text.h"

namespace steer::fleet {
namespace {

constexpr std::string_view kEntriesPerPage = "500";
constexpr std::size_t kMostPerPage = 2'000;  // HSCAN may return more than it was asked for
constexpr std::uint64_t kClockErrorMs = 1'000;
constexpr std::size_t kMostBox = 255;  // bytes

// KEYS: the hash. ARGV: key, box, value, time (0: now), most entries, channel, kind. Returns what is
// stored then.
constexpr std::string_view kPut = R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = tonumber(ARGV[4])
local before = redis.call('HGET', KEYS[1], ARGV[1])
local old = before and tonumber(string.match(before, '^(%d+) ')) or 0
if old > now then old = now end  -- a stamp of the future is foreign
if at > 0 then
  at = math.min(at, now + 1)  -- an end is 1 ms after its entry
  if old >= at then return before end
else
  at = math.max(now, old + 1)
end
if not before and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then
  return redis.error_reply('FULL')
end
local entry = string.format('%.0f', at) .. ' ' .. ARGV[2] .. ' ' .. ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], entry)
redis.call('PUBLISH', ARGV[6], ARGV[7] .. ' ' .. ARGV[1] .. '\n' .. entry)
return entry)";

// KEYS: the hash. ARGV: cursor, entries, most bytes of a value. HSCAN without values that are longer:
// a reply has a limit, and who wrote one would end the connection.
constexpr std::string_view kReadEntries = R"(
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local found = {}
for i = 1, #page[2], 2 do
  if #page[2][i] + #page[2][i + 1] <= tonumber(ARGV[3]) then
    found[#found + 1] = page[2][i]
    found[#found + 1] = page[2][i + 1]
  end
end
return {page[1], found})";

// KEYS: the hash. ARGV: key, and its value. Removes it if it is still that one.
constexpr std::string_view kForget = R"(
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1]))";

// "STAMP BOX VALUE". The box is empty if it is `own`.
std::optional<StoredEntry> entry_of(std::string kind, std::string_view key, std::string_view stored,
                                    std::string_view own) {
    StoredEntry out{.kind = std::move(kind), .key = std::string(key), .value = {}, .box = {}};
    const auto blank = stored.find(' ');
    if (blank == std::string_view::npos || key.empty() || key.size() > shared::kMostKey)
        return std::nullopt;
    const auto end = std::from_chars(stored.data(), stored.data() + blank, out.stamp_ms);
    if (end.ec != std::errc{} || end.ptr != stored.data() + blank) return std::nullopt;
    stored.remove_prefix(blank + 1);
    const auto next = stored.find(' ');
    if (next == std::string_view::npos || next == 0 || next > kMostBox) return std::nullopt;
    if (stored.substr(0, next) != own) out.box = safe_text(stored.substr(0, next), kMostBox);
    out.value = stored.substr(next + 1);
    if (out.value.size() > shared::kMostValue) return std::nullopt;
    return out;
}

bool can_be_stored(const EntryChange& change) {
    return !change.key.empty() && change.key.size() <= shared::kMostKey &&
           change.key.find('\n') == std::string::npos && change.value.size() <= shared::kMostValue;
}

}  // namespace

SharedState::SharedState(std::string prefix, std::string box, RedisConnection& redis)
    : prefix_(std::move(prefix)),
      box_(std::move(box)),
      redis_(redis),
      put_(kPut),
      read_(kReadEntries),
      forget_(kForget) {}

void SharedState::use(std::vector<std::string> kinds, Events events) {
    kinds_ = std::move(kinds);
    events_ = std::move(events);
}

void SharedState::begin(std::int64_t difference_ms, std::uint64_t now_ms) {
    difference_ms_ = difference_ms;
    put_.forget();
    read_.forget();
    forget_.forget();
    is_connected_ = true;
    begun_ms_ = now_ms;
    pages_.clear();
    for (const std::string& kind : kinds_)
        read_page({kind, "0"}, now_ms);
}

void SharedState::tick(std::uint64_t now_ms) {
    if (!is_connected_ || pages_.empty() || !events_.has_room(kMostPerPage)) return;
    const Page next = pages_.back();
    pages_.pop_back();
    read_page(next, now_ms);
    redis_.send_now();
}

std::uint64_t SharedState::redis_ms(std::uint64_t now_ms) const {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(static_cast<std::int64_t>(now_ms) + difference_ms_, 0));
}

void SharedState::lost() {
    is_connected_ = false;
    pages_.clear();
}

bool SharedState::put(const EntryChange& change, std::int64_t clock_ahead_ms,
                      std::uint64_t now_ms) {
    if (!is_connected_) return false;
    if (!can_be_stored(change)) {
        events_.stored(change, Error{"it is too long"});
        return true;
    }
    std::uint64_t at_ms = change.stamp_ms;
    if (change.wall_ms != 0)
        at_ms = static_cast<std::uint64_t>(
            std::max<std::int64_t>(static_cast<std::int64_t>(change.wall_ms) + clock_ahead_ms, 1));
    return put_.call(
        redis_, {prefix_ + "state:" + change.kind},
        {change.key, box_, change.value, std::to_string(at_ms),
         std::to_string(shared::kMostEntries), channel(), change.kind},
        now_ms, [this, change, clock_ahead_ms](const RedisReply& reply, std::uint64_t later_ms) {
            if (RedisScript::is_lost(reply)) {
                if (!put(change, clock_ahead_ms, later_ms)) return;  // sent after the next read()
                return redis_.send_now();
            }
            if (reply.is_error()) {
                const bool is_full = reply.text.starts_with("FULL");
                return events_.stored(
                    change, Error{is_full ? "there are too many, with those of the last days that "
                                            "were removed"
                                          : "Redis refused it: " + safe_text(reply.text, 200)});
            }
            auto entry = entry_of(change.kind, change.key, reply.text, box_);
            if (!entry) {
                ++bad_;
                return events_.stored(change, Error{"Redis has another form of it"});
            }
            events_.stored(change, *std::move(entry));
        });
}

void SharedState::took_message(std::string_view payload, std::uint64_t now_ms) {
    const auto blank = payload.find(' '), end = payload.find('\n');
    if (blank == std::string_view::npos || end == std::string_view::npos || blank > end) {
        ++bad_;
        return;
    }
    const std::string kind(payload.substr(0, blank));
    auto entry =
        entry_of(kind, payload.substr(blank + 1, end - blank - 1), payload.substr(end + 1), box_);
    if (!entry) {
        ++bad_;
    } else if (std::ranges::find(kinds_, kind) != kinds_.end()) {
        entry->stamp_ms = std::min(entry->stamp_ms, redis_ms(now_ms) + kClockErrorMs);
        events_.arrived(*std::move(entry));
    }
}

void SharedState::read_page(const Page& page, std::uint64_t now_ms) {
    read_.call(redis_, {prefix_ + "state:" + page.kind},
               {page.cursor, std::string(kEntriesPerPage),
                std::to_string(shared::kMostKey + shared::kMostValue + kMostBox)},
               now_ms, [this, page](const RedisReply& reply, std::uint64_t at_ms) {
                   if (!is_connected_) return;
                   if (!RedisScript::is_lost(reply)) return took_page(page, reply, at_ms);
                   read_page(page, at_ms);
                   redis_.send_now();
               });
}

void SharedState::took_page(const Page& page, const RedisReply& reply, std::uint64_t now_ms) {
    if (reply.is_error() || reply.items.size() != 2) {
        ++bad_;
        return events_.read(page.kind,
                            Error{"Redis does not read them: " +
                                  safe_text(reply.is_error() ? reply.text : "another reply", 200)});
    }
    const auto& found = reply.items[1].items;
    const std::uint64_t theirs_ms = redis_ms(now_ms);
    for (std::size_t i = 0; i + 1 < found.size(); i += 2) {
        auto entry = entry_of(page.kind, found[i].text, found[i + 1].text, box_);
        if (!entry) {
            ++bad_;
            continue;
        }
        if (entry->value.empty() && entry->stamp_ms + kRemovedMs < theirs_ms)
            forget(*entry, found[i + 1].text, now_ms);
        entry->stamp_ms = std::min(entry->stamp_ms, theirs_ms + kClockErrorMs);
        events_.arrived(*std::move(entry));
    }
    if (const std::string& next = reply.items[0].text; next == "0")
        events_.read(page.kind, {});
    else if (events_.has_room(kMostPerPage))
        read_page({page.kind, next}, now_ms);
    else
        pages_.push_back({page.kind, next});
    redis_.send_now();
}

void SharedState::forget(const StoredEntry& entry, const std::string& stored,
                         std::uint64_t now_ms) {
    forget_.call(redis_, {prefix_ + "state:" + entry.kind}, {entry.key, stored}, now_ms);
}

}  // namespace steer::fleet
