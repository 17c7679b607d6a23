// What the part tells: methods of the API, status, metrics, problems.
#include <chrono>
#include <memory>
#include <optional>

#include "control/api/metrics/metrics.h"
#include "control/program/engine/engine_call.h"
#include "control/program/engine/engine_files.h"
#include "control/runtime/recursion_part.h"
#include "matchers/text.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using recursion::Instance;

constexpr std::uint64_t kRootPatienceMs = 60'000;

}  // namespace

void RecursionPart::to_all(const std::string& command, const ops::RpcDone& done) {
    struct Asked {
        std::size_t left = 0, did = 0, failed = 0;
        ops::RpcDone done;
    };
    auto asked = std::make_shared<Asked>();
    asked->done = done;
    asked->left = instances_.size();
    if (instances_.empty())
        return done(boost::json::value(object{{"instances", 0}, {"failed", 0}}));
    for (const auto& [key, kept] : instances_) {
        recursion::call_engine(
            main_.io(), kept.instance->control_socket(), command, recursion::kCallPatience,
            [asked](const std::optional<std::string>& answer) {
                ++(answer && recursion::is_done(*answer) ? asked->did : asked->failed);
                if (--asked->left > 0) return;
                asked->done(boost::json::value(
                    object{{"instances", asked->did}, {"failed", asked->failed}}));
            });
    }
}

array RecursionPart::failures() const {
    array all;
    for (auto at = failures_.rbegin(); at != failures_.rend(); ++at)
        all.push_back(
            object{{"instance", at->instance},
                   {"zone", at->zone},
                   {"reason", recursion::kFailureReasons[static_cast<std::size_t>(at->reason)]},
                   {"text", at->text},
                   {"count", at->count},
                   {"ago_s", (main_.now_ms() - at->at_ms) / 1000}});
    return all;
}

array RecursionPart::failures_of(std::string_view name) const {
    // As the engine writes it: "<www.example. A IN>".
    if (name.ends_with('.')) name.remove_suffix(1);
    const std::string wanted = "<" + matchers::lowered(name) + ". ";
    array all;
    for (auto at = failures_.rbegin(); at != failures_.rend(); ++at) {
        if (matchers::lowered(at->text).find(wanted) != std::string::npos)
            all.push_back(boost::json::value(at->instance + ": " + at->text));
    }
    return all;
}

void RecursionPart::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kDomain{"name", ParamType::domain_name, "a domain name", true};
    methods.add(
        {.name = "recursion",
         .help = "Shows the processes that resolve from the root.",
         .changes = Changes::nothing(),
         .piece = ops::Piece::report(),
         .run = [this](const ops::Arguments&) -> ops::RpcResult {
             array rows, anchors;
             for (const auto& [key, kept] : instances_)
                 rows.push_back(row_of(kept));
             for (const auto& [zone, anchor] : negative_anchors_)
                 anchors.push_back(boost::json::value(zone));
             object group{{"path", group_ ? group_->path() : std::string()},
                          {"memory_max", group_ ? group_->most_bytes() : 0},
                          {"why_none", no_group_}};
             return boost::json::value(object{{"instances", std::move(rows)},
                                              {"control_group", std::move(group)},
                                              {"negative_trust_anchors", std::move(anchors)},
                                              {"failures", failures()}});
         },
         .members = "instances control_group negative_trust_anchors failures",
         .result =
             "each instance, the control group, temporary negative trust anchors, last failures"});
    constexpr std::string_view kCounts =
        "the numbers of instances that did it, and that did not answer";
    methods.add({.name = "recursion.flush",
                 .help = "Removes a name, and all below it, from the caches of the processes that "
                         "resolve.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::small(),
                 .parameters = {kDomain},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { flush(asked, done); },
                 .members = "instances failed",
                 .result = kCounts});
    methods.add(
        {.name = "recursion.distrust",
         .help = "Sets or removes a negative trust anchor (RFC 7646) for a time.",
         .changes = Changes::always(),
         .piece = ops::Piece::small(),
         .parameters = {kDomain,
                        {"seconds", ParamType::number,
                         "how long; 0 removes it; without it, an hour", false, 0, 604'800, "s"}},
         .run = [this](const ops::Arguments& asked,
                       const ops::RpcDone& done) { distrust(asked, done); },
         .members = "instances failed",
         .result = kCounts});
}

void RecursionPart::flush(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto name = recursion::zone_word(asked.text("name"));
    if (!name) return done(ops::bad_params(name.error().text));
    to_all(recursion::flush_command(*name), done);
}

void RecursionPart::distrust(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto zone = recursion::zone_word(asked.text("name"));
    if (!zone) return done(ops::bad_params(zone.error().text));
    if (*zone == ".")
        return done(ops::bad_params(
            "'.' is every domain: name one, or write 'validate: no' into the configuration"));
    if (configured_negatives_.contains(*zone))
        return done(ops::bad_params("'" + *zone +
                                    "' is in 'negative_trust_anchors' of the configuration: "
                                    "change it there"));
    const auto seconds = asked.number("seconds", 3600);
    negative_anchors_.erase(*zone);
    if (seconds > 0) {
        auto timer =
            std::make_unique<boost::asio::steady_timer>(main_.io(), std::chrono::seconds(seconds));
        timer->async_wait(
            [this, zone = *zone, own = timer.get()](const boost::system::error_code& error) {
                if (error) return;
                // A newer one may be there by now.
                const auto now = negative_anchors_.find(zone);
                if (now == negative_anchors_.end() || now->second.get() != own) return;
                negative_anchors_.erase(now);
                set_trust(zone, true, [](const ops::RpcResult&) {});
            });
        negative_anchors_.emplace(*zone, std::move(timer));
    }
    set_trust(*zone, seconds == 0, done);
}

// And removes what was judged before.
void RecursionPart::set_trust(const std::string& zone, bool is_trusted, const ops::RpcDone& done) {
    to_all(recursion::distrust_command(zone, !is_trusted),
           [this, zone, done](const ops::RpcResult& result) {
               to_all(recursion::flush_command(zone),
                      [done, result](const ops::RpcResult&) { done(result); });
           });
}

object RecursionPart::row_of(const Kept& kept) const {
    const Instance& one = *kept.instance;
    const recursion::EngineCounts& counts = one.counts();
    object failed;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kept.failures.size(); ++i) {
        failed[recursion::kFailureReasons[i]] = kept.failures[i];
        total += kept.failures[i];
    }
    return {{"name", kept.name},
            {"port", one.port()},
            {"pid", one.pid()},
            {"up", one.is_up()},
            {"restarts", one.restarts()},
            {"trouble", one.error()},
            {"uptime_s", counts.uptime_s},
            {"queries", counts.queries},
            {"recursions", counts.recursions},
            {"servfail", counts.servfail},
            {"secure", counts.secure},
            {"bogus", counts.bogus},
            {"failed_names", total},
            {"failed_by_reason", failed},
            {"cache_bytes", counts.bytes},
            {"recursion_mean_ms", counts.recursion_mean_s * 1e3},
            {"recursion_median_ms", counts.recursion_median_s * 1e3}};
}

void RecursionPart::add_status(object& all) {
    if (instances_.empty()) return;
    std::size_t up = 0;
    for (const auto& [key, kept] : instances_)
        up += kept.instance->is_up() ? 1U : 0U;
    all["recursion"] = object{{"instances", instances_.size()},
                              {"up", up},
                              {"other_programs", recursion::other_programs()},
                              {"files", recursion::file_rules_state()}};
}

void RecursionPart::write_metrics(ops::MetricWriter& writer) {
    if (instances_.empty()) return;
    using std::uint64_t;
    const auto each = [&](auto value) {
        for (const auto& [key, kept] : instances_)
            writer.sample({{"engine", kept.name}}, uint64_t{value(*kept.instance)});
    };
    writer.family("steerdns_recursion_up");
    each([](const Instance& one) { return one.is_up() ? 1U : 0U; });
    writer.family("steerdns_recursion_restarts");
    each([](const Instance& one) { return one.restarts(); });
    writer.family("steerdns_recursion_queries");
    each([](const Instance& one) { return one.counts().queries; });
    writer.family("steerdns_recursion_recursions");
    each([](const Instance& one) { return one.counts().recursions; });
    writer.family("steerdns_recursion_servfail");
    each([](const Instance& one) { return one.counts().servfail; });
    writer.family("steerdns_recursion_secure");
    each([](const Instance& one) { return one.counts().secure; });
    writer.family("steerdns_recursion_bogus");
    each([](const Instance& one) { return one.counts().bogus; });
    writer.family("steerdns_recursion_cache_bytes");
    each([](const Instance& one) { return one.counts().bytes; });
    writer.family("steerdns_recursion_failures");
    for (const auto& [key, kept] : instances_) {
        for (std::size_t i = 0; i < kept.failures.size(); ++i)
            writer.sample({{"engine", kept.name}, {"reason", recursion::kFailureReasons[i]}},
                          kept.failures[i]);
    }
    writer.family("steerdns_recursion_time_seconds");
    for (const auto& [key, kept] : instances_) {
        const recursion::EngineCounts& counts = kept.instance->counts();
        writer.durations({{"engine", kept.name}}, recursion::kTimeBounds, counts.recursions_by_time,
                         counts.recursion_mean_s * static_cast<double>(counts.recursions));
    }
}

void RecursionPart::add_problems(Problems& problems) {
    if (!ports_.empty() && !can_run_)
        problems.push_back(
            {"recursion", "unbound was not installed when steerdnsd started; restart steerdnsd"});
    const Starter* const starter = recursion::engine_starter();
    if (!instances_.empty() && (starter == nullptr || !starter->is_alive()))
        problems.push_back(
            {"recursion", "the process that starts unbound has ended; restart steerdnsd"});
    for (const auto& [key, kept] : instances_) {
        if (!kept.instance->error().empty())
            problems.push_back(
                {"recursion", kept.name + ": " + kept.instance->error() + "; see the log"});
        const auto is_recent = [this](std::uint64_t ms) {
            return ms != 0 && main_.now_ms() - ms < kRootPatienceMs;
        };
        if (is_recent(kept.no_root_ms))
            problems.push_back(
                {"recursion", kept.name + ": no server of the root answers; check the line to the "
                                          "Internet, and that no firewall drops port 53"});
        if (is_recent(kept.bad_root_ms))
            problems.push_back({"recursion", kept.name +
                                                 ": the root's own signatures are not valid, so no "
                                                 "name is; check the clock of this machine, and "
                                                 "'trust_anchors'"});
    }
    for (const std::string& text : machine_problems_)
        problems.push_back({"recursion", text});
    for (const std::string& text : left_out_)
        problems.push_back(
            {"recursion", text + "; correct it, as 'steerdnsd --check' says, and reload"});
}

}  // namespace steer
