#include "control/operator/doctor/report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "matchers/safe_text.h"

namespace steer::doctor {
namespace {

namespace json = boost::json;

std::string_view text_of(Level level) {
    return level == Level::problem ? "problem" : level == Level::advice ? "advice" : "note";
}

std::string safe(const std::string& text) {
    return safe_text(text, kSafeLineBytes);
}

json::object object_of(const Finding& finding) {
    json::array fix;
    for (const Change& change : finding.fix)
        fix.emplace_back(change.text());
    return {{"check", finding.check},
            {"level", text_of(finding.level)},
            {"what", finding.what},
            {"why", finding.why},
            {"advice", finding.advice},
            {"fix", std::move(fix)},
            {"undo", json::array(finding.undo.begin(), finding.undo.end())}};
}

}  // namespace

void write_finding(const Finding& finding, std::ostream& out) {
    out << text_of(finding.level) << " " << finding.check << ": " << safe(finding.what) << "\n"
        << "    why:  " << safe(finding.why) << "\n";
    for (const Change& change : finding.fix)
        out << "    do:   " << safe(change.text()) << "\n";
    for (const std::string& undo : finding.undo)
        out << "    undo: " << safe(undo) << "\n";
    if (!finding.advice.empty()) out << "    do:   " << safe(finding.advice) << "\n";
}

void write_text(const Judgement& judgement, std::ostream& out) {
    out << "router " << safe(judgement.router);
    if (!judgement.version.empty()) out << ", RouterOS " << safe(judgement.version);
    if (!judgement.error.empty()) {
        out << ": cannot be read: " << safe(judgement.error)
            << "; check address, user and API service of the router\n";
        return;
    }
    const auto count = [&](Level level) {
        return std::ranges::count(judgement.findings, level, &Finding::level);
    };
    out << ": problems: " << count(Level::problem) << ", advice: " << count(Level::advice) << "\n";
    for (const Step& step : judgement.steps)
        out << "step " << step.name << " " << text_of(step.end) << ": " << safe(step.text) << "\n";
    for (const Level level : {Level::problem, Level::advice, Level::note}) {
        for (const Finding& finding : judgement.findings)
            if (finding.level == level) write_finding(finding, out);
    }
}

void write_json(const std::vector<Judgement>& judgements, std::ostream& out) {
    json::array routers;
    for (const Judgement& judgement : judgements) {
        json::array findings;
        for (const Finding& finding : judgement.findings)
            findings.emplace_back(object_of(finding));
        json::array steps;
        for (const Step& step : judgement.steps)
            steps.push_back(json::object{
                {"step", step.name}, {"result", text_of(step.end)}, {"text", step.text}});
        routers.push_back(json::object{{"router", judgement.router},
                                       {"version", judgement.version},
                                       {"trouble", judgement.error},
                                       {"findings", std::move(findings)},
                                       {"steps", std::move(steps)}});
    }
    out << safe_json(json::serialize(json::object{{"routers", std::move(routers)}})) << "\n";
}

std::size_t count_problems(const std::vector<Judgement>& judgements) {
    std::size_t count = 0;
    for (const Judgement& judgement : judgements) {
        if (!judgement.error.empty()) ++count;
        count += static_cast<std::size_t>(
            std::ranges::count(judgement.findings, Level::problem, &Finding::level));
    }
    return count;
}

}  // namespace steer::doctor
