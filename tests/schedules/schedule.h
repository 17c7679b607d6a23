// What goes wrong, when: a router, who writes to it, and the faults of one play, all from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/router_config.h"
#include "tools/rossim/router.h"

namespace steer::schedules {

inline constexpr std::int64_t kSecond = 1'000'000;

// name, how it is called, what happens
#define STEER_FAULTS(X)                                                                        \
    X(reboot, "reboot", "the router restarts: timed rows gone, away for the length")           \
    X(reboot_in_batch, "reboot-in-batch", "as before, when the next write of ours is due")     \
    X(hang, "hang", "it accepts and answers nothing for the length")                           \
    X(hang_in_reply, "hang-in-reply", "it hangs for the length in the midst of a sentence")    \
    X(cut, "cut", "the connection is reset at once")                                           \
    X(cut_half, "cut-half", "it is reset after half of our next bytes")                        \
    X(reset_lost, "reset-lost", "it is reset by a write of ours, which is not carried out")    \
    X(reset_applied, "reset-applied", "it is reset by a write of ours, which took effect")     \
    X(blackout, "blackout", "no byte passes for the length, none is lost")                     \
    X(drip, "drip", "replies come byte by byte for the length")                                \
    X(freeze, "freeze", "our process stands still for the length")                             \
    X(traps, "traps", "sentences of one kind are refused for the length")                      \
    X(full, "full", "the router takes no more rows for the length")                            \
    X(crowd, "crowd", "cut, and all sessions are taken for the length")                        \
    X(clock_jump, "clock-jump", "the router's wall clock moves")                               \
    X(human_removes, "human-removes", "a row of ours is removed")                              \
    X(human_empties, "human-empties", "every row of ours is removed")                          \
    X(human_sets, "human-sets", "a row of ours gets another timeout, a route another gateway") \
    X(human_takes, "human-takes", "a row of ours gets another comment: it is ours no more")    \
    X(human_moves, "human-moves", "a row of ours goes to another list")                        \
    X(human_disables, "human-disables", "a static row of ours is off for the length")          \
    X(human_prints, "human-prints", "somebody reads all rows, several times")                  \
    X(foreign_static, "foreign-static", "a foreign static row where we may want one")          \
    X(foreign_timed, "foreign-timed", "a foreign row of the length where we may want one")     \
    X(foreign_disabled, "foreign-disabled", "a foreign disabled row, for the length")          \
    X(duplicate, "duplicate", "a second row of ours at the same place, as imports leave")      \
    X(reload, "reload", "our lists change")                                                    \
    X(gateway_down, "gateway-down", "the gateway of routes cannot be reached for the length")  \
    X(rights, "rights", "cut, and our user may not write, or not read, for the length")
enum class Kind : std::uint8_t {
#define STEER_FAULT_ENUM(name, label, text) name,
    STEER_FAULTS(STEER_FAULT_ENUM)
#undef STEER_FAULT_ENUM
};
std::string_view label(Kind kind);

struct Fault {
    std::int64_t at_us = 0;      // after the start of the play
    std::int64_t length_us = 0;  // 0 where it has none
    Kind kind = Kind::cut;
    std::uint32_t pick = 0;  // chooses what it hits, whatever else happens
};
std::string text(const Fault& fault);

inline constexpr const char* kGateway = "wg1";
inline constexpr const char* kForeignGateway = "192.0.2.254";

// A policy list and how clients use it. The judge knows the list that a routing table is by its name there.
std::string judged_name(const routeros::ListConfig& config, bool six);
struct ListPlan {
    routeros::ListConfig config;
    std::uint32_t min_ttl_s = 60;
    unsigned range = 0;  // of its addresses: lists of one range share them
    unsigned pool = 40;  // addresses of each family
};

struct Schedule {
    std::uint32_t seed = 0;
    std::string preset;
    rossim::Options router;
    std::vector<ListPlan> lists;
    unsigned writers = 1;
    std::size_t prefill = 0;    // foreign rows, in the first list of each family
    std::int64_t pause_us = 0;  // between questions to one writer, on average
    std::int64_t faults_end_us = 0;
    std::int64_t tidy_us = 0;   // how often a person removes the rows of others; 0: never
    std::vector<Fault> faults;  // in order of time

    // Rows a second that the router can add.
    [[nodiscard]] double write_rate() const;
    [[nodiscard]] std::string text() const;
};

// Every fifth seed has two writers.
Schedule make_schedule(std::uint32_t seed);
// As before, for so many hours: fewer questions, faults of all kinds half an hour apart on average,
// some of them at once.
Schedule make_long_schedule(std::uint32_t seed, unsigned hours);

// The address number `n` of a range, as an address list prints it.
std::string address_text(rossim::Family family, unsigned range, unsigned n);

}  // namespace steer::schedules
