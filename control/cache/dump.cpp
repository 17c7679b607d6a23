#include "control/cache/dump.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>

#include "dataplane/cache/walk.h"

namespace steer {
namespace {

constexpr unsigned kInsertsATurn = 32;

std::int32_t narrow(std::int64_t seconds) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(seconds, INT32_MIN, INT32_MAX));
}

DumpRecord record_of(const cache::Entry& e, std::uint32_t now_s) {
    DumpRecord r;
    r.age_s = now_s - e.inserted_s;
    r.left_s = narrow(std::int64_t{e.expires_s} - now_s);
    r.usable_s = narrow(std::int64_t{e.usable_until_s} - now_s);
    const std::uint32_t attend_s = e.attend_s.load(std::memory_order_relaxed);
    r.attend_s = attend_s == cache::kNeverAttend ? attend_s : attend_s - e.inserted_s;
    r.ttl_cap_s = e.ttl_cap_s;
    r.answer_bytes = static_cast<std::uint32_t>(e.answer().size());
    r.qtype = e.qtype;
    r.qclass = e.qclass;
    r.flags = e.flags;
    r.name_len = e.qname_len;
    r.ecs_len = e.ecs_len;
    r.list_count = e.list_count;
    return r;
}

// Puts dumped answers into the cache, one after the other.
class Restorer {
  public:
    Restorer(cache::Cache& cache, const cache::KeyHasher& hasher, const DumpScope& scope,
             const DumpContents& contents, Now now, std::uint64_t wall_ms)
        : cache_(cache),
          hasher_(hasher),
          scope_(scope),
          now_(now),
          away_s_(static_cast<std::int64_t>(
              wall_ms > contents.wall_ms ? (wall_ms - contents.wall_ms) / 1000 : 0)) {
        for (const ListName& name : contents.lists) {
            const auto at = std::find(scope.lists.begin(), scope.lists.end(), name);
            ids_.push_back(at == scope.lists.end()
                               ? std::nullopt
                               : std::optional(static_cast<ListId>(at - scope.lists.begin())));
        }
    }

    void put(const DumpedAnswer& dumped) {
        const DumpRecord& r = dumped.record;
        const std::int64_t usable_s = std::int64_t{now_.s()} + r.usable_s - away_s_;
        if (usable_s <= now_.s()) {
            ++expired_;
            return;
        }
        // It may have been born, and its TTL have ended, before this machine was started.
        const std::int64_t expires_s =
            std::clamp<std::int64_t>(std::int64_t{now_.s()} + r.left_s - away_s_, 1, usable_s);
        const auto born_s = static_cast<std::uint32_t>(std::int64_t{now_.s()} - r.age_s - away_s_);

        cache::Insert head{};
        const cache::KeyFacts facts{dumped.name,     r.qtype, r.qclass,
                                    scope_.instance, r.flags, r.ecs_len};
        head.key = hasher_(facts);
        head.life_s = static_cast<std::uint32_t>(expires_s) - born_s;
        head.stale_s = static_cast<std::uint32_t>(usable_s - expires_s);
        const std::int64_t attend_s = std::int64_t{now_.s()} - r.age_s - away_s_ + r.attend_s;
        head.attend_after_s =
            r.attend_s == cache::kNeverAttend
                ? cache::kNeverAttend
                : static_cast<std::uint32_t>(std::max<std::int64_t>(attend_s, 1)) - born_s;
        head.qtype = r.qtype;
        head.qclass = r.qclass;
        head.instance = scope_.instance;
        head.flags = r.flags;
        head.qname_len = r.name_len;
        head.ecs_len = r.ecs_len;
        head.ttl_cap_s = r.ttl_cap_s;
        for (const std::uint16_t list : dumped.lists) {
            if (ids_[list] && head.list_count < cache::kEntryLists)
                head.lists[head.list_count++] = *ids_[list];
        }
        write(head, dumped);
        cache_.insert(message_, born_s, now_, counters_);
        if (++put_ % kInsertsATurn == 0) cache_.turn(now_, counters_);
    }
    [[nodiscard]] std::uint64_t expired() const { return expired_; }

  private:
    void write(const cache::Insert& head, const DumpedAnswer& dumped) {
        const std::size_t name_room = (dumped.name.size() + 7) & ~std::size_t{7};
        message_.assign(sizeof head + name_room + dumped.answer.size(), 0);
        std::memcpy(message_.data(), &head, sizeof head);
        std::memcpy(message_.data() + sizeof head, dumped.name.data(), dumped.name.size());
        std::memcpy(message_.data() + sizeof head + name_room, dumped.answer.data(),
                    dumped.answer.size());
    }

    cache::Cache& cache_;
    const cache::KeyHasher& hasher_;
    const DumpScope& scope_;
    const Now now_;
    const std::int64_t away_s_;  // since the dump was begun
    std::vector<std::optional<ListId>> ids_;
    std::vector<std::uint8_t> message_;
    std::uint64_t put_ = 0, expired_ = 0;
    Counters counters_;
};

}  // namespace

Result<std::uint64_t> dump_instance(const cache::Cache& cache, unsigned reader,
                                    const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                    const std::string& path) {
    auto writer = DumpWriter::create(path, {scope.tag, wall_ms, scope.lists});
    if (!writer) return writer.error();
    cache::Walk walk(cache, reader);
    for (auto page = walk.next(); !page.empty(); page = walk.next()) {
        for (const auto& [_, entry] : page) {
            if (entry->instance != scope.instance || entry->usable_until_s <= now.s()) continue;
            const DumpRecord record = record_of(*entry, now.s());
            (*writer)->add(
                {record,
                 {entry->lists.data(), entry->list_count},
                 entry->qname(),
                 {reinterpret_cast<const std::uint8_t*>(&entry->answer()), record.answer_bytes}});
        }
        walk.let_go();
        (*writer)->write_out();
    }
    return (*writer)->finish();
}

Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path) {
    auto reader = DumpReader::open(path, scope.tag, wall_ms);
    if (!reader) return reader.error();
    const auto before = cache.instance_stats(scope.instance).entries;
    Restorer restorer(cache, hasher, scope, (*reader)->contents(), now, wall_ms);
    auto done = (*reader)->each([&](const DumpedAnswer& answer) { restorer.put(answer); });
    if (!done) return done.error();
    return Restored{cache.instance_stats(scope.instance).entries - before, restorer.expired()};
}

}  // namespace steer
