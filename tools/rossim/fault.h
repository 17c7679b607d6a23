// A fault that comes by itself when the router is asked for something, and the faults that wait.
//
// Which sentences: `command` is searched in the path of each ("/ip/firewall/address-list/add",
// "/login") as it arrives; of those that match within [from_us, until_us) the first `skip` pass,
// each later one is struck with `probability`, and at most `times` are. The first fault that
// strikes is the one that happens. The dice are those of Options::fault_seed: the same sentences at
// the same times bring the same faults.
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
    std::int64_t for_us = 0;      // hang: 0 is until resume(); drip: 0 is to the connection's end;
                                  // reboot: how long it is away
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

    // A sentence came; the fault that strikes it. The pointer holds until the next call.
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
