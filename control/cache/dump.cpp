#include "control/cache/dump.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

#include "dataplane/base/buffer.h"
#include "dataplane/cache/walk.h"
#include "dataplane/dns/walk.h"
#include "dataplane/policy/key_facts.h"

namespace steer {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20;  // for the cache writer, at a time

std::int32_t narrow(std::int64_t seconds) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(seconds, INT32_MIN, INT32_MAX));
}

// The whole seconds, as Now::s() has them.
std::int64_t second_of(std::int64_t ms) {
    return ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
}

DumpRecord record_of(const cache::Entry& e, std::uint32_t now_s) {
    DumpRecord r;
    r.age_s = e.born.age_s(now_s);
    r.left_s = narrow(std::int64_t{e.expires_s} - now_s);
    r.usable_s = narrow(std::int64_t{e.usable_until_s} - now_s);
    const std::uint32_t refresh_check_s = e.refresh_check_s.load(std::memory_order_relaxed);
    r.refresh_check_s = refresh_check_s == cache::kNoRefreshCheck ? refresh_check_s
                                                                  : e.born.age_at(refresh_check_s);
    r.ttl_cap_s = e.ttl_cap_s;
    r.answer_bytes = static_cast<std::uint32_t>(e.answer().size());
    r.qtype = e.qtype;
    r.qclass = e.qclass;
    r.flags = e.flags;
    r.name_len = e.qname_len;
    r.ecs_len = e.ecs_len;
    r.list_count = e.list_count;
    r.hits = e.hits.load(std::memory_order_relaxed);
    r.visited = e.visited.load(std::memory_order_relaxed) != 0;
    return r;
}

// Converts dumped answers to inserts, and passes them to the cache writer in batches.
class Restorer {
  public:
    Restorer(const cache::KeyHasher& hasher, const DumpScope& scope, const DumpContents& contents,
             Now now, std::uint64_t wall_ms, const HandOver& hand_over)
        : hasher_(hasher),
          scope_(scope),
          hand_over_(hand_over),
          now_(now),
          dumped_s_(
              second_of(static_cast<std::int64_t>(now.ms) -
                        static_cast<std::int64_t>(wall_ms - std::min(wall_ms, contents.wall_ms)))) {
        for (const ListName& name : contents.lists) {
            const auto at = std::find(scope.lists.begin(), scope.lists.end(), name);
            ids_.push_back(at == scope.lists.end()
                               ? std::nullopt
                               : std::optional(static_cast<ListId>(at - scope.lists.begin())));
        }
    }

    void put(DumpedAnswer dumped) {
        if (is_ending_ || !make_walkable(dumped)) return;
        rekey(dumped);
        const DumpRecord& r = dumped.record;
        const std::int64_t usable_s = dumped_s_ + r.usable_s;
        if (usable_s <= now_.s()) {
            ++expired_;
            return;
        }
        // The entry can be older than this boot, and its TTL can have ended before it.
        const std::int64_t expires_s = std::clamp<std::int64_t>(dumped_s_ + r.left_s, 1, usable_s);
        const Birth born = Birth::at_s(dumped_s_ - r.age_s);

        cache::Insert head{};
        head.life_s = born.age_at(static_cast<std::uint32_t>(expires_s));
        head.stale_s = static_cast<std::uint32_t>(usable_s - expires_s);
        const std::int64_t refresh_check_s = dumped_s_ - r.age_s + r.refresh_check_s;
        head.refresh_check_after_s = r.refresh_check_s == cache::kNoRefreshCheck
                                         ? cache::kNoRefreshCheck
                                         : born.age_at(static_cast<std::uint32_t>(
                                               std::max<std::int64_t>(refresh_check_s, 1)));
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
        head.hits = r.hits;
        head.visited = r.visited;
        write(head, dumped, born);
        if (places_.size() == cache::Cache::kMaxOrders || batch_.size() >= kBatchBytes) hand_over();
    }
    // The remaining ones. False: not all were accepted.
    bool finish() {
        hand_over();
        return !is_ending_;
    }
    [[nodiscard]] std::uint64_t handed_over() const { return handed_over_; }
    [[nodiscard]] std::uint64_t expired() const { return expired_; }

  private:
    // Earlier versions kept chains as they arrived. False: no stub would find the answer's end (dataplane/dns/walk.h).
    bool make_walkable(DumpedAnswer& dumped) {
        const auto asked =
            dumped.name.first(dumped.name.size() - std::size_t{dumped.record.ecs_len});
        const auto& answer = *reinterpret_cast<const dns::Answer*>(dumped.answer.data());
        const dns::Walk walk = dns::walk_of(answer, asked, dumped.record.qtype);
        if (walk == dns::Walk::whole) return true;
        ordered_.resize(kLargeBuffer);
        const std::size_t size =
            walk == dns::Walk::disordered
                ? dns::write_in_order(answer, asked, dumped.record.qtype, ordered_)
                : 0;
        dumped.answer = std::span(ordered_).first(size);
        return size != 0;
    }

    // Earlier versions kept answers for all subnets under the subnet that had asked: no fresh one would replace them there.
    void rekey(DumpedAnswer& dumped) {
        DumpRecord& r = dumped.record;
        if (r.ecs_len < dns::kAllSubnets.size()) return;
        const auto& answer = *reinterpret_cast<const dns::Answer*>(dumped.answer.data());
        cache::KeyFacts facts{dumped.name, r.qtype, r.qclass, scope_.instance, r.flags, r.ecs_len};
        if (!is_for_all_subnets(answer, facts)) return;
        facts = for_all_subnets(facts, name_);
        dumped.name = facts.qname;
        r.name_len = static_cast<decltype(r.name_len)>(facts.qname.size());
        r.ecs_len = facts.ecs_len;
    }

    struct Place {  // of a message in the batch
        std::size_t at, size;
        Birth born;
    };

    void write(const cache::Insert& head, const DumpedAnswer& dumped, Birth born) {
        const std::size_t name_room = (dumped.name.size() + 7) & ~std::size_t{7};
        const std::size_t at = batch_.size();
        const std::size_t size = sizeof head + name_room + dumped.answer.size();
        batch_.resize(at + ((size + 7) & ~std::size_t{7}));
        std::uint8_t* const to = batch_.data() + at;
        std::memcpy(to, &head, sizeof head);
        std::memcpy(to + sizeof head, dumped.name.data(), dumped.name.size());
        std::uint8_t* const answer = to + sizeof head + name_room;
        std::memcpy(answer, dumped.answer.data(), dumped.answer.size());
        // Earlier versions kept the AA of upstreams.
        std::uint16_t flags;
        std::memcpy(&flags, answer + offsetof(dns::Answer, flags), sizeof flags);
        flags &= static_cast<std::uint16_t>(~dns::kAa);
        std::memcpy(answer + offsetof(dns::Answer, flags), &flags, sizeof flags);
        places_.push_back({at, size, born});
    }

    void hand_over() {
        if (places_.empty() || is_ending_) return;
        facts_.clear();
        offers_.clear();
        for (const Place& place : places_) {
            const std::span<const std::uint8_t> message(batch_.data() + place.at, place.size);
            const auto& head = *reinterpret_cast<const cache::Insert*>(message.data());
            facts_.push_back({message.subspan(sizeof head, head.qname_len), head.qtype, head.qclass,
                              head.instance, head.flags, head.ecs_len});
            offers_.push_back({message, place.born});
        }
        keys_.resize(facts_.size());
        hasher_.bulk(facts_.data(), static_cast<unsigned>(facts_.size()), keys_.data());
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            std::memcpy(batch_.data() + places_[i].at + offsetof(cache::Insert, key), &keys_[i],
                        sizeof(cache::Key));
        }
        is_ending_ = !hand_over_(offers_);
        handed_over_ += offers_.size();
        batch_.clear();
        places_.clear();
    }

    const cache::KeyHasher& hasher_;
    const DumpScope& scope_;
    const HandOver& hand_over_;
    const Now now_;
    const std::int64_t
        dumped_s_;  // when the dump was begun, by the clock of `now_`: may be before its 0
    std::vector<std::optional<ListId>> ids_;
    std::vector<std::uint8_t> batch_, ordered_;
    std::array<std::uint8_t, 256> name_{};  // of the present answer, if its key is another one
    std::vector<Place> places_;
    std::vector<cache::KeyFacts> facts_;
    std::vector<cache::Key> keys_;
    std::vector<cache::Cache::Offer> offers_;
    std::uint64_t handed_over_ = 0, expired_ = 0;
    bool is_ending_ = false;
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

HandOver as_the_cache_writers(cache::Cache& cache, Now now) {
    return [&cache, now](std::span<const cache::Cache::Offer> offers) {
        Counters counters;
        cache.offer(offers);
        while (cache.offers_pending())
            cache.turn(now, counters);
        return true;
    };
}

Result<Restored> restore_instance(cache::Cache& cache, const cache::KeyHasher& hasher,
                                  const DumpScope& scope, Now now, std::uint64_t wall_ms,
                                  const std::string& path, const HandOver& hand_over) {
    auto reader = DumpReader::open(path, scope.tag, wall_ms);
    if (!reader) return reader.error();
    std::uint64_t known = 0;
    const HandOver counted = [&](std::span<const cache::Cache::Offer> offers) {
        const bool done = hand_over(offers);
        if (done) known += cache.offers_known();
        return done;
    };
    Restorer restorer(hasher, scope, (*reader)->contents(), now, wall_ms, counted);
    auto done = (*reader)->each([&](const DumpedAnswer& answer) { restorer.put(answer); });
    if (!restorer.finish()) return Error{"steerdnsd is stopping: the dump is not restored in full"};
    if (!done) return done.error();
    const std::uint64_t put = restorer.handed_over() - known;
    const std::uint64_t room = cache.instance_stats(scope.instance).entries;
    return Restored{std::min(put, room), restorer.expired(), known};
}

}  // namespace steer
