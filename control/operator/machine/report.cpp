#include "control/operator/machine/report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "matchers/safe_text.h"

namespace steer::machine {
namespace {

namespace json = boost::json;

constexpr const char* kBelow = "      ";

void write_one(const Finding& finding, std::ostream& out) {
    out << "  " << finding.check << ": " << safe_text(finding.text, kSafeLineBytes) << "\n";
    if (finding.level == Level::ok) return;
    if (!finding.why.empty()) out << kBelow << "why: " << finding.why << "\n";
    for (const Step& step : finding.steps) {
        out << kBelow << "do:   " << step.command << "\n";
        if (!step.undo.empty()) out << kBelow << "undo: " << step.undo << "\n";
    }
    if (finding.needs_reboot)
        out << kBelow << (finding.steps.empty() ? "To be done by hand. " : "")
            << "It takes effect at the next boot.\n";
}

void write_level(const Findings& findings, Level level, const char* title, std::ostream& out) {
    if (count(findings, level) == 0) return;
    out << title << "\n";
    for (const Finding& finding : findings)
        if (finding.level == level) write_one(finding, out);
}

}  // namespace

std::size_t count(const Findings& findings, Level level) {
    return static_cast<std::size_t>(std::ranges::count(findings, level, &Finding::level));
}

void write_text(const Findings& findings, std::ostream& out) {
    write_level(findings, Level::problem, "Problems", out);
    write_level(findings, Level::advice, "Advice", out);
    write_level(findings, Level::ok, "In order", out);
    const bool can_apply =
        std::ranges::any_of(findings, [](const Finding& f) { return !f.steps.empty(); });
    out << "problems: " << count(findings, Level::problem)
        << ", advice: " << count(findings, Level::advice);
    out << (can_apply ? "; `steerctl setup --apply` runs the commands, each after a question\n"
                      : "\n");
}

void write_lines(const Findings& findings, std::ostream& out) {
    for (const Finding& finding : findings)
        out << text_of(finding.level) << " " << finding.check << ": "
            << safe_text(finding.text, kSafeLineBytes) << "\n";
}

void write_json(const Findings& findings, std::ostream& out) {
    json::array all;
    for (const Finding& finding : findings) {
        json::array steps;
        for (const Step& step : finding.steps)
            steps.push_back(json::object{{"command", step.command}, {"undo", step.undo}});
        all.push_back(json::object{{"check", finding.check},
                                   {"level", text_of(finding.level)},
                                   {"text", finding.text},
                                   {"why", finding.why},
                                   {"needs_reboot", finding.needs_reboot},
                                   {"steps", std::move(steps)}});
    }
    out << safe_json(json::serialize(json::object{{"findings", std::move(all)}})) << "\n";
}

}  // namespace steer::machine
