#include "control/observe/health/doctor_reports.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sstream>
#include <utility>

#include "matchers/safe_text.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

constexpr ops::Piece kReports = ops::Piece::pages(DoctorReports::kMaxRouters);
constexpr std::size_t kMaxItems = 256, kMaxText = 512;
constexpr std::size_t kMaxRemedy = 2'048, kMaxRemedies = 256 * 1'024;  // bytes of one, of all
constexpr std::array<std::string_view, 3> kLevels{"problem", "advice", "note"};

// The first two words and the rest; false: there are no two words.
bool split(const std::string& text, std::string& first, std::string& second, std::string& rest) {
    const std::size_t one = text.find(' ');
    if (one == text.npos || one == 0) return false;
    const std::size_t two = std::min(text.find(' ', one + 1), text.size());
    first = text.substr(0, one);
    second = text.substr(one + 1, two - one - 1);
    rest = safe_text(text.substr(std::min(two + 1, text.size())), kMaxText);
    return !second.empty();
}

bool is_word(const std::string& text) {
    constexpr std::size_t kMaxWord = 64;
    return !text.empty() && text.size() <= kMaxWord && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

}  // namespace

void DoctorReports::add_methods(ops::Methods& methods) {
    using ops::ParamType;
    methods.add(
        {.name = "doctor.report",
         .help = "Stores a report of `steerctl doctor --watch`, or shows the last ones.",
         .changes = ops::Changes::nothing(),  // but what is shown: no line in the log each minute
         .piece = kReports,
         .parameters =
             {{"router", ParamType::text, "the router's name; without it, reports are only shown"},
              {"interval_s", ParamType::number, "seconds until the next report", false, 1, 86'400,
               "s"},
              {"trouble", ParamType::text, "why the router could not be read"},
              {"findings", ParamType::texts,
               "`LEVEL CHECK TEXT` each; LEVEL: `problem`, `advice` or `note`"},
              {"remedies", ParamType::texts,
               "`N KIND TEXT` each: of finding N of `findings`, from 0; KIND: `why`, `do`, "
               "`undo` or `advice`"},
              {"steps", ParamType::texts,
               "`STEP RESULT TEXT` each; RESULT: `ok`, `failed` or `unknown`"},
              {"nat64_dead", ParamType::flag, "the NAT64 was dead in several probes in a row"},
              {"option_108_withdrawn", ParamType::flag, "DHCP option 108 is withdrawn"}},
         .run = [this](const ops::Arguments& given) { return take(given); },
         .members = "routers? router? more? cursor?",
         .result = "the last report of each router, or the router whose report was stored"});
}

ops::RpcResult DoctorReports::take(const ops::Arguments& given) {
    if (!given.has("router")) return list(given);
    if (given.caller().role < AccessRole::operate) {
        return ops::RpcError{ops::RpcCode::forbidden,
                             "doctor.report needs the role \"operate\" to store a report"};
    }
    const std::string router = safe_text(given.text("router"));
    Report report;
    report.at_ms = clock_.now().ms;
    report.interval_s = given.number("interval_s", 60);
    report.error = safe_text(given.text("trouble"), kMaxText);
    report.nat64_dead = given.is_true("nat64_dead");
    report.option_withdrawn = given.is_true("option_108_withdrawn");
    const auto findings = given.texts("findings"), steps = given.texts("steps");
    if (findings.size() > kMaxItems || steps.size() > kMaxItems)
        return ops::bad_params("doctor.report: at most 256 findings and 256 steps");
    for (const std::string& text : findings) {
        std::string level, check, what;
        if (!split(text, level, check, what) || !is_word(check) ||
            std::ranges::count(kLevels, level) == 0)
            return ops::bad_params(
                "doctor.report: a finding is `LEVEL CHECK TEXT`; LEVEL is problem, advice or note");
        report.findings.push_back({level, check, what, {}, {}, {}, {}});
    }
    if (std::string wrong = add_remedies(given.texts("remedies"), report.findings); !wrong.empty())
        return ops::bad_params("doctor.report: " + wrong);
    for (const std::string& text : steps) {
        Step step;
        const bool is_good =
            split(text, step.name, step.result, step.text) && is_word(step.name) &&
            (step.result == "ok" || step.result == "failed" || step.result == "unknown");
        if (!is_good)
            return ops::bad_params(
                "doctor.report: a step is `STEP RESULT TEXT`; RESULT is ok, failed or unknown");
        report.steps.push_back(std::move(step));
    }
    if (!by_router_.contains(router) && by_router_.size() >= kMaxRouters)
        return ops::bad_params("doctor.report: there are reports of 64 routers already");
    tell_news(router, by_router_[router], report);
    by_router_[router] = std::move(report);
    return boost::json::value(object{{"router", router}});
}

// A command is pasted into a router: one that would have to be changed to be safe is refused, not changed.
std::string DoctorReports::add_remedies(const std::vector<std::string>& remedies,
                                        std::vector<Finding>& findings) {
    std::size_t bytes = 0;
    for (const std::string& remedy : remedies) {
        if (!is_safe_text(remedy, kMaxRemedy))
            return "a remedy is one line of printable text, at most 2,048 bytes";
        std::istringstream words(remedy);
        std::size_t number = 0;
        std::string kind, text;
        words >> number >> kind >> std::ws;
        const bool has_text = static_cast<bool>(std::getline(words, text));
        if (!has_text || text.empty() || number >= findings.size())
            return "a remedy is `N KIND TEXT`; N counts `findings` from 0";
        bytes += text.size();
        if (bytes > kMaxRemedies) return "at most 256 KiB of remedies";
        Finding& finding = findings[number];
        if (kind == "do")
            finding.fix.push_back(std::move(text));
        else if (kind == "undo")
            finding.undo.push_back(std::move(text));
        else if (kind == "why")
            finding.why = std::move(text);
        else if (kind == "advice")
            finding.advice = std::move(text);
        else
            return "KIND of a remedy is why, do, undo or advice";
    }
    return {};
}

// A router that cannot be read has no findings: nothing is reported about those of the report before. Notes are no news.
void DoctorReports::tell_news(const std::string& router, const Report& before,
                              const Report& now) const {
    const std::string doctor = "doctor: router " + router;
    if (before.error != now.error) {
        news_(!now.error.empty(), now.error.empty() ? doctor + " can be read again"
                                                    : doctor + " cannot be read: " + now.error);
    }
    if (!now.error.empty()) return;
    const auto has = [](const Report& report, const Finding& finding) {
        return std::ranges::any_of(report.findings, [&](const Finding& other) {
            return other.level == finding.level && other.check == finding.check;
        });
    };
    for (const Finding& finding : now.findings) {
        if (finding.level != "note" && !has(before, finding))
            news_(true, doctor + " has a new " + finding.level + ", " + finding.check + ": " +
                            finding.what);
    }
    if (!before.error.empty()) return;
    for (const Finding& finding : before.findings) {
        if (finding.level != "note" && !has(now, finding))
            news_(false, doctor + " has no " + finding.level + " " + finding.check + " any more");
    }
}

std::uint64_t DoctorReports::age_s(const Report& report) const {
    return (clock_.now().ms - report.at_ms) / 1000;
}

bool DoctorReports::is_stale(const Report& report) const {
    return age_s(report) > kStaleAfter * report.interval_s;
}

boost::json::array DoctorReports::steps_about(std::string_view prefix) const {
    array out;
    for (const auto& [name, report] : by_router_) {
        for (const Step& step : report.steps) {
            if (!step.name.starts_with(prefix)) continue;
            out.push_back(object{{"router", name},
                                 {"age_s", age_s(report)},
                                 {"stale", is_stale(report)},
                                 {"step", step.name},
                                 {"result", step.result},
                                 {"text", step.text}});
        }
    }
    return out;
}

boost::json::object DoctorReports::to_json(const std::string& name, const Report& report) const {
    array findings, steps;
    for (const Finding& finding : report.findings)
        findings.push_back(object{{"check", finding.check},
                                  {"level", finding.level},
                                  {"what", finding.what},
                                  {"why", finding.why},
                                  {"advice", finding.advice},
                                  {"fix", array(finding.fix.begin(), finding.fix.end())},
                                  {"undo", array(finding.undo.begin(), finding.undo.end())}});
    for (const Step& step : report.steps)
        steps.push_back(object{{"step", step.name}, {"result", step.result}, {"text", step.text}});
    return {{"router", name},
            {"age_s", age_s(report)},
            {"stale", is_stale(report)},
            {"trouble", report.error},
            {"findings", std::move(findings)},
            {"steps", std::move(steps)},
            {"nat64_dead", report.nat64_dead},
            {"option_108_withdrawn", report.option_withdrawn}};
}

ops::RpcResult DoctorReports::list(const ops::Arguments& asked) const {
    auto next = by_router_.begin();
    if (const auto text = asked.find_text(ops::kCursor)) {
        const auto cursor = ops::Cursor::from(*text, 1);
        if (!cursor) return ops::bad_cursor();
        next = by_router_.upper_bound((*cursor)[0]);
    }
    ops::PageRoom room(kReports.most_rows());
    array routers;
    for (; next != by_router_.end() && !room.is_full(); ++next)
        room.add(routers, to_json(next->first, next->second));
    object out{{"routers", std::move(routers)}};
    if (next != by_router_.end()) ops::end_page(out, ops::Cursor{std::prev(next)->first});
    return boost::json::value(std::move(out));
}

std::vector<std::string> DoctorReports::problems() const {
    std::vector<std::string> all;
    for (const auto& [name, report] : by_router_) {
        const std::string who = "router " + name + ": ";
        if (is_stale(report)) {
            all.push_back(who + "the doctor's report is " + std::to_string(age_s(report)) +
                          " s old; check that `steerctl doctor --watch` runs");
            continue;
        }
        if (!report.error.empty()) all.push_back(who + report.error);
        for (const Finding& finding : report.findings) {
            if (finding.level == "problem")
                all.push_back(who + finding.what + " (" + finding.check +
                              "); `steerctl doctor` shows the commands that mend it");
        }
    }
    return all;
}

void DoctorReports::write_metrics(ops::MetricWriter& writer) const {
    const auto flag = [](bool is_set) { return std::uint64_t{is_set ? 1U : 0U}; };
    for (const auto& [name, report] : by_router_) {
        writer.family("steerdns_doctor_age_seconds");
        writer.sample({{"router", name}}, age_s(report));
        writer.family("steerdns_doctor_stale");
        writer.sample({{"router", name}}, flag(is_stale(report)));
        writer.family("steerdns_doctor_router_read");
        writer.sample({{"router", name}}, flag(report.error.empty()));
        writer.family("steerdns_doctor_findings");
        for (const std::string_view level : kLevels) {
            const auto count = std::ranges::count(report.findings, level, &Finding::level);
            writer.sample({{"router", name}, {"severity", level}},
                          static_cast<std::uint64_t>(count));
        }
        writer.family("steerdns_doctor_probe_ok");
        for (const Step& step : report.steps) {
            if (step.result == "unknown") continue;
            writer.sample({{"router", name}, {"step", step.name}}, flag(step.result == "ok"));
        }
        writer.family("steerdns_doctor_nat64_dead");
        writer.sample({{"router", name}}, flag(report.nat64_dead));
        writer.family("steerdns_doctor_option_108_withdrawn");
        writer.sample({{"router", name}}, flag(report.option_withdrawn));
    }
}

// "edge: problems: nd-pref64, ra-none; advice: user-rights-wide"
std::string DoctorReports::details_of(const std::string& router, const Report& report) const {
    std::string text = router + ":", problems, advice;
    if (is_stale(report))
        text += " stale, the last report is " + std::to_string(age_s(report)) + " s old;";
    if (!report.error.empty()) return text + " cannot be read: " + report.error;
    for (const Finding& finding : report.findings) {
        if (finding.level == "note") continue;
        std::string& list = finding.level == "problem" ? problems : advice;
        list.append(list.empty() ? "" : ", ").append(finding.check);
    }
    if (problems.empty() && advice.empty()) return text + " no findings";
    if (!problems.empty()) text += " problems: " + problems;
    if (!advice.empty()) text += (problems.empty() ? " advice: " : "; advice: ") + advice;
    return text;
}

void DoctorReports::add_check(ops::HealthChecks& checks) const {
    if (by_router_.empty()) return;
    ops::HealthCheck check{"doctor", {}, {}};
    for (const auto& [name, report] : by_router_) {
        check.details.append(check.details.empty() ? "" : " | ").append(details_of(name, report));
        if (needs_nat64_ && report.nat64_dead && !is_stale(report))
            check.error = "the NAT64 is dead (`ready_nat64`)";
    }
    checks.push_back(std::move(check));
}

}  // namespace steer
