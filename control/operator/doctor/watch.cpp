#include "control/operator/doctor/watch.h"

#include <algorithm>
#include <ostream>

#include "matchers/safe_text.h"

namespace steer::doctor {
namespace {

std::string printable(const std::string& text) {
    return safe_text(text, kSafeLineBytes);
}

}  // namespace

void Watch::see(const Round& round, const Write& write) {
    Router& known = routers_[round.judgement.router];
    known.nat64.see(round.nat64);
    if (known.is_first) write_text(round.judgement, out_);
    say_changes(known, round.judgement);
    known.is_first = false;
    if (round.judgement.error.empty()) mind_option(known, round, write);
    out_.flush();
}

bool Watch::is_nat64_dead(const std::string& router) const {
    const auto it = routers_.find(router);
    return it != routers_.end() && it->second.nat64.is_dead();
}

void Watch::say_changes(Router& known, const Judgement& judgement) {
    std::map<std::string, std::string> findings, steps;
    for (const Finding& finding : judgement.findings) {
        std::string& text = findings[finding.check];
        text.append(text.empty() ? "" : "; ").append(finding.what);
    }
    for (const Step& step : judgement.steps)
        steps[step.name] = text_of(step.end);
    const std::string router = "router " + printable(judgement.router) + ": ";
    if (!known.is_first && judgement.error != known.error) {
        out_ << router
             << (judgement.error.empty() ? "it can be read again"
                                         : "it cannot be read: " + printable(judgement.error))
             << "\n";
    }
    known.error = judgement.error;
    if (!judgement.error.empty()) return;  // the findings stay as they were
    if (!known.is_first) {
        for (const auto& [check, text] : findings)
            if (!known.findings.contains(check))
                out_ << router << "new: " << check << ": " << printable(text) << "\n";
        for (const auto& [check, text] : known.findings)
            if (!findings.contains(check)) out_ << router << "gone: " << check << "\n";
        for (const auto& [name, end] : steps) {
            const auto before = known.steps.find(name);
            if (before != known.steps.end() && before->second != end)
                out_ << router << "step " << name << ": " << before->second << ", now " << end
                     << "\n";
        }
    }
    known.findings = std::move(findings);
    known.steps = std::move(steps);
}

void Watch::mind_option(Router& known, const Round& round, const Write& write) {
    const std::string& router = round.judgement.router;
    const std::string dead =
        "the NAT64 was dead in " + std::to_string(Nat64Watch::kDead) + " probes in a row";
    if (known.nat64.is_dead() && round.option.is_given_by_set && !known.has_warned) {
        known.has_warned = true;
        out_ << "router " << printable(router) << ": " << dead
             << "; an option set gives DHCP option 108, which is not withdrawn: remove it from the "
                "set by hand\n";
    }
    if (known.nat64.is_dead() && round.option.is_given) {
        if (fixes_)
            write_option(router, dead + ": DHCP option 108 is withdrawn", round.withdraw, write);
        else if (!known.has_warned)
            out_ << "router " << printable(router) << ": " << dead
                 << " and DHCP option 108 is given; --fix withdraws it\n";
        known.has_warned = true;
    }
    if (!known.nat64.is_dead()) known.has_warned = false;
    const auto& steps = round.judgement.steps;
    const bool is_announced = std::ranges::none_of(steps, [](const Step& step) {
        return step.name == "advertisement" && step.end == StepEnd::failed;
    });
    if (fixes_ && known.nat64.is_alive() && is_announced && !round.option.withdrawn.empty())
        write_option(router,
                     "the NAT64 lived in " + std::to_string(Nat64Watch::kAlive) +
                         " probes in a row: DHCP option 108 is given again",
                     round.put_back, write);
}

void Watch::write_option(const std::string& router, const std::string& what,
                         const OptionChange& change, const Write& write) {
    if (change.changes.empty()) return;
    out_ << "router " << printable(router) << ": " << what << "\n";
    for (const Change& one : change.changes)
        out_ << "    do:   " << printable(one.text()) << "\n";
    for (const std::string& undo : change.undo)
        out_ << "    undo: " << printable(undo) << "\n";
    if (const std::string why = write(change.changes); !why.empty())
        out_ << "    refused: " << printable(why) << "; it is tried again in the next round\n";
}

}  // namespace steer::doctor
