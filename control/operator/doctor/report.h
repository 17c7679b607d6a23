// Findings as an operator reads them, and as JSON.
#pragma once

#include <iosfwd>
#include <vector>

#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"

namespace steer::doctor {

// One router as it was judged.
struct Judgement {
    std::string router, version;
    std::string trouble;  // why it could not be read; empty: it was
    Findings findings;
    Steps steps{};  // of a probe, in order
};

void write_text(const Judgement& judgement, std::ostream& out);
// What, why, and the commands with their undo.
void write_finding(const Finding& finding, std::ostream& out);
// {"routers": [{"router", "version", "trouble", "findings": [{"check", "level", "what", "why", "advice", "fix": [...],
// "undo": [...]}], "steps": [{"step", "result", "text"}]}]}
void write_json(const std::vector<Judgement>& judgements, std::ostream& out);

// Routers that could not be read, and problems.
std::size_t count_problems(const std::vector<Judgement>& judgements);

}  // namespace steer::doctor
