// Judges a router by what it says of itself. No I/O. Each check looks at one thing and is silent where a menu that it
// needs cannot be read: that is a finding of its own.
#pragma once

#include "control/doctor/expected.h"
#include "control/doctor/facts.h"
#include "control/doctor/finding.h"

namespace steer::doctor {

Findings judge(const RouterFacts& router, const Expected& expected);

// The parts of it.
void check_menus(const RouterFacts& router, Findings& out);  // api_checks.cpp
void check_api(const RouterFacts& router, const Expected& expected, Findings& out);
void check_policy(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // policy_checks.cpp
void check_dns(const RouterFacts& router, const Expected& expected,
               Findings& out);  // dns_checks.cpp
void check_nat64(const RouterFacts& router, const Expected& expected,
                 Findings& out);  // nat64_checks.cpp

// ---- for the checks

// Without commands: the caller adds them.
Finding problem(std::string check, std::string what, std::string why, std::string advice = {});

// `set` of one row, and its undo from what the row says now.
void set_row(Finding& finding, const routeros::CommandForm& form, routeros::Menu family,
             const Row& row, const std::vector<std::pair<std::string, std::string>>& values);
// "*5 (comment)"
std::string row_text(const Row& row);

}  // namespace steer::doctor
