#include "control/observe/health/limit_watch.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer {
namespace {

std::vector<OffenderBoard*> boards_of(const std::vector<std::unique_ptr<LimitThread>>& threads) {
    std::vector<OffenderBoard*> out;
    out.reserve(threads.size());
    for (const auto& thread : threads)
        out.push_back(&thread->board);
    return out;
}

std::string sentence_of(const LimitOffender& worst, std::uint64_t count, std::uint64_t seconds) {
    const LimitRow& row = *worst.row;
    std::string out = "limit " + matchers::quoted(row.name) + ": ";
    out += worst.prefix.empty() ? "all clients together" : "client " + worst.prefix;
    if (!worst.name.empty()) out += " for " + matchers::quoted(worst.name);
    out += " at " + std::to_string(std::llround(worst.per_s)) + " " +
           std::string(fact_of(row.what).unit) + "; the row was exceeded " + std::to_string(count) +
           " times in " + std::to_string(seconds) + " s";
    out += row.dry_run ? " and let all pass (`dry_run`)" : "";
    return out + "; if the source is legitimate, add it to `except` or raise `rate`";
}

}  // namespace

std::uint64_t sum_of(const LimitPolicy& policy, const LimitRow& row, LimitDecision decision) {
    std::uint64_t sum = 0;
    for (const auto* const threads : {&policy.tables->workers, &policy.tables->streams}) {
        for (const auto& thread : *threads)
            sum += thread->counts[row.id][static_cast<std::size_t>(decision)].get();
    }
    return sum;
}

std::uint64_t sum_of(const LimitPolicy& policy, const LimitRow& row) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kLimitDecisions.size(); ++i)
        sum += sum_of(policy, row, static_cast<LimitDecision>(i));
    return sum;
}

std::vector<LimitOffender> LimitWatch::offenders(const LimitPolicy& policy) const {
    std::vector<LimitOffender> out;
    for (const LimitShares* const shares : {&workers_, &streams_}) {
        for (const LimitShares::Source& source : shares->sources()) {
            const auto row = std::ranges::find(policy.rows, source.offender.row, &LimitRow::id);
            if (row == policy.rows.end() || !source.is_over) continue;
            LimitOffender& one = out.emplace_back();
            one.row = &*row;
            one.source = {source.offender.prefix, source.offender.bits};
            one.is_proven = source.offender.is_proven;
            if (one.source.length != 0) one.prefix = one.source.to_string();
            if (source.offender.name_length > 0) {
                one.name =
                    dns::name_to_text({source.offender.name.data(), source.offender.name_length});
            }
            // A single thread notes only what it refuses.
            const auto& threads =
                shares == &workers_ ? policy.tables->workers : policy.tables->streams;
            one.per_s = source.demand_per_s + (threads.size() == 1 ? row->per_s : 0);
            one.refused = source.offender.refused;
            one.threads = source.threads;
        }
    }
    std::ranges::stable_sort(out, std::greater{}, &LimitOffender::per_s);
    return out;
}

std::vector<std::string> LimitWatch::check(const LimitPolicy& policy, std::uint64_t now_ms) {
    workers_.divide(boards_of(policy.tables->workers), now_ms);
    streams_.divide(boards_of(policy.tables->streams), now_ms);
    std::vector<std::string> out;
    std::vector<LimitOffender> all;
    for (const LimitRow& row : policy.rows) {
        Logged& logged = logged_[row.name];
        const std::uint64_t sum = sum_of(policy, row);
        const bool is_quiet = logged.at_ms != 0 && now_ms - logged.at_ms < kLogEveryMs;
        if (sum == logged.refused || is_quiet) continue;
        if (all.empty()) all = offenders(policy);
        const auto worst = std::ranges::find(all, &row, &LimitOffender::row);
        if (worst == all.end()) continue;
        const std::uint64_t seconds =
            logged.at_ms == 0 ? 1 : std::max<std::uint64_t>((now_ms - logged.at_ms) / 1'000, 1);
        out.push_back(sentence_of(*worst, sum - logged.refused, seconds));
        logged = {now_ms, sum};
    }
    return out;
}

}  // namespace steer
