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
#include "control/observe/health/limit_watch.h"
#include "control/parts.h"
#include "control/program/build/limit_rows.h"
#include "control/runtime/streams_part.h"
#include "control/runtime/workers_part.h"
#include "dataplane/limits/limit_table.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t kShownOffenders = 100;
constexpr std::array<std::string_view, 4> kActions{"drop", "truncate", "refuse", "servfail"};

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

class LimitsPart final : public Part {
  public:
    static constexpr std::string_view kName = "limits";
    using Needs = steer::Needs<MainLoop, Events, WorkersPart, StreamsPart>;
    explicit LimitsPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          events_(needs.get<Events>()),
          workers_(needs.get<WorkersPart>()),
          streams_(needs.get<StreamsPart>()) {}

    void serve() override { follow_policy(); }
    void follow(const config::Settings& /*settings*/, build::Built& /*built*/) override {
        follow_policy();
    }
    void poll() override {
        if (policy_ == nullptr) return;
        for (const std::string& sentence : watch_.check(*policy_, main_.now_ms()))
            events_.tell(ops::EventKind::overload, ops::EventLevel::warning, sentence);
    }

    void add_methods(ops::Methods& methods) override {
        methods.add({.name = "limits",
                     .help = "Shows the rows of `limits`, quotas, their counts, and the sources "
                             "above a limit.",
                     .changes = ops::Changes::nothing(),
                     .parameters = {},
                     .run = [this](const ops::Arguments&) -> ops::RpcResult {
                         return value(object{
                             {"rows", rows()}, {"quotas", quotas()}, {"offenders", offenders()}});
                     },
                     .members = "rows quotas offenders",
                     .result = "the rows with their counts, and the sources, the heaviest first"});
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
    }

  private:
    void follow_policy() {
        policy_ = workers_.snapshot().limits;
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
                                 {"action", kActions[static_cast<std::size_t>(row.action)]},
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
};

}  // namespace

Parts::Maker limits_part() {
    return Parts::maker<LimitsPart>();
}

}  // namespace steer
