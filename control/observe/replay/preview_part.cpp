// `blocking.preview`: what a rule would have changed, before it is added. As a part of the daemon.
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/rpc/methods.h"
#include "control/observe/recorder/recorder_part.h"
#include "control/observe/replay/rule_preview.h"
#include "control/parts.h"
#include "control/sources/blocking/blocking_part.h"
#include "control/sources/clients/clients_part.h"

namespace steer {
namespace {

using blocking::BlockingService;
using boost::json::object;
using boost::json::value;
using ops::ParamType;

constexpr std::uint64_t kUsualBack = 86'400, kFarthest = 31 * kUsualBack;

// The recorded queries that the name of the rule covers.
recorder::HistoryFilter filter_of(const blocking::Rule& rule, std::int64_t seconds) {
    const std::int64_t to = std::chrono::duration_cast<std::chrono::microseconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
    recorder::HistoryFilter filter;
    if (rule.name != ".") (rule.is_exact ? filter.name : filter.suffix) = rule.name;
    filter.time = {to - seconds * recorder::kMicroseconds, to + 1};
    return filter;
}

replay::PreviewedRule previewed(BlockingService::Trial trial,
                                std::shared_ptr<const LeaseDevices> devices) {
    replay::PreviewedRule out{.number = trial.rule.number,
                              .allows = trial.rule.allows,
                              .rules = std::move(trial.rules),
                              .devices = std::move(devices),
                              .now_s = trial.now_s,
                              .legal = {}};
    for (const BlockingService::Lists& plugin : trial.lists) {
        for (const std::string& list : plugin.legal)
            out.legal.emplace_back(plugin.plugin, list);
    }
    return out;
}

class PreviewPart final : public Part {
  public:
    static constexpr std::string_view kName = "preview";
    using Needs = steer::Needs<BlockingPart, ClientsPart, RecorderPart>;
    explicit PreviewPart(const Needs& needs)
        : blocking_(needs.get<BlockingPart>()),
          clients_(needs.get<ClientsPart>()),
          recorder_(needs.get<RecorderPart>()) {}

    void add_methods(ops::Methods& methods) override {
        methods.add(
            {.name = "blocking.preview",
             .help = "Shows which recorded queries a rule of `blocking.set` would have changed.",
             .changes = ops::Changes::nothing(),
             .piece = ops::Piece::report(),
             .role = AccessRole::operate,
             .parameters =
                 {{"name", ParamType::domain_name, "the name", true},
                  {"allow", ParamType::flag, "allow it; without it, block it"},
                  {"exact", ParamType::flag, "only the name, not the names below it"},
                  {"clients", ParamType::text,
                   "for an address, a prefix, a MAC address, or the name of a device or a group; "
                   "without it, for everyone"},
                  {"group", ParamType::text, "for a group of devices"},
                  {"plugin", ParamType::text,
                   "the tag of a query_recorder; without it, the first with a database"},
                  {"seconds", ParamType::number, "how far back (default: one day)", false, 1,
                   kFarthest, "s"}},
             .run = [this](const ops::Arguments& asked,
                           const ops::RpcDone& done) { run(asked, done); },
             .members = "queries would_block? would_allow? clients names from complete masked",
             .result =
                 "queries of the name, and what the rule changes; all since `from` were read"});
    }
    [[nodiscard]] bool has_background_work() const override { return true; }

  private:
    void run(const ops::Arguments& asked, const ops::RpcDone& done) {
        // Each makes the table of all rules.
        if (running_ >= kMostPreviews)
            return done(ops::RpcError{ops::RpcCode::internal_error,
                                      "other previews are running: ask again"});
        auto trial = blocking_.service().trial(asked);
        if (!trial) return done(ops::bad_params(trial.error().text));
        const auto filter =
            filter_of(trial->rule, static_cast<std::int64_t>(asked.number("seconds", kUsualBack)));
        ++running_;
        const auto rule = previewed(*std::move(trial), clients_.devices());
        recorder_.methods().read(
            asked,
            [filter, rule, is_masked = recorder_.methods().masks_clients(asked)](
                const std::string& path) -> Result<value> {
                replay::RulePreview preview(rule);
                const auto visited = recorder::visit_history(
                    path, filter,
                    [&preview](const recorder::SeenQuery& query) { preview.add(query); });
                if (!visited) return visited.error();
                object out = preview.to_json();
                out["from"] = visited->from_us / recorder::kMicroseconds;
                out["complete"] = visited->is_complete;
                out["masked"] = is_masked;
                return value(std::move(out));
            },
            [this, done](const ops::RpcResult& result) {
                --running_;
                done(result);
            });
    }

    static constexpr std::size_t kMostPreviews = 4;

    std::size_t running_ = 0;
    BlockingPart& blocking_;
    ClientsPart& clients_;
    RecorderPart& recorder_;
};

}  // namespace

Parts::Maker preview_part() {
    return Parts::maker<PreviewPart>();
}

}  // namespace steer
