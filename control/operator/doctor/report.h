// Findings as text for an operator, and as JSON.
#pragma once

#include <iosfwd>
#include <vector>

#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"

namespace steer::doctor {

// The result for one router.
struct Judgement {
    std::string router, version;
    std::string error;  // why the router could not be read; empty: it was read
    Findings findings;
    Steps steps{};  // of a probe, in order
};

void write_text(const Judgement& judgement, std::ostream& out);
// Writes what is wrong, why, and the commands with their undo.
void write_finding(const Finding& finding, std::ostream& out);
// {"routers": [{"router", "version", "trouble", "findings": [{"check", "level", "what", "why",
// "advice", "fix": [...], "undo": [...]}], "steps": [{"step", "result", "text"}]}]}
void write_json(const std::vector<Judgement>& judgements, std::ostream& out);

// The number of problems and of routers that could not be read.
std::size_t count_problems(const std::vector<Judgement>& judgements);

}  // namespace steer::doctor
