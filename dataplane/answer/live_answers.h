// Answers that change while a snapshot stays in force: names and devices of DHCP leases.
//
// One thread publishes a new table and frees the old one after a grace period (control/host/process/published.h).
// Workers load the pointer for each query and copy what they find; they keep no pointer over a quiescent state.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/lease_devices.h"

namespace steer {

struct LiveTable {
    AnswerStore answers;
    AnswerTable names;              // whole names only, so that no scratch has to be prepared
    AnswerRef nothing = kNoAnswer;  // the answer for other types of its names
    LeaseDevices devices;           // with and without a name

    // nullptr: the name is unknown. `qname`: lower-cased wire form.
    [[nodiscard]] const dns::Answer* find(std::span<const std::uint8_t> qname, std::uint16_t qtype,
                                          std::uint16_t qclass,
                                          matchers::NameMatcher::Scratch& scratch) const noexcept;
};

struct LiveAnswers {
    std::atomic<const LiveTable*> table{nullptr};  // nullptr: there is none yet
};

}  // namespace steer
