// `steerctl doctor --watch`: checks at intervals, prints changes, and sends each report to the
// daemon, which shows it in metrics and /readyz. With --fix it withdraws DHCP option 108 while the
// NAT64 is dead. It writes nothing else.
//
// No I/O and no clock: the caller reads the routers, writes and reports.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "control/operator/doctor/option108.h"
#include "control/operator/doctor/report.h"

namespace steer::doctor {

// One router at one time.
struct Round {
    Judgement judgement;
    Nat64Watch::Seen nat64 = Nat64Watch::Seen::unknown;
    Option108 option;
    OptionChange withdraw, put_back;  // commands that would be needed
};

class Watch {
  public:
    // Runs the commands; returns the reason of a failure.
    using Write = std::function<std::string(const std::vector<Change>&)>;

    // `fixes`: it may withdraw option 108 and restore it.
    Watch(bool fixes, std::ostream& out) : fixes_(fixes), out_(out) {}

    // Prints changes since the router's last round, and writes if it is time.
    void see(const Round& round, const Write& write);
    // Whether the NAT64 of that router is dead, after several probes in a row.
    [[nodiscard]] bool is_nat64_dead(const std::string& router) const;

  private:
    struct Router {
        Nat64Watch nat64;
        bool is_first = true, has_warned = false;
        std::string error;
        std::map<std::string, std::string> findings, steps;  // text by subject
    };
    void say_changes(Router& known, const Judgement& judgement);
    void mind_option(Router& known, const Round& round, const Write& write);
    void write_option(const std::string& router, const std::string& what,
                      const OptionChange& change, const Write& write);

    bool fixes_;
    std::ostream& out_;
    std::map<std::string, Router> routers_;
};

}  // namespace steer::doctor
