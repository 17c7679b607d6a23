#include "control/observe/recorder/sums.h"

#include <algorithm>
#include <bit>

#include "control/api/log/mnemonics.h"

namespace steer::recorder {
namespace {

constexpr std::uint16_t kServfail = 2;
constexpr unsigned kMostClass = Sums::kLatencyClasses - 1;

}  // namespace

std::uint32_t latency_class(std::uint32_t duration_us) {
    const auto bits = static_cast<unsigned>(std::bit_width(duration_us));
    return 1U << std::clamp(bits, 1U, kMostClass);
}

bool Sums::is_over(std::int64_t time_us) const {
    return minute_ != 0 && time_us / kMicroseconds >= minute_ + kMinute;
}

void Sums::count(SumKind kind, std::string_view key, const Row& row) {
    Counts& counts = counts_[static_cast<std::size_t>(kind)];
    auto at = counts.find(key);
    if (at == counts.end()) {
        const bool has_room = counts.size() < kMostKeys;
        at = counts.try_emplace(has_room ? std::string(key) : std::string{}).first;
    }
    at->second.queries += row.stands_for;
    at->second.duration_us += std::uint64_t{row.duration_us} * row.stands_for;
}

void Sums::count(SumKind kind, std::uint16_t number, const Row& row) {
    Count& count = numbers_[static_cast<std::uint32_t>(kind) << 16U | number];
    count.queries += row.stands_for;
    count.duration_us += std::uint64_t{row.duration_us} * row.stands_for;
}

void Sums::count_word(SumKind kind, std::string_view word, const Row& row) {
    auto at = std::ranges::find_if(
        words_, [&](const Word& one) { return one.kind == kind && one.word == word; });
    if (at == words_.end()) at = words_.insert(at, {.kind = kind, .word = word, .count = {}});
    at->count.queries += row.stands_for;
    at->count.duration_us += std::uint64_t{row.duration_us} * row.stands_for;
}

void Sums::count_latency(std::string_view upstream, const Row& row) {
    auto at = latencies_.find(upstream);
    if (at == latencies_.end()) {
        const bool has_room = latencies_.size() < kMostUpstreams;
        at = latencies_.try_emplace(has_room ? std::string(upstream) : std::string{}).first;
    }
    const int exponent = std::countr_zero(latency_class(row.duration_us));
    at->second.at(static_cast<std::size_t>(exponent)) += row.stands_for;
}

void Sums::add(const RowBatch& batch, const Row& row) {
    const std::int64_t second = row.time_us / kMicroseconds;
    if (minute_ == 0) minute_ = second - second % kMinute;
    const std::uint64_t n = row.stands_for;
    totals_.queries += n;
    if (row.path == Path::packet_cache || row.path == Path::cache || row.path == Path::stale)
        totals_.cached += n;
    if (row.path == Path::stale) totals_.stale += n;
    if (row.path == Path::forwarded) totals_.forwarded += n;
    if (row.rcode == kServfail) totals_.failed += n;
    if (row.rcode == kNoRcode) totals_.unanswered += n;
    totals_.duration_us += row.duration_us * n;
    const bool is_blocked = row.decision == kBlocked;
    if (is_blocked) totals_.blocked += n;
    const auto texts = batch.texts(row);
    if (!texts.name.empty()) count(SumKind::name, texts.name, row);
    count(SumKind::client, texts.client, row);
    if (!texts.upstream.empty()) {
        count(SumKind::upstream, texts.upstream, row);
        count_latency(texts.upstream, row);
    }
    count_word(SumKind::end, row.end, row);
    count(SumKind::entry, texts.entry, row);
    if (!row.decision.empty()) count_word(SumKind::decision, row.decision, row);
    if (!texts.list.empty()) count(SumKind::list, texts.list, row);
    if (is_blocked) {
        if (!texts.name.empty()) count(SumKind::blocked_name, texts.name, row);
        count(SumKind::blocked_client, texts.client, row);
        if (!texts.list.empty()) count(SumKind::blocked_list, texts.list, row);
    }
    if (row.qtype != 0) count(SumKind::type, row.qtype, row);
    if (row.rcode != kNoRcode) count(SumKind::rcode, row.rcode, row);
    count(SumKind::path, static_cast<std::uint16_t>(row.path), row);
    count(SumKind::transport, static_cast<std::uint16_t>(row.transport), row);
    count(SumKind::latency,
          static_cast<std::uint16_t>(std::countr_zero(latency_class(row.duration_us))), row);
}

std::vector<Sums::Key> Sums::keys() const {
    std::vector<Key> all;
    for (std::size_t kind = 0; kind < counts_.size(); ++kind) {
        std::vector<Key> keys;
        Count others;
        keys.reserve(counts_[kind].size());
        for (const auto& [key, count] : counts_[kind])
            keys.push_back({static_cast<SumKind>(kind), key, count.queries, count.duration_us});
        if (keys.size() > kKept) {
            std::ranges::nth_element(keys, keys.begin() + kKept, std::greater<>{}, &Key::queries);
            for (std::size_t i = kKept; i < keys.size(); ++i) {
                others.queries += keys[i].queries;
                others.duration_us += keys[i].duration_us;
            }
            keys.resize(kKept);
            keys.push_back({static_cast<SumKind>(kind), {}, others.queries, others.duration_us});
        }
        all.insert(all.end(), std::make_move_iterator(keys.begin()),
                   std::make_move_iterator(keys.end()));
    }
    for (const Word& one : words_)
        all.push_back({one.kind, std::string(one.word), one.count.queries, one.count.duration_us});
    for (const auto& [number, count] : numbers_) {
        const auto kind = static_cast<SumKind>(number >> 16U);
        const auto value = static_cast<std::uint16_t>(number);
        std::string key;
        if (kind == SumKind::type) key = ops::type_name(value);
        if (kind == SumKind::rcode) key = ops::rcode_name(value);
        if (kind == SumKind::path) key = kPaths[value];
        if (kind == SumKind::transport) key = kClientTransports.at(value).label;
        if (kind == SumKind::latency) key = std::to_string(1U << value);
        all.push_back({kind, std::move(key), count.queries, count.duration_us});
    }
    return all;
}

std::vector<Sums::Latency> Sums::latencies() const {
    std::vector<Latency> all;
    for (const auto& [upstream, classes] : latencies_) {
        for (unsigned exponent = 0; exponent < kLatencyClasses; ++exponent) {
            if (classes[exponent] != 0)
                all.push_back({upstream, 1U << exponent, classes[exponent]});
        }
    }
    return all;
}

void Sums::clear() {
    minute_ = 0;
    totals_ = {};
    for (Counts& counts : counts_)
        counts.clear();
    numbers_.clear();
    words_.clear();
    latencies_.clear();
}

}  // namespace steer::recorder
