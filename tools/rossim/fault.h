// A fault that a sentence triggers, and the set of waiting faults.
//
// `command` is searched in the path of each sentence ("/ip/firewall/address-list/add", "/login") as
// it arrives. Of those that match within [from_us, until_us), the first `skip` pass, each later one
// is struck with `probability`, and at most `times` are struck. At most one fault strikes a
// sentence: the first in the order of inject(). Options::fault_seed seeds the random numbers: the
// same sentences at the same times trigger the same faults.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace rossim {

//  kind             text             what happens to the sentence that is struck
#define ROSSIM_FAULTS(X)                                                                      \
    X(trap, "trap", "it is answered by a trap with `message`, and not carried out")           \
    X(reset, "reset", "its connection is reset when it is due; see `applied`")                \
    X(hang, "hang", "the router hangs when it comes, or if `applied` before its answer")      \
    X(hang_in_reply, "hang-in-reply", "the router hangs when half of its last bytes are out") \
    X(reboot, "reboot", "the router reboots when it is due; see `applied`")                   \
    X(drip, "drip", "from now on its connection gets a byte every `byte_us`")

enum class FaultKind : std::uint8_t {
#define X(kind, text, meaning) kind,
    ROSSIM_FAULTS(X)
#undef X
};

struct Fault {
    FaultKind kind = FaultKind::trap;
    std::string command;      // ECMAScript; empty: any
    double probability = 1;   // 0 to 1
    std::uint64_t skip = 0;   // sentences
    std::uint64_t times = 1;  // 0: no end
    std::int64_t from_us = std::numeric_limits<std::int64_t>::min();
    std::int64_t until_us = std::numeric_limits<std::int64_t>::max();
    std::string message = "failure: injected";
    std::optional<int> category;  // of the trap
    bool applied = false;         // reset, hang, reboot: the sentence takes effect first
    // Hang: its duration; 0: until resume(). Drip: the same; 0: until the connection's end. Reboot:
    // the downtime.
    std::int64_t for_us = 0;
    std::int64_t byte_us = 1000;
};

using FaultId = std::uint64_t;

struct FaultView {
    FaultId id = 0;
    Fault fault;
    std::uint64_t matched = 0;
    std::uint64_t struck = 0;
};

std::string_view fault_name(FaultKind kind);
std::optional<FaultKind> find_fault(std::string_view name);

class Faults {
  public:
    explicit Faults(std::uint64_t seed) : random_(seed) {}

    // Throws std::runtime_error with a sentence if `command` is no regular expression.
    FaultId inject(Fault fault);
    void withdraw(FaultId id);
    void withdraw_all() { entries_.clear(); }
    std::vector<FaultView> views() const;

    // Returns the fault that strikes an arriving sentence. The pointer is valid until the next
    // call.
    const Fault* strike(std::string_view command, std::int64_t now_us);

  private:
    struct Entry {
        FaultView view;
        std::regex command;
    };
    bool dice(double probability);

    std::vector<Entry> entries_;
    FaultId last_id_ = 0;
    std::uint64_t random_;
};

}  // namespace rossim
