// DHCP option 108 (RFC 8925) while the NAT64 is dead: clients that honour it have no IPv4, so it is withdrawn, and given
// again when the NAT64 lives. Pure.
//
// As the set-up gives it: by name in `dhcp-option` of a network. A network remembers in front of its comment what was
// withdrawn, "steerdns-withdrew=v6only;", so that a restart, or another host, can put it back.
#pragma once

#include <string>
#include <vector>

#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"

namespace steer::doctor {

struct Option108 {
    bool is_given = false;               // by name in a network
    bool is_given_by_set = false;        // in an option set, which is the operator's: never written
    std::vector<std::string> withdrawn;  // addresses of networks that remember it
};

// Of enabled or other networks alike; all false if the menus cannot be read.
Option108 read_option108(const RouterFacts& router);

// What to write, and its undo. Empty: there is nothing to do.
struct OptionChange {
    std::vector<Change> changes;
    std::vector<std::string> undo;
};
OptionChange withdraw_option108(const RouterFacts& router);
// Options that no longer exist are not given again; the memory goes.
OptionChange put_back_option108(const RouterFacts& router);

// Takes the commands that would give the option for the first time out of the findings, unless the probe proved PREF64,
// RDNSS and a translated connection.
void demand_proof(Findings& findings, const Steps& steps);

// When to do it. Probes that prove nothing count for neither side.
class Nat64Watch {
  public:
    static constexpr unsigned kDead = 3;   // failed probes in a row
    static constexpr unsigned kAlive = 5;  // good probes in a row

    enum class Seen : std::uint8_t { dead, alive, unknown };
    void see(Seen seen);
    // At least kDead in a row failed, and fewer than kAlive were good since.
    [[nodiscard]] bool is_dead() const { return is_dead_; }
    // At least kAlive in a row were good, and fewer than kDead failed since.
    [[nodiscard]] bool is_alive() const { return is_alive_; }

  private:
    unsigned dead_ = 0, alive_ = 0;
    bool is_dead_ = false, is_alive_ = false;
};

}  // namespace steer::doctor
