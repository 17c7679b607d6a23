// DHCP option 108 (RFC 8925) while the NAT64 is dead: clients that honour it have no IPv4. So the
// option is withdrawn, and given again when the NAT64 is alive. Pure.
//
// The set-up gives the option by name in `dhcp-option` of a network. The withdrawn names are stored
// in front of the network's comment, "steerdns-withdrew=v6only;". So a restart, or another host,
// can restore them.
#pragma once

#include <string>
#include <vector>

#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"

namespace steer::doctor {

struct Option108 {
    bool is_given = false;               // by name in a network
    bool is_given_by_set = false;        // in an option set of the operator: never written
    std::vector<std::string> withdrawn;  // addresses of networks with a stored name
};

// The state of all networks, enabled or not. All false if the menus cannot be read.
Option108 read_option108(const RouterFacts& router);

// The commands, and their undo. Empty: there is nothing to do.
struct OptionChange {
    std::vector<Change> changes;
    std::vector<std::string> undo;
};
OptionChange withdraw_option108(const RouterFacts& router);
// Gives the options again. Options that no longer exist are not given; the stored names are
// removed.
OptionChange put_back_option108(const RouterFacts& router);

// Removes the commands that would give the option for the first time from the findings, unless the
// probe proved PREF64, RDNSS and a translated connection.
void demand_proof(Findings& findings, const Steps& steps);

// Decides when to do it. Probes without a result do not count.
class Nat64Watch {
  public:
    static constexpr unsigned kDead = 3;   // failed probes in a row
    static constexpr unsigned kAlive = 5;  // good probes in a row

    enum class Seen : std::uint8_t { dead, alive, unknown };
    void see(Seen seen);
    // At least kDead probes failed in a row, and fewer than kAlive in a row succeeded since.
    [[nodiscard]] bool is_dead() const { return is_dead_; }
    // At least kAlive probes succeeded in a row, and fewer than kDead in a row failed since.
    [[nodiscard]] bool is_alive() const { return is_alive_; }

  private:
    unsigned dead_ = 0, alive_ = 0;
    bool is_dead_ = false, is_alive_ = false;
};

}  // namespace steer::doctor
