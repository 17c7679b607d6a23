// Limits: the shares of offenders among threads, their log, `steerctl limits` and metrics.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/events.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/ban_list.h"
#include "control/observe/health/limit_watch.h"
#include "control/parts.h"
#include "control/program/build/limit_rows.h"
#include "control/runtime/ports/ports_part.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "dataplane/limits/limit_table.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t kShownOffenders = 100;

// All counters with this label. A moved query counts where it ended.
std::uint64_t counted(const Counters& counters, std::string_view label) {
    std::uint64_t sum = 0;
    const auto add = [&](const auto& table) {
        for (const auto& row : table) {
            if (row.label == label) sum += counters.get(row.which);
        }
    };
    add(kVerdicts);
    add(kMovedEnds);
    add(kInjectedEnds);
    add(kPendingOutcomes);
    add(kStats);
    return sum;
}
std::uint64_t counted(const StreamCounters& counters, std::string_view label) {
    for (const auto& row : kStreamCounts) {
        if (row.label == label) return counters.get(row.which);
    }
    return 0;
}

class PortBans final : public BanFilter {
  public:
    explicit PortBans(PortsPart& ports) : ports_(ports) {}
    [[nodiscard]] bool is_available() const override { return ports_.set().has_xdp(); }
    Result<void> set(std::span<const XdpBan> bans, std::span<const XdpPrefix> exempt) override {
        return ports_.set().set_bans(bans, exempt);
    }
    void renew(std::uint32_t place, std::chrono::milliseconds lifetime) override {
        ports_.set().renew_ban(place, lifetime);
    }
    [[nodiscard]] XdpBanCounts counts(std::uint32_t place) const override {
        return ports_.set().ban_counts(place);
    }

  private:
    PortsPart& ports_;
};

class LimitsPart final : public Part {
  public:
    static constexpr std::string_view kName = "limits";
    using Needs = steer::Needs<MainLoop, Events, PortsPart, WorkersPart, StreamsPart>;
    explicit LimitsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()),
          streams_(needs.get<StreamsPart>()),
          filter_(needs.get<PortsPart>()) {}

    void serve() override { follow_policy(); }
    void follow(const config::Settings& /*settings*/, build::Built& /*built*/) override {
        follow_policy();
    }
    void poll() override {
        const std::uint64_t now_ms = main_.now_ms();
        if (policy_ != nullptr) log(watch_.check(*policy_, now_ms));
        follow_bans(now_ms);
    }

    void add_methods(ops::Methods& methods) override {
        methods.add({.name = "limits",
                     .help = "Shows the rows of `limits`, quotas, their counts, and the sources "
                             "above a limit.",
                     .changes = ops::Changes::nothing(),
                     .piece = ops::Piece::report(),
                     .parameters = {},
                     .run = [this](const ops::Arguments&) -> ops::RpcResult {
                         return value(object{
                             {"rows", rows()}, {"quotas", quotas()}, {"offenders", offenders()}});
                     },
                     .members = "rows quotas offenders",
                     .result = "the rows with their counts, and the sources, the heaviest first"});
        methods.add(
            {.name = "bans",
             .help = "Shows the source prefixes that rows of `limits` with `ban` ban.",
             .changes = ops::Changes::nothing(),
             .piece = ops::Piece::report(),
             .parameters = {},
             .run = [this](const ops::Arguments&) -> ops::RpcResult {
                 return value(object{{"available", bans_.is_available()}, {"bans", bans()}});
             },
             .members = "available bans",
             .result = "the bans; `available`: whether a port has an XDP program"});
        methods.add({.name = "bans.remove",
                     .help = "Ends a ban. The prefix is not banned again for ten minutes.",
                     .changes = ops::Changes::always(),
                     .piece = ops::Piece::small(),
                     .parameters = {{"prefix", ops::ParamType::text,
                                     "the banned prefix, as `bans` shows it", true}},
                     .run = [this](const ops::Arguments& asked) { return remove_ban(asked); },
                     .members = "prefix removed",
                     .result = "the prefix; `removed` is false if it was not banned"});
    }

    void write_metrics(ops::MetricWriter& writer) override {
        if (policy_ == nullptr) return;
        writer.family("steerdns_limit_decisions");
        for (const LimitRow& row : policy_->rows) {
            for (std::size_t i = 0; i < kLimitDecisions.size(); ++i) {
                writer.sample({{"row", row.name}, {"decision", kLimitDecisions[i].label}},
                              sum_of(*policy_, row, static_cast<LimitDecision>(i)));
            }
        }
        writer.family("steerdns_limit_rate");
        for (const LimitRow& row : policy_->rows)
            writer.sample({{"row", row.name}}, row.per_s);
        const std::vector<LimitOffender> all = watch_.offenders(*policy_);
        writer.family("steerdns_limit_offenders");
        for (const LimitRow& row : policy_->rows) {
            const auto count = std::ranges::count(all, &row, &LimitOffender::row);
            writer.sample({{"row", row.name}}, static_cast<std::uint64_t>(count));
        }
        write_ban_metrics(writer);
    }

  private:
    void log(const std::vector<std::string>& sentences) {
        for (const std::string& sentence : sentences)
            events_.tell(ops::EventKind::overload, ops::EventLevel::warning, sentence);
    }

    void follow_bans(std::uint64_t now_ms) {
        std::vector<BanSource> above;
        if (policy_ != nullptr && policy_->bans) {
            read_proofs(now_ms);
            for (const LimitOffender& one : watch_.offenders(*policy_)) {
                if (one.row->ban_ms != 0 && one.source.length != 0 && !one.is_proven)
                    above.push_back({one.row, one.source, one.per_s});
            }
        }
        log(bans_.check(policy_.get(), above, now_ms));
    }
    void read_proofs(std::uint64_t now_ms) {
        if (policy_->tables->banned.empty()) return;
        for (const auto* const threads : {&policy_->tables->workers, &policy_->tables->streams}) {
            for (const auto& thread : *threads) {
                for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
                    OffenderBoard::Offender proof;
                    if (thread->proven.read(slot, proof))
                        bans_.prove(proof.prefix, proof.seen_ms, now_ms);
                }
            }
        }
    }

    ops::RpcResult remove_ban(const ops::Arguments& asked) {
        const auto prefix = matchers::Prefix::parse(asked.text("prefix"));
        if (!prefix) return ops::bad_params(prefix.error().text);
        const bool is_removed = bans_.remove(*prefix, main_.now_ms());
        return value(object{{"prefix", prefix->to_string()}, {"removed", is_removed}});
    }

    [[nodiscard]] array bans() const {
        array out;
        const std::uint64_t now_ms = main_.now_ms();
        for (const auto& [prefix, ban] : bans_.bans()) {
            out.push_back(
                object{{"client", matchers::Prefix{prefix.address, prefix.bits}.to_string()},
                       {"row", ban.row},
                       {"in_force", ban.is_in_force},
                       {"per_s", std::llround(ban.per_s)},
                       {"since_s", (now_ms - ban.since_ms) / 1'000},
                       {"dropped", ban.dropped},
                       {"passed", ban.passed},
                       {"exempt", ban.exempt}});
        }
        return out;
    }

    void write_ban_metrics(ops::MetricWriter& writer) const {
        writer.family("steerdns_bans");
        for (const LimitRow& row : policy_->rows) {
            if (row.ban_ms == 0) continue;
            const auto count = std::ranges::count_if(bans_.bans(), [&](const auto& one) {
                return one.second.row == row.name && one.second.is_in_force;
            });
            writer.sample({{"row", row.name}}, static_cast<std::uint64_t>(count));
        }
        writer.family("steerdns_ban_queries");
        for (const LimitRow& row : policy_->rows) {
            if (row.ban_ms == 0) continue;
            const BanList::Totals totals = bans_.totals(row.name);
            writer.sample({{"row", row.name}, {"decision", "dropped"}}, totals.dropped);
            writer.sample({{"row", row.name}, {"decision", "passed"}}, totals.passed);
        }
    }

    void follow_policy() {
        policy_ = workers_.snapshot().limits;
        bans_.follow_policy();
        streams_.threads().set_limits(policy_);
    }

    [[nodiscard]] array rows() const {
        array out;
        if (policy_ == nullptr) return out;
        for (const LimitRow& row : policy_->rows) {
            object counts;
            for (std::size_t i = 0; i < kLimitDecisions.size(); ++i) {
                counts[kLimitDecisions[i].label] =
                    sum_of(*policy_, row, static_cast<LimitDecision>(i));
            }
            out.push_back(object{{"row", row.name},
                                 {"what", fact_of(row.what).name},
                                 {"limit", build::text_of(row)},
                                 {"action", name_of(row.action)},
                                 {"slip", row.slip},
                                 {"leak", row.leak},
                                 {"dry_run", row.dry_run},
                                 {"counts", std::move(counts)}});
        }
        return out;
    }

    [[nodiscard]] array quotas() const {
        array out;
        for (const LimitFact& fact : kLimitFacts) {
            if (!fact.is_quota) continue;
            object counts;
            std::string_view left = fact.counters;
            while (!left.empty()) {
                const std::string_view label = left.substr(0, left.find(' '));
                left.remove_prefix(std::min(left.size(), label.size() + 1));
                counts[label] = sum_of_all(label);
            }
            out.push_back(object{{"quota", fact.name},
                                 {"key", fact.key},
                                 {"unit", fact.unit},
                                 {"verdict", fact.verdict},
                                 {"setting", fact.setting},
                                 {"counts", std::move(counts)}});
        }
        return out;
    }
    [[nodiscard]] std::uint64_t sum_of_all(std::string_view label) const {
        std::uint64_t sum = 0;
        const DataplaneRuntime& runtime = workers_.runtime();
        for (unsigned w = 0; w < runtime.workers(); ++w)
            sum += counted(runtime.worker(w).counters(), label);
        for (unsigned t = 0; t < streams_.threads().count(); ++t)
            sum += counted(streams_.threads().counters(t), label);
        return sum;
    }

    [[nodiscard]] array offenders() const {
        array out;
        if (policy_ == nullptr) return out;
        for (const LimitOffender& one : watch_.offenders(*policy_)) {
            if (out.size() == kShownOffenders) break;
            out.push_back(object{{"row", one.row->name},
                                 {"client", one.prefix},
                                 {"name", one.name},
                                 {"per_s", std::llround(one.per_s)},
                                 {"refused", one.refused},
                                 {"threads", one.threads}});
        }
        return out;
    }

    MainLoop& main_;
    Events& events_;
    WorkersPart& workers_;
    StreamsPart& streams_;
    std::shared_ptr<const LimitPolicy> policy_;  // nullptr: no row
    LimitWatch watch_;
    PortBans filter_;
    BanList bans_{filter_};
};

}  // namespace

Parts::Maker limits_part() {
    return Parts::maker<LimitsPart>();
}

}  // namespace steer
