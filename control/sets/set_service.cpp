#include "control/sets/set_service.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace steer::sets {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::uint32_t kFirstBackoffMs = 1'000, kMostBackoffMs = 30'000;
constexpr std::uint64_t kRefusedAgainMs = 30'000;
constexpr std::uint64_t kReadAgainMs = 100;  // of a set that others change
constexpr std::uint64_t kExpireEveryMs = 10'000;
// After so many tries to find those that are refused in a batch, the others wait with them.
constexpr unsigned kMostRefused = 64;
constexpr std::uint32_t kNoTimeout = UINT32_MAX;

}  // namespace

std::size_t SetService::Hash::operator()(const matchers::Prefix& p) const noexcept {
    std::uint64_t h = (p.address.high() * 0x9e3779b97f4a7c15) ^ p.address.low();
    h = (h ^ (h >> 29) ^ p.length) * 0xbf58476d1ce4e5b9;
    return static_cast<std::size_t>(h ^ (h >> 32));
}

matchers::Prefix SetService::Shape::around(const IpAddress& address) const noexcept {
    unsigned length = mask;
    for (const matchers::Prefix& never : never_claim) {
        const bool same_family = (never.length >= 96 && never.address.is_v4()) == address.is_v4();
        if (!same_family) continue;
        unsigned common = 0;  // bits
        for (std::size_t i = 0; i < 16 && common == i * 8; ++i) {
            const auto differing =
                static_cast<std::uint8_t>(never.address.bytes[i] ^ address.bytes[i]);
            common += static_cast<unsigned>(std::countl_zero(differing));
        }
        length = std::max(length, std::min(common + 1, 128U));
    }
    return matchers::Prefix::masked(address, length);
}

SetService::SetService(SetWriter& writer, Sink sink) : writer_(writer), sink_(std::move(sink)) {}

void SetService::configure(const std::vector<SetPlan>& plans) {
    ways_.clear();
    std::map<SetName, std::map<ListId, Shape>> before;
    for (auto& [name, keeper] : keepers_) {
        before[name] = std::exchange(keeper.shapes, {});
        keeper.max_elements = 0;
    }
    for (const SetPlan& plan : plans) {
        Ways& ways = ways_[plan.list];
        for (const SetPlan::Family& family : plan.families) {
            Keeper& keeper = keepers_[family.set];
            keeper.shapes[plan.list] = {family.set.v6 ? family.mask : family.mask + 96,
                                        plan.never_claim};
            keeper.max_elements = std::max<std::size_t>(keeper.max_elements, plan.max_elements);
            (family.set.v6 ? ways.v6 : ways.v4) = &keeper;
        }
    }
    std::erase_if(keepers_, [](const auto& one) { return one.second.shapes.empty(); });
    // If elements have another shape now, hits claim again.
    for (auto& [name, keeper] : keepers_) {
        const auto old = before.find(name);
        if (old == before.end()) continue;
        const bool changed = std::ranges::any_of(keeper.shapes, [&](const auto& one) {
            const auto was = old->second.find(one.first);
            return was != old->second.end() && was->second != one.second;
        });
        if (changed) forget_claims(keeper);
    }
}

void SetService::claim(ListId list, const IpAddress& address, std::uint32_t until_s) {
    const auto at = ways_.find(list);
    if (at == ways_.end()) return;
    Keeper* const keeper = address.is_v4() ? at->second.v4 : at->second.v6;
    if (keeper == nullptr) return;
    const Installed what{list, address, until_s};
    if (keeper->known) {
        take(*keeper, what);
    } else if (keeper->early.size() < keeper->max_elements) {
        keeper->early.push_back(what);
    } else {
        ++keeper->counters.full;
    }
}

void SetService::forget_claims(Keeper& keeper) {
    keeper.claims.clear();
    keeper.owed.clear();
    keeper.refused.clear();
    for (const auto& [list, shape] : keeper.shapes)
        sink_.lost(list);
}

void SetService::take(Keeper& keeper, const Installed& what) {
    const auto shape = keeper.shapes.find(what.list);
    if (shape == keeper.shapes.end()) return;
    const auto element = keeper.ability.prefixes ? shape->second.around(what.address)
                                                 : matchers::Prefix::masked(what.address, 128);
    auto at = keeper.claims.find(element);
    if (at == keeper.claims.end()) {
        if (keeper.claims.size() >= keeper.max_elements) {
            ++keeper.counters.full;
            return;
        }
        at = keeper.claims.emplace(element, Claim{}).first;
    }
    Claim& claim = at->second;
    claim.until_s = std::max(claim.until_s, what.until_s);
    if (claim.written_until_s < claim.until_s) owe(keeper, element, claim);
    if (keeper.ready) keeper.told.push_back({what, element});
}

void SetService::owe(Keeper& keeper, const matchers::Prefix& element, Claim& claim) {
    if (std::exchange(claim.owed, true)) return;
    keeper.owed.push_back(element);
}

void SetService::owe_all(Keeper& keeper) {
    keeper.refused.clear();
    keeper.owed.clear();
    for (auto& [element, claim] : keeper.claims) {
        claim.written_until_s = 0;
        claim.owed = false;
        owe(keeper, element, claim);
    }
}

void SetService::work(std::uint64_t now_ms) {
    for (auto& [name, keeper] : keepers_) {
        if (now_ms >= keeper.expire_ms) expire(keeper, now_ms);
        if (!keeper.ready && now_ms >= keeper.try_ms) read(name, keeper, now_ms);
        if (!keeper.refused.empty() && now_ms >= keeper.refused_ms) {
            for (const auto& element : std::exchange(keeper.refused, {})) {
                if (const auto at = keeper.claims.find(element); at != keeper.claims.end())
                    owe(keeper, element, at->second);
            }
        }
        if (keeper.ready && !keeper.owed.empty()) write(name, keeper, now_ms);
        tell(keeper);
    }
}

std::uint64_t SetService::next_ms() const {
    std::uint64_t next = UINT64_MAX;
    for (const auto& [name, keeper] : keepers_) {
        if (!keeper.ready) next = std::min(next, keeper.try_ms);
        if (keeper.ready && (!keeper.owed.empty() || !keeper.told.empty())) next = 0;
        if (!keeper.refused.empty()) next = std::min(next, keeper.refused_ms);
        if (!keeper.claims.empty()) next = std::min(next, keeper.expire_ms);
    }
    return next;
}

// ---- the set as the kernel has it

void SetService::read(const SetName& name, Keeper& keeper, std::uint64_t now_ms) {
    keeper.read_ms = now_ms;
    const auto ability = writer_.read(name);
    if (!ability) return fail(name, keeper, ability.error().text, now_ms);
    const SetAbility before = std::exchange(keeper.ability, *ability);
    const bool first = !std::exchange(keeper.known, true);
    keeper.ready = true;
    keeper.backoff_ms = 0;
    keeper.trouble.clear();
    if (!first && before.prefixes != ability->prefixes) {
        // What was claimed is another element now: hits claim it again.
        forget_claims(keeper);
    }
    if (before != *ability) keeper.noted = false;
    note_ability(name, keeper);
    for (const Installed& what : std::exchange(keeper.early, {}))
        take(keeper, what);
    if (std::exchange(keeper.emptied, false) && !keeper.claims.empty()) {
        owe_all(keeper);
        ++keeper.counters.restored;
        sink_.log(Level::info, name.text() + " was changed by another program: its " +
                                   std::to_string(keeper.owed.size()) +
                                   " elements are written again");
    } else if (keeper.complained) {
        sink_.log(Level::info, name.text() + " can be filled now: " +
                                   std::to_string(keeper.owed.size()) + " elements wait for it");
    }
    keeper.complained = false;
}

void SetService::note_ability(const SetName& name, Keeper& keeper) {
    if (std::exchange(keeper.noted, true)) return;
    if (!keeper.ability.timeouts) {
        sink_.log(Level::warning, name.text() +
                                      " has no timeouts: its elements stay until an operator "
                                      "removes them (create it with " +
                                      (name.is_ipset() ? "'timeout 0'" : "'flags timeout'") + ")");
    }
    const bool masked = std::any_of(keeper.shapes.begin(), keeper.shapes.end(),
                                    [](const auto& one) { return one.second.mask < 128; });
    if (!keeper.ability.prefixes && masked) {
        sink_.log(Level::info,
                  name.text() +
                      " holds addresses, not prefixes: whole addresses are put into it (for "
                      "prefixes create it with " +
                      (name.is_ipset() ? "type hash:net" : "'flags interval'") + ")");
    }
}

void SetService::fail(const SetName& name, Keeper& keeper, const std::string& why,
                      std::uint64_t now_ms) {
    keeper.ready = false;
    keeper.emptied = keeper.known;
    keeper.told.clear();
    keeper.trouble = why;
    keeper.backoff_ms = std::clamp(keeper.backoff_ms * 2, kFirstBackoffMs, kMostBackoffMs);
    keeper.try_ms = now_ms + keeper.backoff_ms;
    if (std::exchange(keeper.complained, true)) return;
    sink_.log(Level::warning, name.text() + " cannot be filled: " + why +
                                  "; its addresses wait, and it is tried again");
}

void SetService::changed(Keeper& keeper) {
    keeper.emptied = keeper.known;
    keeper.ready = false;
    keeper.told.clear();
    keeper.try_ms = keeper.read_ms == 0 ? 0 : keeper.read_ms + kReadAgainMs;
}

void SetService::changed(const SetName& set) {
    for (auto& [name, keeper] : keepers_) {
        const bool in_table = name.family == set.family && name.table == set.table;
        if (in_table && (set.name.empty() || name.name == set.name)) changed(keeper);
    }
}

void SetService::all_changed(bool ipsets) {
    for (auto& [name, keeper] : keepers_) {
        if (name.is_ipset() == ipsets) changed(keeper);
    }
}

void SetService::look(std::uint64_t now_ms) {
    const auto soon_s = static_cast<std::uint32_t>(now_ms / 1000) + 2;
    for (auto& [name, keeper] : keepers_) {
        if (!name.is_ipset() || !keeper.ready) continue;
        const auto lasting =
            std::find_if(keeper.claims.begin(), keeper.claims.end(),
                         [&](const auto& one) { return one.second.written_until_s > soon_s; });
        if (lasting == keeper.claims.end()) continue;
        const auto there = writer_.has(name, lasting->first);
        if (!there || !*there) changed(keeper);
    }
}

// ---- writing

void SetService::write(const SetName& name, Keeper& keeper, std::uint64_t now_ms) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::vector<matchers::Prefix> all = std::exchange(keeper.owed, {});
    std::erase_if(all, [&](const matchers::Prefix& element) {
        const auto at = keeper.claims.find(element);
        if (at == keeper.claims.end()) return true;
        const bool ended = at->second.until_s <= now_s;
        if (ended) at->second.owed = false;
        return ended;
    });
    for (std::size_t done = 0; done < all.size();) {
        const auto batch = std::span(all).subspan(done, std::min(kBatch, all.size() - done));
        unsigned left = kMostRefused;
        if (!write_some(name, keeper, batch, now_ms, left)) {
            keeper.owed.insert(keeper.owed.end(), batch.begin(), batch.end());
            done += batch.size();
            keeper.owed.insert(keeper.owed.end(), all.begin() + static_cast<std::ptrdiff_t>(done),
                               all.end());
            return;
        }
        done += batch.size();
    }
}

bool SetService::write_some(const SetName& name, Keeper& keeper,
                            std::span<const matchers::Prefix> elements, std::uint64_t now_ms,
                            unsigned& left) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::vector<SetElement> batch;
    batch.reserve(elements.size());
    for (const auto& element : elements) {
        const Claim& claim = keeper.claims.at(element);
        batch.push_back({element, keeper.ability.timeouts ? claim.until_s - now_s : 0});
    }
    const auto added = writer_.add(name, batch);
    if (added) {
        keeper.counters.added += elements.size();
        written(keeper, elements);
        return true;
    }
    if (left == kMostRefused) {  // the set, or one of them?
        if (const auto there = writer_.read(name); !there) {
            keeper.counters.failed += elements.size();
            fail(name, keeper, there.error().text, now_ms);
            return false;
        }
    }
    if (elements.size() == 1 || left == 0) {
        keeper.counters.failed += elements.size();
        if (keeper.trouble != added.error().text) {
            keeper.trouble = added.error().text;
            sink_.log(
                Level::warning,
                name.text() + " refuses " + elements.front().to_string() +
                    (elements.size() > 1 ? " and " + std::to_string(elements.size() - 1) + " others"
                                         : "") +
                    ": " + keeper.trouble + "; tried again every " +
                    std::to_string(kRefusedAgainMs / 1000) + " s");
        }
        for (const auto& element : elements) {
            keeper.claims.at(element).owed = false;
            keeper.refused.push_back(element);
        }
        keeper.refused_ms = now_ms + kRefusedAgainMs;
        if (left > 0) --left;
        return true;
    }
    --left;
    const std::size_t half = elements.size() / 2;
    return write_some(name, keeper, elements.first(half), now_ms, left) &&
           write_some(name, keeper, elements.subspan(half), now_ms, left);
}

void SetService::written(Keeper& keeper, std::span<const matchers::Prefix> elements) {
    for (const auto& element : elements) {
        Claim& claim = keeper.claims.at(element);
        claim.owed = false;
        claim.written_until_s = keeper.ability.timeouts ? claim.until_s : kNoTimeout;
    }
}

void SetService::tell(Keeper& keeper) {
    if (keeper.told.empty()) return;
    std::vector<Installed> done;
    for (const Told& told : std::exchange(keeper.told, {})) {
        const auto at = keeper.claims.find(told.element);
        if (at != keeper.claims.end() && at->second.written_until_s >= told.what.until_s)
            done.push_back(told.what);
    }
    if (!done.empty()) sink_.installed(done);
}

void SetService::expire(Keeper& keeper, std::uint64_t now_ms) {
    keeper.expire_ms = now_ms + kExpireEveryMs;
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::erase_if(keeper.early, [&](const Installed& what) { return what.until_s <= now_s; });
    if (std::erase_if(keeper.claims,
                      [&](const auto& one) { return one.second.until_s <= now_s; }) == 0)
        return;
    for (auto* const queue : {&keeper.owed, &keeper.refused}) {
        std::erase_if(*queue,
                      [&](const auto& element) { return !keeper.claims.contains(element); });
    }
}

std::vector<SetStatus> SetService::status() const {
    std::vector<SetStatus> all;
    all.reserve(keepers_.size());
    for (const auto& [name, keeper] : keepers_) {
        all.push_back({name, keeper.ready, keeper.ability, keeper.trouble,
                       keeper.claims.size() + keeper.early.size(),
                       keeper.owed.size() + keeper.refused.size() + keeper.early.size(),
                       keeper.counters});
    }
    return all;
}

}  // namespace steer::sets
