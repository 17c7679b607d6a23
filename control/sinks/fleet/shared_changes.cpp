#include "control/sinks/fleet/shared_changes.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "control/host/process/state_file.h"
#include "matchers/quote.h"

namespace steer::fleet {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMostRefused = 1'000;  // of a kind, with their reasons
constexpr mode_t kFileMode = 0640;           // other users need not know who may not do what
// Of an entry that Redis lacks: any change by a person is newer.
constexpr std::uint64_t kOldest = 1;

}  // namespace

SharedChanges::SharedChanges(boost::asio::io_context& main_io,
                             const std::vector<shared::Entries*>& entries, std::string file,
                             World world)
    : file_(std::move(file)), world_(std::move(world)), aside_(main_io, "fleet changes") {
    kinds_.reserve(entries.size());  // the functions below keep places in it
    for (shared::Entries* const one : entries) {
        Kind& kind = kinds_.emplace_back();
        kind.entries = one;
        one->on_change([this, &kind](const std::string& key) { changed(kind, key); });
        one->on_end([this, &kind](const std::string& key) { ended(kind, key); });
        one->set_clock([this] { return world_.clock_ahead_ms() / 1'000; });
    }
    load();
}

std::vector<std::string> SharedChanges::kinds() const {
    std::vector<std::string> out;
    for (const Kind& kind : kinds_)
        out.emplace_back(kind.entries->kind());
    return out;
}

SharedChanges::Kind* SharedChanges::find(const std::string& kind) {
    const auto at =
        std::ranges::find_if(kinds_, [&](const Kind& one) { return one.entries->kind() == kind; });
    return at == kinds_.end() ? nullptr : &*at;
}

void SharedChanges::set_configured(bool is_configured) {
    if (is_configured_ == is_configured) return;
    is_configured_ = is_configured;
    if (is_configured) return;
    for (Kind& kind : kinds_) {
        kind.unsent.clear();
        kind.stamps.clear();
        kind.refused.clear();
    }
    save();
}

// ---- changes of this box

void SharedChanges::changed(Kind& kind, const std::string& key) {
    if (!is_configured_) return;
    Unsent& unsent = kind.unsent[key];  // what waits for an earlier change still waits
    unsent.at_ms = world_.wall_ms();
    unsent.number = ++number_;
    kind.refused.erase(key);
    if (kind.is_read)
        send(kind, key, unsent, false);
    else
        unsent.is_sent = false;  // read() sends it
    save();
}

// All boxes see that the time is over, and none waits for the others. This only removes the
// entry from Redis, and is older than any change after the entry.
void SharedChanges::ended(const Kind& kind, const std::string& key) {
    if (!is_configured_ || kind.unsent.contains(key)) return;
    const auto stamp = kind.stamps.find(key);
    if (stamp == kind.stamps.end()) return;
    world_.put({.kind = std::string(kind.entries->kind()),
                .key = key,
                .value = {},
                .stamp_ms = stamp->second + 1});
}

void SharedChanges::send(Kind& kind, const std::string& key, Unsent& unsent, bool is_late) {
    if (!std::exchange(unsent.is_sent, true)) ++unanswered_;
    EntryChange change{.kind = std::string(kind.entries->kind()),
                       .key = key,
                       .value = kind.entries->value_of(key),
                       .number = unsent.number};
    if (is_late && unsent.at_ms == 0)
        change.stamp_ms = kOldest;
    else if (is_late)
        change.wall_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unsent.at_ms, 1));
    world_.put(std::move(change));
}

void SharedChanges::send_more() {
    for (Kind& kind : kinds_) {
        if (!kind.is_read) continue;
        for (auto& [key, unsent] : kind.unsent) {
            if (unanswered_ >= kWindow) return;
            if (!unsent.is_sent) send(kind, key, unsent, true);
        }
    }
}

void SharedChanges::stored(const EntryChange& change, const Result<StoredEntry>& result) {
    Kind* const kind = find(change.kind);
    if (kind == nullptr) return;
    const auto at = kind->unsent.find(change.key);
    if (at == kind->unsent.end() || at->second.number != change.number) return;
    if (at->second.is_sent && unanswered_ > 0) --unanswered_;
    const StoredEntry waiting = std::move(at->second.waiting);
    const bool is_kept = at->second.at_ms != 0;
    kind->unsent.erase(at);
    if (is_kept) save();
    if (!result) {
        refuse(*kind, change.key, {{}, "is not on the other boxes: " + result.error().text});
    } else {
        std::uint64_t& stamp = kind->stamps[change.key];
        stamp = std::max(stamp, result->stamp_ms);
    }
    if (waiting.stamp_ms > (result ? result->stamp_ms : 0))
        take(*kind, waiting);
    else if (result && result->value != change.value)
        take(*kind, *result);
    if (unanswered_ < kWindow / 2) send_more();
}

// ---- changes of the others

void SharedChanges::begin_reading() {
    unanswered_ = 0;
    for (Kind& kind : kinds_) {
        kind.is_read = false;
        kind.seen.clear();
        kind.stamps.clear();  // another Redis has other stamps
        for (auto& [key, unsent] : kind.unsent) {
            unsent.is_sent = false;
            unsent.waiting = {};
        }
    }
}

void SharedChanges::arrived(const StoredEntry& entry) {
    Kind* const kind = find(entry.kind);
    if (kind == nullptr) return;
    if (!kind->is_read && kind->seen.size() < shared::kMostEntries) kind->seen.insert(entry.key);
    if (const auto known = kind->stamps.find(entry.key);
        known != kind->stamps.end() && known->second >= entry.stamp_ms)
        return;
    const auto unsent = kind->unsent.find(entry.key);
    if (unsent == kind->unsent.end()) return take(*kind, entry);
    if (unsent->second.waiting.stamp_ms < entry.stamp_ms) unsent->second.waiting = entry;
}

void SharedChanges::take(Kind& kind, const StoredEntry& entry) {
    if (!kind.stamps.contains(entry.key) && kind.stamps.size() >= shared::kMostEntries)
        return refuse(kind, entry.key, {entry, "is not in force here: there are too many"});
    kind.stamps[entry.key] = entry.stamp_ms;
    if (kind.entries->value_of(entry.key) == entry.value) {
        kind.refused.erase(entry.key);
        return;
    }
    const auto done = kind.entries->take({entry.key, entry.value}, entry.box);
    if (!done)
        return refuse(kind, entry.key, {entry, "is not in force here: " + done.error().text});
    kind.refused.erase(entry.key);
    if (!*done) ended(kind, entry.key);
}

void SharedChanges::refuse(Kind& kind, const std::string& key, Refused refused) {
    const auto known = kind.refused.find(key);
    if (known != kind.refused.end() && known->second.reason == refused.reason) {
        known->second = std::move(refused);
        return;
    }
    // Those of people of this box are few.
    if (kind.refused.size() >= kMostRefused && refused.entry.stamp_ms != 0) return;
    std::string line = kind.entries->shown(key);
    if (!refused.entry.box.empty()) line += " of box " + matchers::quoted(refused.entry.box);
    world_.warn(line + " " + refused.reason);
    kind.refused[key] = std::move(refused);
}

void SharedChanges::read(const std::string& name, const Result<void>& done) {
    Kind* const kind = find(name);
    if (kind == nullptr) return;
    kind->unread = done ? std::string() : done.error().text;
    if (!done) return;
    kind->is_read = true;
    for (const shared::Entry& entry : kind->entries->all()) {
        if (kind->seen.contains(entry.key) || kind->unsent.contains(entry.key)) continue;
        kind->unsent[entry.key].number = ++number_;
    }
    kind->seen.clear();
    send_more();
}

void SharedChanges::poll(std::uint64_t now_ms) {
    if (now_ms < tried_ms_ + kAgainMs) return;
    tried_ms_ = now_ms;
    for (Kind& kind : kinds_) {
        std::vector<StoredEntry> again;
        for (const auto& [key, refused] : kind.refused) {
            if (refused.entry.stamp_ms != 0 && !kind.unsent.contains(key))
                again.push_back(refused.entry);
        }
        for (const StoredEntry& entry : again)
            take(kind, entry);
    }
    send_more();
}

// ---- reports

json::array SharedChanges::report() const {
    json::array out;
    for (const Kind& kind : kinds_) {
        out.push_back(json::object{{"kind", kind.entries->kind()},
                                   {"entries", kind.entries->count()},
                                   {"unsent", kind.unsent.size()},
                                   {"refused", kind.refused.size()}});
    }
    return out;
}

std::size_t SharedChanges::unsent() const {
    std::size_t all = 0;
    for (const Kind& kind : kinds_)
        all += kind.unsent.size();
    return all;
}

std::vector<std::string> SharedChanges::problems() const {
    std::vector<std::string> out;
    if (!problem_.empty()) out.push_back(problem_);
    for (const Kind& kind : kinds_) {
        const std::string what = "shared " + std::string(kind.entries->kind());
        if (!kind.unread.empty())
            out.push_back("the " + what + " of the fleet are not followed: " + kind.unread);
        if (kind.refused.empty()) continue;
        out.push_back(std::to_string(kind.refused.size()) + " " + what +
                      " differ between the boxes; the log says which and why, and they are tried "
                      "again");
    }
    return out;
}

// ---- the file

// {KIND: {KEY: ms since 1970}}
void SharedChanges::load() {
    if (file_.empty()) return;
    const auto all =
        load_state(file_, kMaxFileBytes, "changes that were made without Redis are not shared");
    if (!all) return world_.warn(all.error().sentence());
    for (Kind& kind : kinds_) {
        const json::value* const keys = all->if_contains(kind.entries->kind());
        if (keys == nullptr || !keys->is_object()) continue;
        for (const auto& [key, at] : keys->get_object()) {
            if (!at.is_int64() || key.size() > shared::kMostKey ||
                kind.unsent.size() >= shared::kMostEntries)
                continue;
            Unsent& unsent = kind.unsent[std::string(key)];
            unsent.at_ms = at.get_int64();
            unsent.number = ++number_;
        }
    }
}

void SharedChanges::save() {
    if (file_.empty()) return;
    if (is_saving_) {
        has_more_to_save_ = true;
        return;
    }
    is_saving_ = true;
    json::object all;
    for (const Kind& kind : kinds_) {
        json::object keys;
        for (const auto& [key, unsent] : kind.unsent)
            if (unsent.at_ms != 0) keys[key] = unsent.at_ms;
        if (!keys.empty()) all[kind.entries->kind()] = std::move(keys);
    }
    aside_.run(
        [file = file_, text = json::serialize(all) + "\n"] {
            return save_state(file, text, {.setting = "leases", .mode = kFileMode},
                              "changes that Redis does not have yet",
                              "they are not shared after a restart");
        },
        [this](const Result<void>& done) {
            is_saving_ = false;
            problem_ = done ? std::string() : done.error().text;
            if (std::exchange(has_more_to_save_, false)) save();
        });
}

}  // namespace steer::fleet
