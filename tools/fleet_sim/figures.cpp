#include "tools/fleet_sim/figures.h"

#include "routeros/router.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <cmath>
#include <ctime>

namespace steer::fleet_sim {
namespace {

namespace json = boost::json;

// As many digits as mean something.
double rounded(double value) {
    if (value == 0 || !std::isfinite(value)) return 0;
    const double unit = std::pow(10, 4 - std::ceil(std::log10(std::abs(value))));
    return std::round(value * unit) / unit;
}

struct Spread {
    double sum = 0, most = 0, least = HUGE_VAL;
    std::size_t count = 0;
    void add(double value) {
        sum += value;
        most = std::max(most, value);
        least = std::min(least, value);
        ++count;
    }
    [[nodiscard]] double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
    [[nodiscard]] json::object text() const {
        return {{"mean", rounded(mean())},
                {"least", rounded(count == 0 ? 0 : least)},
                {"most", rounded(most)}};
    }
};

// The bound below which 99 of 100 rows were written; 0: no rows.
double p99_ms(const routeros::RowDelays& from, const routeros::RowDelays& to) {
    std::uint64_t all = 0, seen = 0;
    for (std::size_t i = 0; i < to.counts.size(); ++i)
        all += to.counts[i] - from.counts[i];
    if (all == 0) return 0;
    for (std::size_t i = 0; i < to.counts.size(); ++i) {
        seen += to.counts[i] - from.counts[i];
        if (static_cast<double>(seen) >= 0.99 * static_cast<double>(all))
            return i < routeros::RowDelays::kBoundsMs.size() ? routeros::RowDelays::kBoundsMs[i]
                                                             : 1e6;
    }
    return 1e6;
}

double p99_of(std::vector<std::uint32_t> values) {
    if (values.empty()) return 0;
    const std::size_t at = values.size() * 99 / 100;
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at),
                     values.end());
    return values[at];
}

json::object settings_json(const Settings& s, const Names& names) {
    return {{"boxes", s.boxes},
            {"routers", s.routers},
            {"pops", s.pops},
            {"clients", s.clients},
            {"full", s.full},
            {"rate", s.rate},
            {"names", s.names},
            {"names_from_file", names.from_file()},
            {"zipf", s.zipf},
            {"listed", s.listed},
            {"listed_names", names.listed()},
            {"listed_share", rounded(names.share())},
            {"warm_s", s.warm_s},
            {"measure_s", s.measure_s},
            {"seed", s.seed},
            {"async", s.async},
            {"max_rows", s.max_rows},
            {"max_ttl_s", s.max_ttl_s},
            {"preset", s.preset}};
}

}  // namespace

Marks marks_of(const Pop& pop) {
    Marks all;
    all.at_us = pop.now_us();
    all.redis = pop.redis().load();
    all.judged = pop.judged();
    all.product_s = pop.product_s();
    const std::chrono::duration<double> clock = std::chrono::steady_clock::now().time_since_epoch();
    all.clock_s = clock.count();
    all.cpu_s = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    for (const auto& box : pop.boxes()) {
        all.boxes.push_back(box->counters());
        all.fleets.push_back(box->fleet().counters());
    }
    for (unsigned r = 0; r < pop.routers(); ++r) {
        Marks::OfRouter one;
        for (const auto& box : pop.boxes()) {
            const routeros::RouterStatus status = box->router(r).status();
            const routeros::RouterCounters& counters = box->router(r).counters();
            for (std::size_t c = 0; c < one.rows.size(); ++c)
                one.rows[c] += status.work[c].rows;
            one.added += counters.rows_added;
            one.extended += counters.rows_extended;
            one.removed += counters.rows_removed;
            one.prints += counters.prints;
            one.refused += counters.claims_refused;
            one.evicted += counters.claims_evicted;
            for (std::size_t i = 0; i < one.delays.counts.size(); ++i)
                one.delays.counts[i] += status.add_delays.counts[i];
        }
        const rossim::Report& report = pop.router(r).report();
        one.sim_adds = report.adds;
        one.sim_sets = report.sets;
        one.sim_removes = report.removes;
        one.cpu_us = report.cpu_us;
        one.cpu_by_class = report.cpu_us_by_class;
        one.bytes_in = report.bytes_in;
        one.bytes_out = report.bytes_out;
        one.sessions = report.sessions_now;
        all.routers.push_back(one);
    }
    return all;
}

void Samples::take(const Pop& pop) {
    row_sums.resize(pop.routers());
    row_peaks.resize(pop.routers());
    claim_peaks.resize(pop.boxes().size());
    pending_end = 0;
    for (std::size_t r = 0; r < pop.routers(); ++r) {
        const std::size_t rows = pop.rows(r);
        row_sums[r] += rows;
        row_peaks[r] = std::max(row_peaks[r], rows);
    }
    for (std::size_t b = 0; b < pop.boxes().size(); ++b) {
        std::size_t claims = 0;
        for (unsigned r = 0; r < pop.routers(); ++r) {
            const routeros::RouterStatus status = pop.boxes()[b]->router(r).status();
            claims += status.claims;
            if (status.role != routeros::Role::writer) continue;
            pending_peak = std::max(pending_peak, status.pending);
            pending_end = std::max(pending_end, status.pending);
        }
        claim_peaks[b] = std::max(claim_peaks[b], claims);
    }
    redis_bytes_peak = std::max(redis_bytes_peak, pop.redis().bytes());
    redis_members_peak = std::max(redis_members_peak, pop.redis().members());
    ++taken;
}

boost::json::object figures(const Settings& settings, const Names& names,
                            const std::vector<Run>& runs, const MemoryCosts& memory) {
    const double seconds =
        static_cast<double>(runs.front().end.at_us - runs.front().begin.at_us) / 1e6;
    Spread rows, row_peaks, writes, held, repair, routine, adds, sets, removes, cpu, bytes_to,
        bytes_from, prints, claims, claim_rate, event_rate, query_rate, sessions;
    std::array<Spread, rossim::kCpuClasses.size()> cpu_by_class;
    std::uint64_t refused = 0, evicted = 0, not_sent = 0, losses = 0, waited = 0, late = 0,
                  failed = 0, leases = 0, missing = 0, short_of = 0, unjudged = 0, superseded = 0;
    std::size_t pending_peak = 0, pending_end = 0;
    double p99_row_ms = 0, product_s = 0;
    std::vector<std::uint32_t> holds;
    RedisLoad redis;  // of one PoP, the mean
    double redis_bytes = 0, redis_members = 0;
    const auto pops = static_cast<double>(runs.size());
    json::object checks;
    bool is_conserved = true;
    for (const Run& run : runs) {
        const auto &a = run.begin, &b = run.end;
        for (std::size_t r = 0; r < b.routers.size(); ++r) {
            const auto &from = a.routers[r], &to = b.routers[r];
            const auto per_s = [seconds](auto x, auto y) {
                return static_cast<double>(y - x) / seconds;
            };
            rows.add(static_cast<double>(run.samples.row_sums[r]) /
                     static_cast<double>(run.samples.taken));
            row_peaks.add(static_cast<double>(run.samples.row_peaks[r]));
            held.add(per_s(from.rows[0], to.rows[0]));
            repair.add(per_s(from.rows[1], to.rows[1]));
            routine.add(per_s(from.rows[2], to.rows[2]));
            adds.add(per_s(from.sim_adds, to.sim_adds));
            sets.add(per_s(from.sim_sets, to.sim_sets));
            removes.add(per_s(from.sim_removes, to.sim_removes));
            writes.add(per_s(from.sim_adds + from.sim_sets + from.sim_removes,
                             to.sim_adds + to.sim_sets + to.sim_removes));
            cpu.add(per_s(from.cpu_us, to.cpu_us) / 1e6);
            for (std::size_t c = 0; c < cpu_by_class.size(); ++c)
                cpu_by_class[c].add(per_s(from.cpu_by_class[c], to.cpu_by_class[c]) / 1e6);
            bytes_to.add(per_s(from.bytes_in, to.bytes_in));
            bytes_from.add(per_s(from.bytes_out, to.bytes_out));
            prints.add(static_cast<double>(to.prints - from.prints));
            sessions.add(static_cast<double>(to.sessions));
            refused += to.refused - from.refused;
            evicted += to.evicted - from.evicted;
            p99_row_ms = std::max(p99_row_ms, p99_ms(from.delays, to.delays));
        }
        for (std::size_t i = 0; i < b.boxes.size(); ++i) {
            const auto &from = a.boxes[i], &to = b.boxes[i];
            const auto per_s = [seconds](std::uint64_t x, std::uint64_t y) {
                return static_cast<double>(y - x) / seconds;
            };
            claims.add(static_cast<double>(run.samples.claim_peaks[i]));
            query_rate.add(per_s(from.queries, to.queries));
            event_rate.add(per_s(from.events, to.events));
            claim_rate.add(per_s(a.fleets[i].claims_sent, b.fleets[i].claims_sent));
            not_sent += b.fleets[i].claims_not_sent - a.fleets[i].claims_not_sent;
            losses += b.fleets[i].losses - a.fleets[i].losses;
            waited += to.held - from.held;
            late += to.held_late - from.held_late;
            failed += to.held_failed - from.held_failed;
            // Of all answers of the whole run, those that wait still are missing on the right.
            const std::uint64_t ended = to.covered + to.raised + to.not_taken + to.held_installed +
                                        to.held_late + to.held_failed;
            is_conserved = is_conserved && ended <= to.queries && to.queries - ended <= 1'000 &&
                           to.held >= to.held_installed + to.held_late + to.held_failed;
            const auto& all = run.pop->boxes()[i]->hold_ms();
            holds.insert(holds.end(), all.begin(), all.end());
            for (unsigned r = 0; r < run.pop->routers(); ++r)
                superseded += run.pop->boxes()[i]->router(r).counters().superseded;
        }
        for (const auto& [name, call] : b.redis.calls) {
            const auto before = a.redis.calls.find(name);
            const bool was = before != a.redis.calls.end();
            redis.calls[name].calls += call.calls - (was ? before->second.calls : 0);
            redis.calls[name].cpu_us += call.cpu_us - (was ? before->second.cpu_us : 0);
        }
        for (const auto& [name, calls] : b.redis.in_scripts) {
            const auto before = a.redis.in_scripts.find(name);
            redis.in_scripts[name] +=
                calls - (before == a.redis.in_scripts.end() ? 0 : before->second);
        }
        redis.bytes_in += b.redis.bytes_in - a.redis.bytes_in;
        redis.bytes_out += b.redis.bytes_out - a.redis.bytes_out;
        redis.cpu_us += b.redis.cpu_us - a.redis.cpu_us;
        redis.messages += b.redis.messages - a.redis.messages;
        redis.delivered += b.redis.delivered - a.redis.delivered;
        redis_bytes += static_cast<double>(run.samples.redis_bytes_peak);
        redis_members += static_cast<double>(run.samples.redis_members_peak);
        leases += b.judged.leases;
        missing += b.judged.missing;
        short_of += b.judged.short_of;
        unjudged += b.judged.unjudged;
        pending_peak = std::max(pending_peak, run.samples.pending_peak);
        pending_end = std::max(pending_end, run.samples.pending_end);
        // On a busy machine this process waits for a CPU, in the product's code as elsewhere.
        product_s += (b.product_s - a.product_s) *
                     std::min(1.0, (b.cpu_s - a.cpu_s) / (b.clock_s - a.clock_s));
    }
    const double per_pop = 1 / (pops * seconds);
    json::object commands, in_scripts, cpu_classes;
    double command_rate = 0;
    for (const auto& [name, call] : redis.calls) {
        commands[name] = rounded(static_cast<double>(call.calls) * per_pop);
        command_rate += static_cast<double>(call.calls) * per_pop;
    }
    for (const auto& [name, calls] : redis.in_scripts)
        in_scripts[name] = rounded(static_cast<double>(calls) * per_pop);
    for (const auto c : rossim::kCpuClasses)
        cpu_classes[rossim::cpu_class_name(c)] =
            rounded(cpu_by_class[static_cast<std::size_t>(c)].mean());
    const double all_pops = settings.pops;
    const double redis_cpu = redis.cpu_us * per_pop / 1e6;
    const auto waited_share = [waited](std::uint64_t part) {
        return waited == 0 ? 0 : rounded(static_cast<double>(part) / static_cast<double>(waited));
    };
    json::object of_redis{
        {"commands_per_s", rounded(command_rate)},
        {"by_command_per_s", commands},
        {"in_scripts_per_s", in_scripts},
        {"messages_per_s", rounded(static_cast<double>(redis.messages) * per_pop)},
        {"delivered_per_s", rounded(static_cast<double>(redis.delivered) * per_pop)},
        {"bytes_in_per_s", rounded(static_cast<double>(redis.bytes_in) * per_pop)},
        {"bytes_out_per_s", rounded(static_cast<double>(redis.bytes_out) * per_pop)},
        {"members", rounded(redis_members / pops)},
        {"bytes", rounded(redis_bytes / pops)},
        {"cpu", rounded(redis_cpu)}};
    json::object redis_of_all{
        {"commands_per_s", rounded(command_rate * all_pops)},
        {"bytes_in_per_s", rounded(static_cast<double>(redis.bytes_in) * per_pop * all_pops)},
        {"bytes_out_per_s", rounded(static_cast<double>(redis.bytes_out) * per_pop * all_pops)},
        {"bytes", rounded(redis_bytes / pops * all_pops)},
        {"cpu", rounded(redis_cpu * all_pops)}};
    const double box_bytes =
        claims.most * (memory.claim_bytes + memory.row_bytes + memory.board_bytes);
    checks = {{"leases", leases},
              {"leases_without_row", missing},
              {"leases_longer_than_row", short_of},
              {"leases_unjudged", unjudged},
              {"queries_conserved", is_conserved},
              {"superseded", superseded},
              {"redis_losses", losses}};
    return {{"settings", settings_json(settings, names)},
            {"in_full",
             {{"pops", settings.full},
              {"boxes", settings.full * settings.boxes_of_pop()},
              {"routers", settings.full * settings.routers_of_pop()},
              {"clients", settings.full * settings.clients_of_pop()}}},
            {"router",
             {{"rows", rows.text()},
              {"rows_peak", row_peaks.text()},
              {"writes_per_s", writes.text()},
              {"adds_per_s", rounded(adds.mean())},
              {"sets_per_s", rounded(sets.mean())},
              {"removes_per_s", rounded(removes.mean())},
              {"written_per_s",
               {{"held", rounded(held.mean())},
                {"repair", rounded(repair.mean())},
                {"routine", rounded(routine.mean())}}},
              {"cpu", cpu.text()},
              {"cpu_by_class", cpu_classes},
              {"prints", rounded(prints.mean())},
              {"sessions", rounded(sessions.mean())},
              {"bytes_to_per_s", rounded(bytes_to.mean())},
              {"bytes_from_per_s", rounded(bytes_from.mean())},
              {"add_delay_p99_ms", p99_row_ms},
              {"pending_peak", pending_peak},
              {"pending_end", pending_end},
              {"claims_refused", refused},
              {"claims_evicted", evicted}}},
            {"box",
             {{"queries_of_list_per_s", query_rate.text()},
              {"events_per_s", event_rate.text()},
              {"claims_sent_per_s", claim_rate.text()},
              {"claims_peak", claims.text()},
              {"waited", waited},
              {"late_share", waited_share(late)},
              {"failed_share", waited_share(failed)},
              {"hold_p99_ms", p99_of(std::move(holds))},
              {"claims_not_sent", not_sent}}},
            {"redis_of_a_pop", of_redis},
            {"redis_of_all", redis_of_all},
            {"reboot",
             {{"rows", runs.front().reboot.rows},
              {"repaired_s", rounded(runs.front().reboot.repaired_s)}}},
            {"checks", checks},
            {"machine",
             {{"box_thread", rounded(product_s / seconds / (pops * settings.boxes_of_pop()))},
              {"claim_bytes", std::round(memory.claim_bytes)},
              {"row_bytes", std::round(memory.row_bytes)},
              {"board_bytes", std::round(memory.board_bytes)},
              {"box_bytes", rounded(box_bytes)}}}};
}

}  // namespace steer::fleet_sim
